"""A run as the editor shows it: states for the cards, bars for the timeline, values for the panel."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app.runs import queries as runs
from app.runs.queries import RunView
from app.web import Actor
from app.web.words import duration, money


class State(Struct, frozen=True, omit_defaults=True):
    """A step's state for its card; runs.js reads it. `ms`, `cost`, `micros` (of a dollar), `tokens`: of all its rounds.

    `place`: "step:round" before which the run pauses; then `status` is "paused" whatever its other rounds did.
    """

    status: str
    ms: float | None = None
    cost: str = ""
    error: dict[str, str] | None = None
    place: str = ""
    micros: int = 0
    tokens: int = 0

    @property
    def figures(self) -> str:
        return " · ".join(part for part in (duration(self.ms), self.cost) if part)


class Bar(Struct, frozen=True):
    """One line of the timeline. `left` and `width` in hundredths of the run's whole time."""

    node: str
    title: str
    status: str
    word: str
    left: float
    width: float
    took: str
    cost: str


class Ran(Struct, frozen=True):
    id: UUID
    status: str
    figures: str
    states: dict[str, State]
    steps: list[Bar]


class RanStep(Struct, frozen=True):
    """One step with its values, for the panel's tabs. Of a step with rounds: the last one.

    `tries`: number, state and error of each try that failed. `logs`: what the step said (reading.LogView). `remedy`:
    what leads on from its error.
    """

    status: str
    figures: str
    input: Any
    output: Any
    error: str
    key: str = ""
    logs: list[Any] = field(default_factory=list)
    tries: list[tuple[int, str, str]] = field(default_factory=list)
    remedy: runs.Remedy | None = None

    @property
    def gave(self) -> str:
        """Its output as JSON to edit."""
        return _indented(self.output if self.output is not None else {})


def _indented(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


async def ran(actor: Actor, run_id: UUID) -> Ran:
    """The statements of `runs.run`. Raises NotFound."""
    return ran_of(await runs.run(actor, run_id))


def ran_of(run: RunView) -> Ran:
    used = run.prompt_tokens + run.completion_tokens + run.cost_micros
    figures = " · ".join(part for part in (duration(run.ms), _cost(used, run.cost_micros)) if part)
    return Ran(run.id, run.state, figures, _states(run), _bars(run))


async def ran_step(actor: Actor, run_id: UUID, node_id: str) -> RanStep | None:
    """The statements of `runs.run`; None when the run never came to this step. Raises NotFound.

    Of a step with rounds the last one, or the one before which the run pauses.
    """
    run = await runs.run(actor, run_id)
    found = [step for step in run.steps if step.node == node_id]
    if not found:
        return None
    step = next((each for each in found if each.paused), found[-1])
    parts = (
        _rounds(len(found), waits=step.paused) if len(found) > 1 else "",
        duration(step.ms),
        _cost(step.tokens + step.cost_micros, step.cost_micros),
        f"{step.prompt_tokens} + {step.completion_tokens} tokens" if step.tokens else "",
        f"{step.attempt} {'try' if step.attempt == 1 else 'tries'}" if step.attempt > 1 else "",
    )
    figures = " · ".join(part for part in parts if part)
    failed = [(each.attempt, each.status, each.error) for each in step.attempts if each.error]
    way = run.remedy_of(step) if step.error else None
    return RanStep(step.status, figures, step.inputs, step.output, step.error, step.key, step.logs, failed, way)


def _rounds(number: int, *, waits: bool) -> str:
    if waits:
        return f"{number} {'round' if number == 1 else 'rounds'}, the one that waits"
    return f"{number} {'round' if number == 1 else 'rounds'}, the last one"


def _cost(used: int, micros: int) -> str:
    """ "free" only for what used a model; a step without one shows no price at all."""
    return money(micros) if used else ""


def _states(run: RunView) -> dict[str, State]:
    states: dict[str, State] = {}
    for step in run.steps:
        before = states.get(step.node)
        ms = step.ms + (before.ms or 0 if before else 0)
        error = _error(run, step) if step.error else None
        micros = step.cost_micros + (before.micros if before else 0)
        tokens = step.tokens + (before.tokens if before else 0)
        cost = _cost(tokens + micros, micros)
        if before is not None and before.place:
            continue
        place = step.key if step.paused else ""
        idle = step.status in ("skipped", "paused")
        states[step.node] = State(step.status, None if idle else ms, cost, error, place, micros, tokens)
    return states


def _error(run: RunView, step: runs.StepView) -> dict[str, str]:
    """What the strip under its card says; `href` is "" where the way on is inside the editor."""
    way = run.remedy_of(step)
    href = "" if way.node else way.href
    return {"message": step.error, "field": way.field or step.error_field, "label": way.label, "href": href}


def _bars(run: RunView) -> list[Bar]:
    whole = max([run.ms, 1.0, *(step.began + step.ms for step in run.steps)])
    bars = []
    for step in run.steps:
        title = f"{step.title}, round {step.iter}" if step.iter else step.title
        idle = step.status in ("skipped", "paused")
        left = min(99.0, 100 * step.began / whole)
        bars.append(
            Bar(
                node=step.node.partition("/")[0],
                title=title,
                status=step.status,
                word=f"{title}: {step.status.replace('_', ' ')}, began after {duration(step.began)}",
                left=round(left, 2),
                width=0.6 if idle else round(max(0.6, min(100 - left, 100 * step.ms / whole)), 2),
                took="" if idle else duration(step.ms),
                cost=_cost(step.tokens + step.cost_micros, step.cost_micros),
            )
        )
    return bars
