"""Whole flows as plainly as they can be written: one step after the other, as values; no engine.

A `Whole` has parts whose wires only lead forward. Beside skips and failures it knows what the other two references do
not: called flows and rounds of them, waits, tries, variables, kept results, an early answer, steps to be undone.
Compared with the engine by test_whole_flows.py.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

Key = tuple[str, str]
"""Path and round of a step, as on record."""
Status = Literal["succeeded", "failed", "skipped"]
Source = tuple[int, str]
"""Number of an earlier part, and its port."""


class Part(Struct):
    """`inner`: the flow it calls; with "each" one call for each round. "in" gives what the flow was called with.

    `waits`, `tries` (how often it fails before it succeeds) and `keeps` change nothing about what comes out.
    """

    kind: Literal["in", "step", "call", "each"] = "step"
    x: Source | None = None
    m: list[Source] = []
    way: bool = True
    fails: bool = False
    on_error: str = "continue"
    disabled: bool = False
    variable: str = ""
    waits: bool = False
    tries: int = 0
    keeps: bool = False
    inner: "Whole | None" = None
    rounds: int = 0
    at_once: int = 1
    policy: str = "skip"


class Whole(Struct):
    """`undone`, `answers`: parts whose text is wired into an Undo step, and into the answer. `number`: its version."""

    parts: list[Part]
    undone: list[int] = []
    answers: int | None = None
    number: int = 0


class Played(Struct):
    """What has to come out. `stops`: it fails. `loose`: beginnings of paths whose steps depend on who was faster."""

    status: dict[Key, Status] = field(default_factory=dict)
    outs: list[dict[str, str]] = field(default_factory=list)
    stops: bool = False
    answer: str | None = None
    undos: set[Key] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)


def text_of(name: str, x: str | None, m: list[str], said: str) -> str:
    return f"{name}({x or '-'};{'+'.join(m)};{said})"


def play(whole: Whole, given: str, vars: Mapping[str, str], prefix: str = "", iter: str = "") -> Played:
    played = Played()
    for i, part in enumerate(whole.parts):
        x = played.outs[part.x[0]].get(part.x[1]) if part.x else None
        m = [value for source, port in part.m if (value := played.outs[source].get(port)) is not None]
        silent = bool(part.x or part.m) and x is None and not m
        path = f"{prefix}n{i}"
        if part.kind == "each":
            played.status[f"{path}l", iter] = "skipped" if silent else "succeeded"
        if silent or part.disabled:
            played.status[path, iter], out = "skipped", {}
        else:
            made = _made(whole, i, given, vars, (x, m), played, path, iter)
            played.status[path, iter] = "failed" if made is None else "succeeded"
            played.stops |= made is None and part.on_error == "stop"
            out = made or ({"text": "default"} if part.on_error == "default" else {})
        if part.kind == "each":
            played.status[f"{path}t", iter] = "succeeded" if out else "skipped"
        played.outs.append(out)
    played.undos |= {(f"{prefix}u{i}", iter) for i in whole.undone if "text" in played.outs[i]}
    if whole.answers is not None:
        played.answer = played.outs[whole.answers].get("text")
    return played


def _made(
    whole: Whole, i: int, given: str, vars: Mapping[str, str], came: tuple[str | None, list[str]], played: Played,
    path: str, iter: str,
) -> dict[str, str] | None:  # fmt: skip
    """The outputs of a part that runs; None when it fails."""
    part, (x, m) = whole.parts[i], came
    if part.kind == "in":
        return {"text": given}
    if part.kind == "call":
        result = _called(part, "-" if x is None else x, vars, played, path, iter)
        return None if result is None else {"text": result}
    if part.kind == "each":
        return _rounds(part, "-" if x is None else x, vars, played, path, iter)
    if part.fails or (part.variable and part.variable not in vars):
        return None
    text = text_of(f"f{whole.number}.{i}", x, m, vars.get(part.variable, ""))
    return {"text": text, "yes" if part.way else "no": text}


def _called(part: Part, x: str, vars: Mapping[str, str], played: Played, path: str, iter: str) -> str | None:
    """The text of the flow it calls; None when that fails. A flow without an answer gives an empty text."""
    assert part.inner is not None
    inner = play(part.inner, x, vars, f"{path}/", iter)
    played.status |= inner.status
    played.undos |= inner.undos
    played.loose |= inner.loose | ({f"{path}/"} if inner.stops else set())
    return None if inner.stops else inner.answer or ""


def _rounds(part: Part, x: str, vars: Mapping[str, str], played: Played, path: str, iter: str) -> dict[str, str] | None:
    results, failed = [], False
    for number in range(part.rounds):
        here = f"{iter}.{number}" if iter else str(number)
        text = _called(part, f"{x}.{number}", vars, played, f"{path}b", here)
        played.status[f"{path}b", here] = "failed" if text is None else "succeeded"
        failed |= text is None
        if text is not None or part.policy == "collect":
            results.append("(error)" if text is None else text)
    if failed and part.policy == "fail":
        played.loose.add(f"{path}b")
        return None
    return {"text": "|".join(results)}
