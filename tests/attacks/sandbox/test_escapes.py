"""The corpus against both engines: nothing is read, written or reached, and who ran it lives on.

C-11 of the threat list: sandboxes fall, so it is also tried what code could do that owns its process: the full engine
has ctypes and raw system calls.
"""

import re

import pytest

from flows.host import bubble
from flows.host.sandbox import StepSandbox, code_problem
from flows.sdk.errors import NodeError
from flows.sdk.testing import context
from tests.attacks.sandbox.corpus import BASES, CLASSES, NAMES

ALL = [pytest.param(code, id=f"{name}-{i}") for name, codes in CLASSES.items() for i, code in enumerate(codes)]
SOME = [
    pytest.param(code, id=f"{name}-{i}")
    for name, codes in CLASSES.items()
    for i, code in enumerate(codes)
    if name not in ("walk", "format") or i % 17 == 0
]
LIMIT = 0.25


async def attempt(code, bait, engine):
    """What came of it: the result, or the sentence that is shown instead, and all that was logged."""
    ctx = context()
    try:
        made = await StepSandbox(ctx, lambda: True).python(
            code, bait.inputs, engine=engine, seconds=LIMIT, memory=32 * 1024 * 1024
        )
    except NodeError as error:
        return error.message, ctx.logged
    return made.value, made.printed, ctx.logged


@pytest.mark.parametrize("code", ALL)
async def test_safe_python_reaches_nothing(code, bait):
    bait.untouched(await attempt(code, bait, "safe"))
    assert (await attempt("return 1 + 1", bait, "safe"))[0] == 2


@pytest.mark.skipif(bool(bubble.unavailable()), reason=bubble.unavailable() or "bubblewrap is there")
@pytest.mark.parametrize("code", SOME)
async def test_full_python_reaches_nothing(code, bait):
    said = await attempt(code, bait, "full")
    bait.untouched(said)
    assert len(repr(said)) < 5_000_000


@pytest.mark.parametrize("name", ["__globals__", "__code__", "__subclasses__", "__builtins__", "__self__", "gi_frame"])
@pytest.mark.parametrize("base", BASES)
async def test_safe_python_has_no_such_attribute(base, name, bait):
    said = await attempt(f"return {base}.{name}", bait, "safe")
    assert isinstance(said[0], str) and re.match("Line 1: |Result|The result", said[0]), said


@pytest.mark.parametrize("code", [code for codes in CLASSES.values() for code in codes])
def test_looking_at_it_runs_nothing(code, bait):
    """C-01: what only reads code must not run it. Every case also as a default value, a decorator and a class body."""
    body = "\n    ".join(code.splitlines())
    code_problem(code)
    code_problem(f"@(lambda f: open(path))\ndef f(a=open(path).read()):\n    {body}")
    code_problem(code, "full")
    bait.untouched("")


def test_the_corpus_is_as_large_as_promised():
    assert sum(map(len, CLASSES.values())) > 600 and len(BASES) * len(NAMES) > 300
