"""Full Python: a whole CPython in a box of its own, or a refusal that says why. Never something weaker."""

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from flows.host import bubble
from flows.host.sandbox import StepSandbox, code_problem
from flows.sdk import File, NodeError
from flows.sdk.testing import FakeFiles, context

boxes = pytest.mark.skipif(bool(bubble.unavailable()), reason=bubble.unavailable() or "there are boxes")


async def full(code, inputs=None, ctx=None, **limits):
    return await StepSandbox(ctx or context(), lambda: True).python(code, inputs or {}, engine="full", **limits)


@boxes
@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("a + 1", 8),
        ("if a > 3:\n    return [a, {'x': (1, 2)}]\nreturn 0", [7, {"x": [1, 2]}]),
        ("def squares():\n    yield from (n * n for n in range(3))\nlist(squares())", [0, 1, 4]),
        ("class A(dict): pass\nreturn A(x=1)", {"x": 1}),
        ("a = a * 2\nreturn a", 14),
        ("import sqlite3\nreturn sqlite3.connect(':memory:').execute('select 40 + 2').fetchone()[0]", 42),
        ("import tempfile\nwith tempfile.TemporaryFile() as f:\n    return f.write(b'abc')", 3),
        (
            "from concurrent.futures import ThreadPoolExecutor\nreturn list(ThreadPoolExecutor(4).map(abs, [-1, -2]))",
            [1, 2],
        ),
        ("b = 1", None),
    ],
)
async def test_it_is_all_of_python(code, result):
    assert (await full(code, {"a": 7})).value == result


@boxes
async def test_prints_errors_and_what_it_used():
    ctx = context()
    made = await full("print('one')\nimport sys\nprint('two', file=sys.stderr)", ctx=ctx)
    assert made.printed == "one\ntwo\n" and ctx.logged[:2] == ["one", "two"]
    assert made.cpu_ms > 0 and made.memory > 5_000_000
    with pytest.raises(NodeError, match="Line 2: there is no 'x'. .*The line is: a\\['x'\\] \\(a is an object with b"):
        await full("1\na['x']", {"a": {"b": 1}})
    with pytest.raises(NodeError, match="Line 1 can't be read"):
        await full("x = = 1")


@boxes
async def test_each_run_has_a_scratch_folder_of_its_own_that_is_small():
    await full("open('left', 'w').write('x')")
    assert (await full("import os\nreturn os.listdir()")).value == []
    with pytest.raises(NodeError, match="(No space left on device|File too large). The scratch folder holds 64 MB"):
        await full(
            "for i in range(100):\n    with open(str(i), 'wb') as f:\n        f.write(b'x' * 2 ** 20)",
            seconds=20,
            memory=2**27,
        )


@boxes
async def test_files_that_came_in_are_read_by_name_and_no_others():
    files = FakeFiles()
    order = await files.write("order.pdf", b"%PDF-1", "application/pdf")
    await files.write("secret.pdf", b"secret", "application/pdf")
    ctx = context(files=files)
    inputs = {"order": order, "more": [order]}
    assert (await full("return files.read(order['name']).decode()", inputs, ctx)).value == "%PDF-1"
    for name in ("secret.pdf", "file-2", "../order.pdf"):
        with pytest.raises(NodeError, match="There is no file"):
            await full(f"files.read({name!r})", inputs, ctx)
    with pytest.raises(NodeError, match="was not asked for"):
        await full("files.read('order.pdf')", {}, ctx)
    assert isinstance(order, File)


def processes(box):
    """Ids of all processes below one."""
    found, todo = [], [box]
    while todo:
        pid = todo.pop()
        for line in subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
        ).stdout.split():
            found.append(int(line))
            todo.append(int(line))
    return found


@boxes
@pytest.mark.parametrize("how", ["time", "cancel"])
async def test_its_whole_tree_ends_with_it(how):
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nwhile True: pass"
    before = set(processes(os.getpid()))
    task = asyncio.create_task(full(code, seconds=0.6 if how == "time" else 30))
    deadline = time.monotonic() + 10
    while len(inside := set(processes(os.getpid())) - before) < 3 and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert len(inside) >= 3, "bubblewrap, its first process, Python"
    if how == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with pytest.raises(NodeError, match="longer than its limit"):
            await task
    while any(alive(pid) for pid in inside):
        assert time.monotonic() < deadline, "something outlived its step"
        await asyncio.sleep(0.02)


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("bwrap", "bubblewrap, which is not installed here"),
        ("system", "needs Linux"),
        ("userns", "allow user namespaces"),
    ],
)
async def test_where_there_are_no_boxes_it_is_refused_with_the_reason(what, says, monkeypatch, tmp_path):
    if what == "bwrap":
        monkeypatch.setattr(bubble, "_bwrap", lambda: None)
    elif what == "system":
        monkeypatch.setattr(bubble.sys, "platform", "darwin")
    else:
        refusing = tmp_path / "bwrap"
        refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
        refusing.chmod(0o755)
        monkeypatch.setattr(bubble, "_bwrap", lambda: str(refusing))
    bubble.unavailable.cache_clear()
    try:
        with pytest.raises(NodeError, match=says) as refused:
            await full("1")
        assert refused.value.field == "engine"
    finally:
        bubble.unavailable.cache_clear()


async def test_it_is_off_until_the_operator_allows_it():
    with pytest.raises(NodeError, match="AGENTBASE_FULL_PYTHON=on"):
        await StepSandbox(context(), lambda: False).python("1", {}, engine="full")


def test_what_full_python_can_read_is_no_problem_in_the_editor():
    assert code_problem("def f():\n    yield 1", "full") == "" and "yield" in code_problem("def f():\n    yield 1")
    assert "Line 2 can't be read" in code_problem("x = 1\ny = = 2", "full")
    assert code_problem("(" * 5000, "full")
