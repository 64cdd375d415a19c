"""The children of the safe engine: they come when needed, fall alone, and keep nothing from one owner for the next."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.host.child import Fallen
from flows.host.frames import MOST, BadFrame, Bounds, Call
from flows.host.pool import Busy, Pool

ROOT = Path(__file__).parents[3]


@pytest.fixture
def pool():
    made = Pool(2)
    yield made
    made.close()


def status(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split(":", 1)[1].strip()
    raise KeyError(name)


async def test_a_child_and_the_interpreter_below_it_are_confined(pool):
    reply = await pool.run(Call("run", "1"), "w")
    (child,) = pool.idle
    assert set(pool.borders) >= {"interpreter", "rlimits"}
    for pid in (child.pid, reply.pid):
        assert status(pid, "NoNewPrivs") == "1"
        assert status(pid, "Seccomp") == ("2" if "seccomp" in pool.borders else "0")
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0" in limits and "Max file size             0" in limits
        open_files = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert all(name.startswith(("pipe:", "socket:", "anon_inode:", "/dev/null", "/proc/")) for name in open_files)
    assert Path(f"/proc/{reply.pid}/status").read_text().count(f"PPid:\t{child.pid}") == 1


async def test_what_one_call_leaves_is_gone_in_the_next(pool):
    await pool.run(Call("run", "left = 'secret'\ndef len(x): return 0\nimport json\njson.x = 1"), "w")
    reply = await pool.run(Call("run", "left"), "w")
    assert reply.kind == "NameError"
    assert (await pool.run(Call("run", "len('abc')"), "w")).value == 3


async def test_another_workspace_never_gets_an_interpreter_that_was_used(pool):
    one = await pool.run(Call("run", "1"), "one")
    again = await pool.run(Call("run", "1"), "one")
    two = await pool.run(Call("run", "1"), "two")
    assert one.pid == again.pid and two.pid != one.pid and len(pool.idle) == 1


async def test_an_interpreter_that_was_over_a_limit_is_not_used_again(pool):
    one = await pool.run(Call("run", "while True: pass", {}, Bounds(seconds=0.1)), "w")
    assert one.why == "time"
    two = await pool.run(Call("run", "'a' * 10 ** 10"), "w")
    assert two.why == "memory" and two.pid != one.pid
    three = await pool.run(Call("run", "1"), "w")
    assert three.value == 1 and three.pid != two.pid


async def test_steps_at_the_same_time_get_children_of_their_own_and_then_wait_their_turn(pool):
    replies = await asyncio.gather(*(pool.run(Call("run", f"{i} * 2"), f"w{i % 3}") for i in range(40)))
    assert [reply.value for reply in replies] == [i * 2 for i in range(40)]
    assert pool.held == 0 and len(pool.idle) == 2


async def test_too_many_waiting_are_refused(pool, monkeypatch):
    monkeypatch.setattr("flows.host.pool.WAITING", 3)
    slow = Call("run", "import time\ntime.sleep(0.3)", {}, Bounds(seconds=1))
    replies = await asyncio.gather(*(pool.run(slow, "w") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(reply, Busy) for reply in replies) == 3
    assert pool.held == 0


@pytest.mark.parametrize("which", ["child", "interpreter"])
async def test_a_process_that_is_killed_fails_its_own_step_only(pool, which):
    first = await pool.run(Call("run", "1"), "w")
    (child,) = pool.idle
    task = asyncio.create_task(pool.run(Call("run", "while True: pass", {}, Bounds(seconds=5)), "w"))
    while pool.idle:
        await asyncio.sleep(0)
    other = await pool.run(Call("run", "2"), "w")
    os.kill(child.pid if which == "child" else first.pid, signal.SIGKILL)
    if which == "child":
        with pytest.raises(Fallen):
            await task
    else:
        assert (await task).why == "crash"
    assert other.value == 2
    assert (await pool.run(Call("run", "3"), "w")).value == 3 and pool.held == 0


async def test_a_step_that_is_cancelled_takes_its_processes_with_it(pool):
    first = await pool.run(Call("run", "1"), "w")
    (child,) = pool.idle
    task = asyncio.create_task(pool.run(Call("run", "while True: pass", {}, Bounds(seconds=30)), "w"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not child.alive and pool.held == 0
    deadline = time.monotonic() + 5
    while Path(f"/proc/{first.pid}").exists() and "Z" not in status(first.pid, "State"):
        assert time.monotonic() < deadline, "the interpreter outlived its step"
        await asyncio.sleep(0.02)


async def test_a_child_that_stops_answering_is_given_up(pool, monkeypatch):
    monkeypatch.setattr("flows.host.pool.SLACK", 0.2)
    await pool.run(Call("run", "1"), "w")
    (child,) = pool.idle
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(Fallen, match="in time"):
        await pool.run(Call("run", "1", {}, Bounds(seconds=0.1)), "w")
    assert not child.alive
    assert (await pool.run(Call("run", "4"), "w")).value == 4


async def test_inputs_too_large_to_send_leave_the_child_as_it_was(pool):
    await pool.run(Call("run", "1"), "w")
    with pytest.raises(BadFrame, match="16 MB"):
        await pool.run(Call("run", "1", {"x": "a" * (MOST + 1)}), "w")
    assert (await pool.run(Call("run", "len(x)", {"x": "a" * (MOST - 4096)}), "w")).value == MOST - 4096


@pytest.mark.parametrize(
    "bytes",
    [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\xc1\xc1", b"\x00\x00\x00\x05\x94\xa3xyz"],
    ids=["long", "bad", "other"],
)
async def test_an_answer_that_is_none_ends_the_child(pool, bytes):
    """What a child that was taken over could send: it is read strictly, and never spoken with again."""
    await pool.run(Call("run", "1"), "w")
    (child,) = pool.idle
    child._buffer += bytes
    with pytest.raises(Fallen):
        await pool.run(Call("run", "1"), "w")
    assert not child.alive


async def test_without_waiting_the_same_children_answer(pool):
    assert pool.run_now(Call("parse", "x = = 1"), "w").why == "syntax"
    assert (await pool.run(Call("run", "2"), "w")).value == 2
    assert pool.run_now(Call("run", "3"), "w").value == 3 and len(pool.idle) == 1


def test_children_serve_one_event_loop_after_another():
    pool = Pool(1)
    for i in range(3):
        assert asyncio.run(pool.run(Call("run", f"{i}"), "w")).value == i
    pool.close()


ORPHAN = """
import asyncio, os, signal
from flows.host.frames import Bounds, Call
from flows.host.pool import Pool
async def main():
    pool = Pool()
    reply = await pool.run(Call("run", "1"), "w")
    print(pool.idle[0].pid, reply.pid, flush=True)
    task = asyncio.create_task(pool.run(Call("run", "while True: pass", {}, Bounds(seconds=1.5)), "w"))
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG and /proc are Linux's")
def test_children_do_not_outlive_a_worker_that_is_killed():
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    pids = [int(pid) for pid in done.stdout.split()]
    assert done.returncode == -signal.SIGKILL and len(pids) == 2, done.stderr
    deadline = time.monotonic() + 8
    for pid in pids:
        while Path(f"/proc/{pid}").exists() and "Z" not in status(pid, "State"):
            assert time.monotonic() < deadline, f"{pid} is still there"
            time.sleep(0.05)
