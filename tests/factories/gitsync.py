"""Real bare repositories on this machine, and what stands in them."""

import os
import subprocess
from pathlib import Path
from uuid import UUID

from app.db import tenant_tx
from app.gitsync import service
from app.gitsync.forms import LinkForm
from app.web import Actor

WHO = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
WHO |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_NOSYSTEM": "1"}


def git(place: Path, *words: str, given: bytes | None = None) -> str:
    """As a colleague would at their terminal."""
    found = subprocess.run(
        ["git", "-C", str(place), *words],
        input=given,
        capture_output=True,
        check=True,
        env={**os.environ, **WHO},
    )
    return found.stdout.decode()


def a_bare_repository(folder: Path, name: str = "flows.git") -> Path:
    made = folder / name
    made.mkdir(parents=True)
    git(made, "init", "--quiet", "--bare", "--initial-branch=main")
    return made


class Colleague:
    """Somebody else's clone of the same repository."""

    def __init__(self, bare: Path, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        git(place, "init", "--quiet", "--initial-branch=main")
        git(place, "remote", "add", "origin", str(bare))

    def pull(self) -> None:
        git(self.place, "fetch", "--quiet", "origin", "main")
        git(self.place, "reset", "--quiet", "--hard", "origin/main")

    def write(self, path: str, text: str | None) -> None:
        file = self.place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")

    def push(self, said: str = "Change") -> str:
        git(self.place, "add", "-A")
        git(self.place, "commit", "--quiet", "--allow-empty", "-m", said)
        git(self.place, "push", "--quiet", "origin", "HEAD:main")
        return git(self.place, "rev-parse", "HEAD").strip()

    def read(self, path: str) -> str:
        return (self.place / path).read_text(encoding="utf-8")

    def files(self) -> list[str]:
        return sorted(git(self.place, "-c", "core.quotePath=false", "ls-files").splitlines())


async def a_link(actor: Actor, bare: Path, **more: object) -> None:
    await service.connect(actor, LinkForm(url=str(bare), **{"folder": "flows", **more}))  # type: ignore[arg-type]


async def a_git_file(actor: Actor, flow_id: UUID | None = None, state: str = "conflict", path: str = "a.json") -> UUID:
    """A file in a link without a repository behind it."""
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            "insert into git_link (workspace_id, url, branch) values ($1, 'https://git.example/x', 'main')"
            " on conflict do nothing",
            actor.workspace_id,
        )
        made = await tx.fetchval(
            "insert into git_file (workspace_id, path, flow_id, base, theirs, state) values ($1, $2, $3, '', '{}', $4)"
            " returning id",
            actor.workspace_id,
            path,
            flow_id,
            state,
        )
    return UUID(str(made))
