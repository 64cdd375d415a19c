"""A run as the editor shows it: states for the cards, bars for the timeline, values for the panel.

Reads the ledger's tables; an express run keeps its steps in run.steps, a durable one in node_exec.
"""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.web import Actor
from app.web.words import duration, money
from flows import catalogue
from flows.catalogue import Catalogue
from flows.express import StepRecord
from flows.ledger.protocol import Fault
from flows.model import Flow
from flows.sdk.capabilities import Usage

RUN = """
select r.id, r.status, r.steps::text as steps, r.cost_micros, r.prompt_tokens, r.completion_tokens,
    extract(epoch from coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at)) * 1000 as ms,
    coalesce(r.started_at, r.created_at) as began, v.document
from run r join flow_version v on v.id = r.version_id where r.id = $1
"""
STEPS = """
select node_id, iter_path, status, attempt, output::text as output, error::text as error,
    prompt_tokens, completion_tokens, cost_micros, extract(epoch from started_at - $2) * 1000 as began,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at) * 1000 as ms
from node_exec where run_id = $1 order by started_at nulls last, node_id, iter_path
"""
WORDS = {"started": "running", "backoff": "retrying"}
"""The ledger's words -> those of a card."""
_steps = msgspec.json.Decoder(list[StepRecord]).decode
_flow = msgspec.json.Decoder(Flow).decode


class State(Struct, frozen=True, omit_defaults=True):
    """A step's state for its card; runs.js reads it. `ms`, `cost`: of all its rounds together."""

    status: str
    ms: float | None = None
    cost: str = ""
    error: dict[str, str] | None = None

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
    """One step with its values, for the panel's tabs. Of a step with rounds: the last one."""

    status: str
    figures: str
    input: Any
    output: Any
    error: str


class _Step(Struct):
    node: str
    iter: str
    status: str
    attempt: int
    began: float
    ms: float
    output: Any
    fault: Fault | None
    usage: Usage | None


class _Run(Struct):
    id: UUID
    status: str
    ms: float
    cost_micros: int
    tokens: int
    flow: Flow
    steps: list[_Step]


async def ran(actor: Actor, run_id: UUID) -> Ran:
    """2 statements. Raises NotFound."""
    run = await _read(actor, run_id)
    kinds = catalogue.load()
    cost = money(run.cost_micros) if run.tokens or run.cost_micros else ""
    figures = " · ".join(part for part in (duration(run.ms), cost) if part)
    return Ran(run.id, run.status, figures, _states(run), [_bar(step, run, kinds) for step in run.steps])


async def ran_step(actor: Actor, run_id: UUID, node_id: str) -> RanStep | None:
    """2 statements; None when the run never came to this step. Raises NotFound."""
    run = await _read(actor, run_id)
    found = [step for step in run.steps if step.node == node_id]
    if not found:
        return None
    step = found[-1]
    tokens = f"{step.usage.prompt_tokens} + {step.usage.completion_tokens} tokens" if step.usage else ""
    tries = f"{step.attempt} tries" if step.attempt > 1 else ""
    rounds = f"{len(found)} rounds, the last one" if len(found) > 1 else ""
    parts = (rounds, duration(step.ms), _cost(step.usage), tokens, tries)
    figures = " · ".join(part for part in parts if part)
    return RanStep(step.status, figures, _inputs(run, node_id), step.output, step.fault.message if step.fault else "")


async def _read(actor: Actor, run_id: UUID) -> _Run:
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(RUN, run_id)
        if row is None:
            raise NotFound("This run does not exist.")
        rows = await tx.fetch(STEPS, run_id, row["began"])
    steps = [_durable(each) for each in rows]
    if row["steps"]:
        steps += [_express(each) for each in _steps(row["steps"])]
    tokens = row["prompt_tokens"] + row["completion_tokens"]
    steps.sort(key=lambda step: step.began)
    return _Run(
        row["id"], row["status"], float(row["ms"] or 0), row["cost_micros"], tokens, _flow(row["document"]), steps
    )


def _durable(row: Any) -> _Step:
    usage = Usage(row["prompt_tokens"], row["completion_tokens"], row["cost_micros"])
    return _Step(
        node=row["node_id"],
        iter=row["iter_path"],
        status=WORDS.get(row["status"], row["status"]),
        attempt=row["attempt"],
        began=float(row["began"] or 0),
        ms=float(row["ms"] or 0),
        output=_json(row["output"]),
        fault=msgspec.convert(_json(row["error"]), Fault, strict=False) if row["error"] else None,
        usage=usage if usage != Usage() else None,
    )


def _express(step: StepRecord) -> _Step:
    return _Step(
        step.node, step.iter, step.status, step.attempt, step.began, step.ms, step.output, step.fault, step.usage
    )


def _json(text: str | None) -> Any:
    return msgspec.json.decode(text) if text else None


def _cost(usage: Usage | None) -> str:
    return money(usage.cost_micros) if usage is not None else ""


def _states(run: _Run) -> dict[str, State]:
    states: dict[str, State] = {}
    for step in run.steps:
        before = states.get(step.node)
        ms = step.ms + (before.ms or 0 if before else 0)
        error = {"message": step.fault.message, "field": step.fault.field} if step.fault else None
        states[step.node] = State(step.status, ms if step.status != "skipped" else None, _cost(step.usage), error)
    return states


def _inputs(run: _Run, node_id: str) -> dict[str, Any]:
    """What came in along the wires, from what their sources gave: nothing is stored twice."""
    outputs = {step.node: step.output for step in run.steps if isinstance(step.output, dict)}
    found: dict[str, Any] = {}
    for edge in run.flow.edges:
        source, _, out = edge.source.partition(".")
        target, _, into = edge.target.partition(".")
        if target != node_id or source not in outputs:
            continue
        given = outputs[source]
        values = given.get("values")
        value = given[out] if out in given else values.get(out) if isinstance(values, dict) else None
        if value is not None:
            found[into] = value
    return found


def _bar(step: _Step, run: _Run, kinds: Catalogue) -> Bar:
    whole = max(run.ms, step.began + step.ms, 1)
    use = next((node for node in run.flow.nodes if node.id == step.node), None)
    kind = kinds.get(use.type) if use is not None else None
    title = (use.label if use is not None else "") or (kind.title if kind is not None else step.node)
    if step.iter:
        title += f", round {step.iter}"
    left = min(99.0, 100 * step.began / whole)
    return Bar(
        node=step.node,
        title=title,
        status=step.status,
        word=f"{title}: {step.status.replace('_', ' ')}, began after {duration(step.began)}",
        left=round(left, 2),
        width=round(max(0.6, min(100 - left, 100 * step.ms / whole)), 2) if step.status != "skipped" else 0.6,
        took=duration(step.ms) if step.status != "skipped" else "",
        cost=_cost(step.usage),
    )
