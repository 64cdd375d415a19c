"""`agentbase up` as a person meets it. Each test is a whole instance: real servers, real processes, real signals."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from app.embedded.errors import BAD_FOLDER, IN_USE, PORT_TAKEN
from app.embedded.local_model import missing
from tests.instance import ADMIN, descendants, gone, said
from tests.ops.inside import possible, run_inside

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"), pytest.mark.slow]

WARM = 8.0
"""Processor seconds a second start may use. How long it takes depends on what else runs here; `make bench` measures it
on a machine that does nothing else (goal: 3 s)."""


def test_from_an_empty_folder_to_a_page_and_the_address_is_the_last_line(instance):
    it = instance().start()
    assert it.lines[0].startswith("Agentbase ") and str(it.data) in it.lines[0]
    assert it.lines[-1] == it.url
    assert all(re.match(r" *\d+\.\d\d s  \S", line) for line in it.lines[1:-1]), it.lines
    sentences = list(said(it.lines))
    for part in ("PostgreSQL 18", "migrations: ", "Valkey", "web and 1 worker ready"):
        assert any(sentence.startswith(part) for sentence in sentences), sentences
    assert it.get("/health/ready")[0] == 200
    assert it.get("/sign-in")[0] == 200
    assert it.data.stat().st_mode & 0o077 == 0


def test_the_second_start_does_little_and_runs_no_migration_again(instance):
    it = instance().start()
    it.stop()
    it.start()
    assert it.cpu_s() < WARM
    assert not any(sentence.startswith("migrations") for sentence in said(it.lines))


def test_ctrl_c_stops_everything_within_five_seconds_though_a_stream_is_open(instance):
    it = instance().start()
    cookie = it.sign_in()
    stream = it.open("/events?topics=workspace", Cookie=cookie)
    assert stream.status == 200 and stream.getheader("content-type").startswith("text/event-stream")
    assert it.stop() < 5
    assert it.exit_code() == 0
    assert "stopping" in it.lines[-1]


def test_sigterm_stops_it_as_well(instance):
    it = instance().start()
    assert it.stop(signal.SIGTERM) < 5


def test_no_process_stays_when_it_is_killed(instance):
    it = instance(model=not missing()).start()
    family = descendants(it.pid)
    assert len(family) > 6
    os.kill(it.pid, signal.SIGKILL)
    it.wait()
    assert not gone(family, within=15)
    assert it.start().get("/health/ready")[0] == 200, "and the next start finds everything in order"


@pytest.mark.parametrize("name", ["app.cli web", "app.cli worker", "postgres -D", "valkey-server"])
def test_whatever_is_killed_comes_back(instance, name):
    it = instance().start()
    victim = it.process_of(name)
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            back = any("is running again" in sentence for sentence in said(it.lines))
            if back and it.process_of(name) != victim and it.get("/health/ready")[0] == 200:
                break
        except (AssertionError, OSError):
            continue
    else:
        pytest.fail("it did not come back:\n" + "\n".join(it.lines))


def test_a_live_stream_outlives_a_restart_of_the_database_and_misses_nothing(instance):
    it = instance().start()
    cookie = it.sign_in()
    key = it.command("key", "create")

    def make_flow(name: str) -> None:
        connection = HTTPConnection("127.0.0.1", it.port, timeout=20)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/flows", json.dumps({"name": name}), headers)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()

    def ids_of(stream, count: int) -> list[int]:
        """Numbers of the next events `flow.created`."""
        found, number = [], 0
        while len(found) < count:
            line = stream.readline().decode().strip()
            assert line or not stream.isclosed(), "the stream ended"
            if line.startswith("id:"):
                number = int(line[3:])
            elif line == "event: flow.created":
                found.append(number)
        return found

    stream = it.open("/events?topics=workspace", timeout=60, Cookie=cookie)
    make_flow("Before")
    (first,) = ids_of(stream, 1)

    postgres = it.process_of("postgres -D")
    os.kill(postgres, signal.SIGKILL)
    deadline = time.monotonic() + 40
    while not any("is running again" in sentence for sentence in said(it.lines)) or it.get("/health/ready")[0] != 200:
        assert time.monotonic() < deadline, it.lines
        time.sleep(0.1)
    make_flow("After")
    make_flow("Later")
    assert ids_of(stream, 2) == [first + 1, first + 2], "the very same connection goes on, without a gap"

    again = it.open("/events?topics=workspace", timeout=60, Cookie=cookie, **{"Last-Event-ID": str(first)})
    assert ids_of(again, 2) == [first + 1, first + 2], "and who comes back is told what was missed"


def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(instance):
    first = instance().start()
    second = instance().launch()
    assert second.wait() == IN_USE
    assert f"already running (process {first.pid})" in "\n".join(second.lines)
    assert first.get("/health/ready")[0] == 200


def test_a_taken_port_is_said_before_anything_is_started(instance):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        it = instance(port=port).launch()
        assert it.wait() == PORT_TAKEN
    assert f"Port {port} of 127.0.0.1 is taken" in "\n".join(it.lines)
    other = int(re.search(r"--port (\d+)", it.lines[-1])[1])
    assert other > port, "one that is free"
    assert not (it.data / "postgres").exists()


def test_data_of_another_major_are_refused_with_the_way_out(instance):
    it = instance().start()
    it.stop()
    (it.data / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    assert it.launch().wait() == BAD_FOLDER
    text = "\n".join(it.lines)
    assert "made by PostgreSQL 17" in text and "agentbase backup" in text and "Traceback" not in text


def test_a_file_in_the_place_of_the_folder_is_said(instance, tmp_path):
    (tmp_path / "data").write_text("not a folder")
    it = instance().launch()
    assert it.wait() == BAD_FOLDER
    assert "is not a folder" in "\n".join(it.lines)


@pytest.mark.skipif(not possible(), reason="this machine makes no user namespaces")
def test_a_full_disk_is_said(tmp_path):
    code = "import os, sys; os.environ['AGENTBASE_DATA'] = '/tmp/small/data'; sys.argv = ['agentbase', 'up'];" + (
        "from app.cli import main; main()"
    )
    done = run_inside("small-disk", code)
    assert done.returncode == BAD_FOLDER
    assert "MB are free" in done.stderr and "AGENTBASE_DATA" in done.stderr


def test_given_servers_are_used_and_none_is_started(instance, servers):
    env = {"DATABASE_URL": servers.login, "DATABASE_OWNER_URL": servers.owner, "REDIS_URL": servers.redis}
    it = instance(env=env).start()
    assert not (it.data / "postgres").exists() and not (it.data / "valkey").exists()
    with pytest.raises(AssertionError):
        it.process_of("postgres -D")
    assert it.stop() < 5


def test_where_other_machines_can_reach_it_the_set_up_code_is_printed_until_somebody_has_an_account(instance):
    nobody = dict.fromkeys(ADMIN, "") | {"AGENTBASE_HOST": "0.0.0.0"}
    it = instance(env=nobody).start()
    (sentence,) = [sentence for sentence in said(it.lines) if sentence.startswith("set-up code")]
    assert re.search(r": \w{6,}$", sentence), sentence
    it.stop()
    it = instance(env={"AGENTBASE_HOST": "0.0.0.0"}).start()
    assert not any(sentence.startswith("set-up code") for sentence in said(it.lines))


def test_web_and_worker_never_learn_the_owners_password(instance):
    it = instance().start()
    owner = (it.data / "postgres" / "postgres.password").read_text()
    for name in ("app.cli web", "app.cli worker"):
        assert owner not in Path(f"/proc/{it.process_of(name)}/environ").read_text()
    logs = "".join(log.read_text() for log in (it.data / "logs").glob("*.log"))
    assert owner not in logs and ADMIN["AGENTBASE_ADMIN_PASSWORD"] not in logs
    assert ADMIN["AGENTBASE_ADMIN_PASSWORD"] not in "\n".join(it.lines)


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_the_local_model_is_offered_and_comes_after_the_page(instance):
    it = instance(model=True).start()
    model = next(sentence for sentence in said(it.lines) if sentence.startswith("local model on"))
    port = int(re.search(r":(\d+)", model)[1])
    environ = Path(f"/proc/{it.process_of('app.cli web')}/environ").read_bytes().decode()
    assert f"AGENTBASE_LOCAL_MODEL_URL=http://127.0.0.1:{port}/v1" in environ
    os.kill(it.process_of("local_model_server"), signal.SIGKILL)
    assert it.get("/health/ready")[0] == 200


def test_it_runs_from_any_folder(instance, tmp_path):
    """The current folder may hold a package called `app` of its own: ours is meant."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong app')")
    command = shutil.which("agentbase", path=str(Path(sys.executable).parent))
    done = subprocess.run([command, "doctor", "--live"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "the wrong app" not in done.stdout + done.stderr
