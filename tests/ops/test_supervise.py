import os
import sys

import pytest

from app.commands import supervise
from app.commands.supervise import Supervisor, keeping_bytecode
from app.embedded.errors import DiskFull, StartProblem


class Mortal:
    """A part that ends as often as it is told to."""

    def __init__(self, log, lives: int) -> None:
        self.name, self.log = "Mortal", log
        self.lives, self.starts, self.stops, self._alive = lives, 0, 0, False

    def start(self) -> None:
        self.starts += 1
        self._alive = self.starts >= self.lives

    def stop(self) -> None:
        self.stops += 1
        self._alive = False

    def alive(self) -> bool:
        return self._alive


@pytest.fixture
def time(monkeypatch):
    """A clock for the supervisor: `time[0]` is now, in seconds."""
    now = [0.0]
    monkeypatch.setattr(supervise, "monotonic", lambda: now[0])
    return now


def look_for(supervisor, time, seconds: float) -> None:
    for _ in range(int(seconds * 10)):
        supervisor.look()
        time[0] += 0.1


def test_what_ends_is_started_again_after_a_pause_that_grows(tmp_path, time):
    said: list[str] = []
    part = Mortal(tmp_path / "log", lives=3)
    part.start()
    supervisor = Supervisor(said.append)
    supervisor.keep(part)
    look_for(supervisor, time, 5)
    assert part.alive() and part.starts == 3
    pauses = [sentence.split(" in ")[1].split(" (")[0] for sentence in said if "again in" in sentence]
    assert pauses == ["0.2 s", "0.5 s"]


def test_what_cannot_live_is_given_up_and_its_log_is_shown(tmp_path, time):
    (tmp_path / "log").write_text("the reason of all this\n")
    part = Mortal(tmp_path / "log", lives=1000)
    supervisor = Supervisor(lambda sentence: None)
    supervisor.keep(part)
    with pytest.raises(StartProblem, match="the reason of all this"):
        look_for(supervisor, time, 60)
    assert part.starts == len(supervise.PAUSES)


def test_a_full_disk_is_waited_for_and_said_once(tmp_path, time):
    said: list[str] = []

    class WithoutSpace(Mortal):
        def start(self) -> None:
            super().start()
            if not self._alive:
                raise DiskFull(tmp_path)

    part = WithoutSpace(tmp_path / "log", lives=40)
    supervisor = Supervisor(said.append)
    supervisor.keep(part)
    look_for(supervisor, time, 400)
    assert part.alive() and part.starts == 40, "tried for as long as it takes, and never given up"
    assert sum("no space left" in sentence for sentence in said) == 1
    assert len(said) == 3 and said[-1] == "Mortal is running again"


def test_without_a_part_that_is_not_vital_the_rest_goes_on(tmp_path, time):
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.keep(Mortal(tmp_path / "log", lives=1000), vital=False)
    look_for(supervisor, time, 60)
    assert "goes on without it" in said[-1]
    before = len(said)
    look_for(supervisor, time, 60)
    assert len(said) == before, "said once, not for ever"


def test_a_long_steady_life_is_forgiven_everything(tmp_path, time):
    said: list[str] = []
    part = Mortal(tmp_path / "log", lives=2)
    part.start()
    supervisor = Supervisor(said.append)
    supervisor.keep(part)
    look_for(supervisor, time, 1)
    look_for(supervisor, time, supervise.STEADY + 1)
    part._alive = False
    look_for(supervisor, time, 1)
    assert sum("again in 0.2 s" in sentence for sentence in said) == 2


def test_a_log_that_grew_too_long_is_shortened_while_its_writer_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "LOG_LIMIT", 1000)
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 200)
        supervise._shorten(log)
        writer.write(b"new line\n")
    assert log.read_text() == "new line\n"
    assert "old line" in (tmp_path / "log.1").read_text()


def test_a_log_is_emptied_even_where_its_end_can_not_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "LOG_LIMIT", 1000)
    log = tmp_path / "log"
    log.write_text("old line\n" * 200)
    (tmp_path / "log.1").mkdir()  # stands for a disk without space: writing there is an OSError
    supervise._shorten(log)
    assert log.read_text() == ""


def test_children_keep_their_bytecode_aside_where_they_may_not_keep_it_beside_the_sources(tmp_path, monkeypatch):
    given = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/root"}
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    assert keeping_bytecode(given, tmp_path) == {"HOME": "/root", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert keeping_bytecode(given, tmp_path) == {"HOME": "/root"}
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert keeping_bytecode(given, tmp_path)["PYTHONPYCACHEPREFIX"] == str(tmp_path)
    monkeypatch.setattr(sys, "pycache_prefix", "/somewhere")
    assert "PYTHONPYCACHEPREFIX" not in keeping_bytecode(given, tmp_path)
