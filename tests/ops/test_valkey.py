import importlib.util
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from app.embedded.errors import IN_USE, NOT_ON_THIS_MACHINE, StartProblem
from app.embedded.valkey import EmbeddedValkey
from tests.instance import descendants, gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the supervisor's Linux half")

HOLD = """
import sys, time
from pathlib import Path
from app.embedded.valkey import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path):
    server = EmbeddedValkey(tmp_path / "valkey")
    yield server
    server.stop()


def test_what_was_written_is_there_after_kill_9_and_a_new_start(server):
    client = Redis.from_url(server.start())
    for number in range(200):
        client.rpush("numbers", number)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.stop()
    assert Redis.from_url(server.start()).llen("numbers") == 200


def test_it_wants_its_password_and_shows_it_to_nobody(server):
    url = server.start()
    with pytest.raises(AuthenticationError):
        Redis(port=server.port).ping()
    password = url.split(":")[2].split("@")[0]
    assert stat.S_IMODE((server.folder / "valkey.conf").stat().st_mode) == 0o600
    assert password not in Path(f"/proc/{server.process.pid}/cmdline").read_text()
    assert password not in server.log.read_text()


def test_it_never_throws_a_key_away_to_make_room(server):
    assert Redis.from_url(server.start()).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_when_we_are_killed_it_goes_too(python, tmp_path):
    holder = python("-c", HOLD, str(tmp_path / "valkey"))
    assert int(holder.stdout.readline()) in (family := descendants(holder.pid))
    holder.kill()
    holder.wait()
    assert not gone(family)


def test_a_second_one_on_the_same_folder_is_refused(server):
    server.start()
    with pytest.raises(StartProblem, match="already running") as refused:
        EmbeddedValkey(server.folder).start()
    assert refused.value.code == IN_USE


def test_without_the_wheel_it_says_what_to_install_or_to_set(server, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StartProblem, match="REDIS_URL") as refused:
        server.start()
    assert refused.value.code == NOT_ON_THIS_MACHINE
