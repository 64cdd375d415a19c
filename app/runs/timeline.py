"""The timeline of a run: one line per step in the order of the outline, bars in percent of the whole time. Pure."""

from math import ceil, log10
from typing import Literal

from msgspec import Struct, field

from app.runs.shapes import RunView, StepView
from app.web.words import duration
from flows.model import Flow

Kind = Literal["done", "running", "waiting", "retried", "failed", "doubt", "skipped"]
KINDS: dict[str, Kind] = {
    "succeeded": "done",
    "running": "running",
    "retrying": "retried",
    "failed": "failed",
    "in_doubt": "doubt",
    "skipped": "skipped",
    "cancelled": "skipped",
}
"""A step's status → how its bar looks; what is not here waits."""
WORST = ("waiting", "in_doubt", "failed", "running", "retrying", "queued", "sleeping", "cancelled", "succeeded")
"""Of several rounds in one line: the first of these that one of them is in."""
LEAST = 0.35
"""Percent: a bar is never thinner than this, or nobody would find it."""
MOST_LINES = 400
MOST_BARS = 60
"""In one line; rounds beyond it are drawn as one bar."""


class Bar(Struct, frozen=True):
    kind: Kind
    x: float
    width: float


class Tick(Struct, frozen=True):
    x: float
    word: str


class Line(Struct, frozen=True):
    """One step, or all rounds of one. `key`: the step a click shows. `failed`: rounds of it that failed."""

    key: str
    title: str
    icon: str
    family: str
    depth: int
    status: str
    words: str
    ms: float
    cost_micros: int
    used: bool
    rounds: int = 0
    failed: int = 0
    retries: int = 0
    taken_over: bool = False
    kept: bool = False
    keys: list[str] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)


class Timeline(Struct, frozen=True):
    """`whole`: milliseconds from edge to edge. `hidden`: lines there was no room for."""

    lines: list[Line]
    ticks: list[Tick]
    whole: float
    hidden: int = 0


def timeline(run: RunView, flow: Flow) -> Timeline:
    """Lines of what ran, then of the steps that were not reached before the run ended."""
    whole = max([run.ms, 1.0, *(step.began + step.ms for step in run.steps if not step.taken_over)])
    groups: dict[str, list[StepView]] = {}
    for step in run.steps:
        groups.setdefault(step.node, []).append(step)
    parents = {use.id: use.parent for use in flow.nodes}
    lines = [_line(groups[node], depth, whole) for node, depth in _outline(groups, parents)]
    return Timeline(lines[:MOST_LINES], ticks(whole), whole, max(0, len(lines) - MOST_LINES))


def ticks(whole: float) -> list[Tick]:
    """Four to eight moments at round times: 0 s, 1 s, 2 s …"""
    rough = whole / 6
    ten = 10.0 ** (ceil(log10(rough)) - 1) if rough > 0 else 1.0
    if whole > 60_000:  # minutes and hours are not decimal
        units = (15_000, 30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000, 14_400_000, 43_200_000, 86_400_000)
        pace = float(next((unit for unit in units if whole / unit <= 8), 86_400_000 * ceil(whole / 86_400_000 / 7)))
    else:
        pace = next(ten * times for times in (1, 2, 5, 10) if whole / (ten * times) <= 8)
    at = [pace * n for n in range(int(whole / pace) + 1)]
    return [Tick(round(100 * each / whole, 3), _word(each, pace)) for each in at if each <= whole * 0.97]


def _word(ms: float, pace: float) -> str:
    if ms == 0:
        return "0"
    if pace >= 1000 and ms < 60_000:
        return f"{ms / 1000:g} s"
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s" if ms < 60_000 else duration(ms)


def _outline(groups: dict[str, list[StepView]], parents: dict[str, str]) -> list[tuple[str, int]]:
    """(step, depth) in the order they began, what lies in a container or another flow right under it."""
    inside: dict[str, list[str]] = {}
    for node in groups:
        inside.setdefault(_around(node, groups, parents), []).append(node)
    ordered: list[tuple[str, int]] = []

    def place(around: str, depth: int) -> None:
        for node in sorted(inside.get(around, ()), key=lambda each: min(step.began for step in groups[each])):
            ordered.append((node, depth))
            place(node, depth + 1)

    place("", 0)
    return ordered


def _around(node: str, groups: dict[str, list[StepView]], parents: dict[str, str]) -> str:
    around = node.rpartition("/")[0] or parents.get(node, "")
    return around if around in groups and around != node else ""


def _line(steps: list[StepView], depth: int, whole: float) -> Line:
    first = steps[0]
    many = len(steps) > 1 or bool(first.iter)
    states = {step.status for step in steps}
    status = next((each for each in WORST if each in states), first.status)
    shown = next((step for step in steps if step.status == status), first)
    began = min(step.began for step in steps)
    spent = max(step.began + step.ms for step in steps) - began if many else first.ms
    failed = sum(step.status == "failed" for step in steps) if many else 0
    retries = sum(max(0, step.attempt - 1) for step in steps if not step.taken_over)
    taken = all(step.taken_over for step in steps)
    said = f"{first.title}: {status.replace('_', ' ')}, began after {duration(began)}, for {duration(spent)}"
    return Line(
        key=shown.key,
        title=first.title,
        icon=first.icon,
        family=first.family,
        depth=depth,
        status=status,
        words=said + (f", {len(steps)} rounds" if many else ""),
        ms=spent,
        cost_micros=sum(step.cost_micros for step in steps),
        used=any(step.tokens or step.cost_micros for step in steps),
        rounds=len(steps) if many else 0,
        failed=failed,
        retries=retries,
        taken_over=taken,
        kept=all(step.kept for step in steps),
        keys=[step.key for step in steps],
        bars=[] if taken else _bars(steps, whole),
    )


def _bars(steps: list[StepView], whole: float) -> list[Bar]:
    if len(steps) > MOST_BARS:
        began = min(step.began for step in steps)
        end = max(step.began + step.ms for step in steps)
        return [_bar("failed" if any(s.status == "failed" for s in steps) else "done", began, end - began, whole)]
    return [bar for step in steps for bar in _bars_of(step, whole)]


def _bars_of(step: StepView, whole: float) -> list[Bar]:
    kind = KINDS.get(step.status, "waiting")
    if step.status in ("skipped", "queued") or step.taken_over:
        return []
    if len(step.attempts) < 2:
        return [_bar(kind, step.began, step.ms, whole)]
    bars: list[Bar] = []
    end = step.attempts[0].began
    for nth, attempt in enumerate(step.attempts):
        if attempt.began > end:
            bars.append(_bar("waiting", end, attempt.began - end, whole))
        last = nth == len(step.attempts) - 1
        bars.append(_bar(kind if last else "retried", attempt.began, attempt.ms, whole))
        end = attempt.began + attempt.ms
    return bars


def _bar(kind: Kind, began: float, ms: float, whole: float) -> Bar:
    x = min(100 - LEAST, 100 * began / whole)
    return Bar(kind, round(x, 3), round(max(LEAST, min(100 - x, 100 * ms / whole)), 3))
