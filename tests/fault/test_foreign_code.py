"""Code of others that takes all it can get: memory, processor, output, threads, depth. Its worker must not notice."""

import os
from pathlib import Path

import pytest

from app.embedded.process import running as running_process
from flows.host.bubble import unavailable
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.world import world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

MEMORY = "more memory"
TIME = "ran longer"
BOMBS = {
    "memory, slowly": ("kept = []\nwhile True:\n    kept.append('x' * 1_000_000 + str(len(kept)))", MEMORY),
    "memory, at once": ("return len([0] * 600_000_000)", MEMORY),
    "memory, by doubling": ("text = 'x'\nwhile True:\n    text += text", MEMORY),
    "processor": ("while True:\n    pass", TIME),
    "depth": ("def deeper(n):\n    return deeper(n + 1)\nreturn deeper(0)", "too deep"),
    "output": ("while True:\n    print('x' * 100_000)", ""),
    "number": ("return len(str(9 ** 9 ** 9))", ""),
}
BOXED = {
    "4 GB": (
        "kept = bytearray(4 << 30)\nfor i in range(0, len(kept), 4096):\n    kept[i] = 1\nreturn len(kept)",
        MEMORY,
    ),
    "processes": ("import os\nwhile True:\n    os.fork()", ""),
    "threads": (
        "import threading, time\nfor _ in range(100_000):\n    threading.Thread(target=time.sleep, args=(60,)).start()",
        "",
    ),
    "processor, by all threads": (
        "import threading\ndef on():\n    while True: pass\n"
        "for _ in range(8):\n    threading.Thread(target=on).start()\non()",
        TIME,
    ),
}
MOST_RESIDENT = 700 << 20
"""Bytes that a worker with all its children may hold: fewer than one of the bombs wants."""


async def test_f_17_code_that_takes_all_memory_and_time_takes_no_worker_with_it(folder, full):
    """Each bomb fails with its reason, the others' runs go on, no worker dies, and no child is left behind."""
    runs, copies = (200, 5) if full else (20, 1)
    boxes = not unavailable()
    bombs = {**{name: (*bomb, "safe") for name, bomb in BOMBS.items()},
             **({name: (*bomb, "full") for name, bomb in BOXED.items()} if boxes else {})}  # fmt: skip
    async with world(folder, birth={"full_python": True, "dead_after": 6.0}) as it:
        workers = list(it.workers)
        thrown = {}
        for copy in range(copies):
            for name, (text, why, engine) in bombs.items():
                [(workspace, version)] = await it.flow(steps.code(text, engine, seconds=2, memory=64))
                thrown[await it.start(workspace, version, f"bomb-{name}-{copy}")] = (name, why)
        await it.load(runs, 0.1, pace=0.02, risky_share=0.0)
        most = 0
        while await it.ask("select from run where status in ('queued', 'running', 'waiting') limit 1"):
            most = max(most, *(resident(pid) for pid in workers))
        await it.quiet(60)
        it.note(f"threw {len(thrown)} bombs")
        await check(it)
        rows = {row["id"]: row for row in await it.ask("select id, status, error, crash_count, output from run")}
        for run, (name, why) in thrown.items():
            row = rows.pop(run)
            assert row["status"] == "failed" and row["error"], f"{name}: {row['status']}, {row['output']}"
            assert why in row["error"], f"{name}: {row['error']}"
        assert {row["status"] for row in rows.values()} == {"succeeded"}
        assert not await it.ask("select id from run where crash_count > 0"), "a worker lost its lease"
        assert it.workers == workers and all(map(running_process, workers)), "a worker died"
        assert most < MOST_RESIDENT, f"a worker and its children held {most >> 20} MB"
        left = [pid for worker in workers for pid in children(worker) if "bwrap" in command(pid)]
        assert not left, f"boxes were left behind: {left}"
        if not boxes:
            pytest.skip(f"Safe Python held; the box of full Python can't be tried here: {unavailable()}")


def children(pid: int) -> list[int]:
    """Of a process, and theirs."""
    found = []
    for folder in Path(f"/proc/{pid}/task").glob("*"):
        try:
            mine = [int(child) for child in (folder / "children").read_text().split()]
        except OSError:
            continue
        found += [each for child in mine for each in (child, *children(child))]
    return found


def resident(pid: int) -> int:
    """Bytes that a process and its children hold; what they share counts more than once."""
    total = 0
    for each in (pid, *children(pid)):
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue
    return total


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
