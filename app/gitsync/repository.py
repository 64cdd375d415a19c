"""One repository through the real git: what is at a branch, a commit with some files changed, and pushing it.

Nothing is ever checked out: trees are read and written as objects of a bare repository of our own, so no symbolic link,
no hook, no filter and no file name of a stranger touches this machine's disk. git starts with an environment that holds
nothing of ours, talks only to addresses that were checked (the name is resolved by us and pinned), follows no redirect,
asks for nothing, knows no submodules, and may use so much time and disk.
"""

import asyncio
import base64
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from app.config import Secret
from app.egress.pin import pinned
from app.gitsync.addresses import is_local
from app.gitsync.complaints import GitProblem, Moved, problem_of

LONGEST = 120.0
"""Seconds of one call of git."""
LARGEST = 256_000_000
"""Bytes of any file git may write: a pack of a repository that is larger ends with an error."""
MOST_FILES, MOST_FILE, MOST_BYTES = 2_000, 8_388_608, 67_108_864
"""Files read of the folder, bytes of one, bytes of all."""
REMOTE = "refs/agentbase/remote"
EXTRA: dict[str, str] = {}
"""More configuration; tests put the certificate of their server here."""
FIXED = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "push.recurseSubmodules": "no",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "false",
    "http.proxy": "",
    "http.sslVerify": "true",
    "http.lowSpeedLimit": "500",
    "http.lowSpeedTime": "30",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
}


class Left(Struct, frozen=True):
    """A file that is not read, and why."""

    path: str
    why: str


class Author(Struct, frozen=True):
    name: str
    email: str


class Repository:
    """`home`: our own bare repository for it, made when it is missing. It is a cache: it may be deleted at any time."""

    def __init__(self, home: Path, url: str, branch: str, user: str = "", token: Secret | None = None) -> None:
        self.home, self.url, self.branch = home, url, branch
        self.user, self.token = user or "git", token or Secret("")

    async def head(self) -> str:
        """The branch's newest commit, fetched without its history; "" when there is no such branch yet."""
        await self._ready()
        listed = await self._git("ls-remote", "--heads", "--", self.url, f"refs/heads/{self.branch}", remote=True)
        commit = listed.decode().split("\t")[0].strip()
        if commit:
            spec = f"+refs/heads/{self.branch}:{REMOTE}"
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--depth=1")
            await self._git("fetch", *quiet, "--", self.url, spec, remote=True)
            commit = (
                (await self._git("rev-parse", "--verify", "--end-of-options", f"{REMOTE}^{{commit}}")).decode().strip()
            )
        return commit

    async def files(self, commit: str, folder: str, endings: tuple[str, ...]) -> tuple[dict[str, bytes], list[Left]]:
        """Plain files below the folder with one of these endings, by their path in it; and those left out.

        Links, submodules and names with unusual signs are never read. Raises GitProblem when there are too many.
        """
        tree = f"{commit}:{folder}" if folder else commit
        if folder and not (await self._git("ls-tree", "-d", "-z", commit, "--", folder)).strip(b"\0"):
            return {}, []
        found: dict[str, str] = {}
        left: list[Left] = []
        size = 0
        for row in (await self._git("ls-tree", "-r", "-z", "-l", tree)).split(b"\0"):
            if not row:
                continue
            about, _, name = row.partition(b"\t")
            mode, _, object_id, length = about.decode().split()
            path = name.decode("utf-8", "replace")
            if not path.lower().endswith(endings):
                continue
            if mode not in ("100644", "100755"):
                left.append(Left(path, "It is a link or a submodule."))
            elif "\ufffd" in path or any(ord(sign) < 32 for sign in path) or "\\" in path or len(path) > 240:
                left.append(Left(path.replace("\ufffd", "?")[:240], "Its name has signs that are not taken."))
            elif int(length) > MOST_FILE:
                left.append(Left(path, f"It is larger than {MOST_FILE // 1_048_576} MB."))
            else:
                found[path] = object_id
                size += int(length)
        if len(found) > MOST_FILES or size > MOST_BYTES:
            raise GitProblem(
                f"The folder holds {len(found):,} files with {size // 1_000_000:,} MB; at most {MOST_FILES:,} files "
                f"and {MOST_BYTES // 1_048_576} MB are read.",
                remedy="Choose a folder that holds only flows.",
            )
        return dict(zip(found, await self._blobs(list(found.values())), strict=True)), left

    async def commit(self, parent: str, folder: str, changes: Mapping[str, bytes | None], text: str, by: Author) -> str:
        """A commit on top of `parent` ("" = the first one) with these files of the folder changed (None = removed).

        Everything else of the tree stays as it is.
        """
        rows = []
        for path, content in changes.items():
            whole = f"{folder}/{path}" if folder else path
            if content is None:
                rows.append(f"0 {'0' * 40}\t{whole}")
            else:
                made = await self._git("hash-object", "-w", "--stdin", given=content)
                rows.append(f"100644 {made.decode().strip()}\t{whole}")
        with tempfile.TemporaryDirectory(prefix="agentbase-git-") as place:
            index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            if parent:
                await self._git("read-tree", parent, more=index)
            await self._git("update-index", "-z", "--index-info", given="\0".join([*rows, ""]).encode(), more=index)
            tree = (await self._git("write-tree", more=index)).decode().strip()
        who = {"GIT_AUTHOR_NAME": by.name, "GIT_AUTHOR_EMAIL": by.email}
        who |= {"GIT_COMMITTER_NAME": "Agentbase", "GIT_COMMITTER_EMAIL": "agentbase@localhost"}
        above = ("-p", parent) if parent else ()
        made = await self._git("commit-tree", tree, *above, "-F", "-", given=text.encode(), more=who)
        return made.decode().strip()

    async def push(self, commit: str) -> None:
        """Never by force. Raises Moved when the branch is not what the commit was made on."""
        receive = f"git -c core.hooksPath={os.devnull} receive-pack"
        local = (f"--receive-pack={receive}",) if is_local(self.url) else ()
        await self._git(
            "push", "--quiet", "--no-verify", *local, "--", self.url, f"{commit}:refs/heads/{self.branch}", remote=True
        )

    async def _blobs(self, ids: list[str]) -> list[bytes]:
        if not ids:
            return []
        raw = await self._git("cat-file", "--batch", given="\n".join([*ids, ""]).encode())
        found, at = [], 0
        for _ in ids:
            end = raw.index(b"\n", at)
            length = int(raw[at:end].split()[2])
            found.append(raw[end + 1 : end + 1 + length])
            at = end + 2 + length
        return found

    async def _ready(self) -> None:
        if not (self.home / "HEAD").is_file():
            self.home.parent.mkdir(parents=True, exist_ok=True)
            self.home.mkdir(mode=0o700, exist_ok=True)
            await self._git("init", "--quiet", "--bare", "--template=", str(self.home), bare=True)

    async def _git(
        self,
        *words: str,
        given: bytes = b"",
        more: Mapping[str, str] | None = None,
        remote: bool = False,
        bare: bool = False,
    ) -> bytes:
        """Standard output. Raises GitProblem, Moved, and what the check of the address raises."""
        program = shutil.which("git")
        if program is None:
            raise GitProblem("git is not installed on this machine.", remedy="Install it; any version from 2.37 on.")
        settings = dict(FIXED | EXTRA)
        if remote:
            settings |= await self._reach()
        where = () if bare else ("--git-dir", str(self.home))
        child = await asyncio.create_subprocess_exec(
            program,
            *where,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(settings, more or {}, self.home),
            cwd="/",
            start_new_session=True,
            preexec_fn=_limited,
        )
        try:
            async with asyncio.timeout(LONGEST):
                out, said = await child.communicate(given)
        except TimeoutError:
            raise GitProblem(f"The repository did not answer within {LONGEST:g} s.") from None
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
        if child.returncode:
            text = said.decode("utf-8", "replace")
            text = text.replace(str(self.token), "•••") if self.token else text
            raise problem_of(words[0], text, child.returncode, LARGEST)
        return out

    async def _reach(self) -> dict[str, str]:
        if is_local(self.url):
            return {"protocol.file.allow": "always"}
        where = await pinned(self.url)
        spelled = ",".join(f"[{each}]" if ":" in each else each for each in where.addresses)
        found = {"http.curloptResolve": f"{where.host}:{where.port}:{spelled}"}
        if self.token:
            proof = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
            found["http.extraHeader"] = f"Authorization: Basic {proof}"
        return found


def environment(settings: Mapping[str, str], more: Mapping[str, str], home: Path) -> dict[str, str]:
    """All that git sees: nothing of this process's environment, no configuration of the machine or a person."""
    found = {
        "PATH": os.defpath,
        "HOME": str(home),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_SSH_COMMAND": "false",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for i, (key, value) in enumerate(settings.items()):
        found[f"GIT_CONFIG_KEY_{i}"], found[f"GIT_CONFIG_VALUE_{i}"] = key, value
    return found | dict(more)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


__all__ = ["Author", "GitProblem", "Left", "Moved", "Repository", "environment"]
