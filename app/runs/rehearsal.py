"""A run whose steps at the boundary (models, addresses, people, the clock, other flows) give recorded answers.

Everything between them is done for real: texts are filled in, branches taken, data worked on. Such a run asks nobody,
costs nothing and waits for nothing, so it ends at once in this process whatever lane the flow belongs to. It is
recorded as a draft run started by "test": it counts nowhere.
"""

import copy
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock
from app.errors import NotFound, Refused
from app.runs import express
from app.runs.ids import uuid7
from app.runs.outcome import Outcome
from app.runs.running import CAPABILITIES, Ready, host
from app.runs.shapes import RunView
from app.runs.upstream import Upstream
from flows import catalogue
from flows.compile import compile
from flows.express import Record, run_express
from flows.model import Flow, NodeUse
from flows.plan import EXPRESS, Plan, Step
from flows.problems import Problems
from flows.sdk.context import Context, RunFacts
from flows.sdk.errors import NodeError

TEST = "test"
"""`run.trigger` of such runs."""
PATIENCE = 60.0
"""Seconds one of them may take: a step without a recorded answer asks for real."""
OUTSIDE = frozenset({"llm", "http", "files"})
"""Capabilities that reach outside the run; code in the sandbox does not."""


class Answer(Struct, frozen=True, omit_defaults=True):
    """What a step gave in the recorded run: its outputs as plain JSON, or the sentence it failed with.

    `iter`: the round, "" outside of containers. `settings`: hash of the step's settings at that time (`digest`).
    `before`: hash of all that came before it in the flow (upstream.py), "" in records of old.
    """

    node: str
    iter: str = ""
    output: Any = None
    error: str = ""
    settings: str = ""
    before: str = ""


def digest(use: NodeUse) -> str:
    """16 hex characters that change when what the step does changes; its place and name do not count."""
    text = msgspec.json.encode([use.type, use.version, use.settings], order="sorted")
    return blake2b(text, digest_size=8).hexdigest()


def at_the_boundary(use: NodeUse) -> bool:
    """Whether a run of a test takes a recorded answer for this step. False for steps nobody knows."""
    kind = catalogue.load().get(use.type)
    if kind is None or kind.container or kind.undo or kind.ends or kind.trigger or use.disabled:
        return False
    return bool(OUTSIDE & set(kind.needs)) or kind.effect != "pure" or kind.waits or kind.subflow


def recorded(run: RunView, flow: Flow) -> list[Answer]:
    """The answers of a run, in the order of its steps. `flow`: the document it ran. Secrets are left out."""
    uses, upstream = {use.id: use for use in flow.nodes}, Upstream(flow)
    found = []
    for step in run.steps:
        use = uses.get(step.node)
        if use is None or not at_the_boundary(use):
            continue
        given = step.output if step.status == "succeeded" else None
        if step.status == "failed" or given is not None:
            said = step.error if step.status == "failed" else ""
            found.append(Answer(step.node, step.iter, given, said, digest(use), upstream.hash_of(use.id)))
    return found


def staged(flow: Flow, answers: Iterable[Answer]) -> Plan:
    """The flow's plan with these answers in the place of the steps' work.

    Raises Refused when the flow can't run, or would still wait for somebody or do what must not be done for a test.
    """
    plan = compile(flow, catalogue.load())
    if isinstance(plan, Problems):
        raise Refused(f"The flow can't run: {plan}", remedy="Repair it, then test again.", code="not_ready")
    given: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        given.setdefault(answer.node, {})[answer.iter] = answer
    for step in plan.all_steps():
        if step.kind is not None and step.id in given and not step.kind.container:
            _play(step, given[step.id])
    made = Plan(plan.steps, plan.indegree, plan.result_links, plan.name)
    made.hash = plan.hash
    if not made.quick:
        name = next((step.label or step.id for step in made.all_steps() if _holds_up(step)), flow.name)
        raise Refused(
            f"Step '{name}' has no recorded answer, and a test may not do it for real: it waits or acts for good.",
            remedy="Save a run that went through this step as the test.",
            code="not_recorded",
        )
    return made


def _holds_up(step: Step) -> bool:
    kind = step.kind
    if kind is None:
        return False
    return kind.waits or kind.undo or kind.early or not (kind.subflow or step.effect in EXPRESS)


def _play(step: Step, answers: dict[str, Answer]) -> None:
    kind = copy.copy(step.kind)
    if kind is None:
        return
    kind.waits = kind.subflow = kind.early = False
    outputs, label = step.outputs, step.label

    async def play(_settings: Any, _inputs: Any, ctx: Context) -> Any:
        answer = answers.get(ctx.iter)
        if answer is None:
            where = f" for round {ctx.iter}" if ctx.iter else ""
            raise NodeError(f"No answer of step '{label}' is recorded{where}. Save a newer run as the test.")
        if answer.error:
            raise NodeError(answer.error)
        try:
            return msgspec.convert(answer.output, outputs)
        except msgspec.ValidationError as misfit:
            raise NodeError(
                f"The recorded answer of step '{label}' does not fit any more ({misfit}). Save a newer run as the test."
            ) from None

    step.kind, step.fn, step.needs, step.effect = kind, play, (), "pure"
    step.inline = step.replayed = False


async def rehearse(
    workspace_id: UUID,
    version_id: UUID,
    document: Flow,
    input: Any,
    answers: Sequence[Answer],
    *,
    trigger: str,
    by: UUID | None = None,
    patience: float = PATIENCE,
) -> Outcome:
    """Run a version once and record it. `document`: the version's. `trigger`: what started the recorded run.

    Raises NotFound for a version of somebody else, and Refused as `staged` does.
    """
    ready = await host().ready(version_id)
    if ready.workspace_id != workspace_id:
        raise NotFound("This version of the flow does not exist.")
    there = Ready(
        staged(document, answers), workspace_id, ready.flow_id, version_id, names=ready.names,
        environment_id=ready.environment_id,
    )  # fmt: skip
    request = await express.knowing(express.Request(there, input, TEST, by, draft=True))
    run_id = uuid7()
    facts = RunFacts(
        str(run_id),
        workspace_id=ready.names[0],
        flow_id=ready.names[1],
        version_id=ready.names[2],
        trigger=trigger,
        deadline=clock.epoch() + patience,
        capabilities=CAPABILITIES,
        vars=request.variables.vars if request.variables is not None else None,
    )
    record = await run_express(there.plan, input, context=facts, flow_of=host().plan_of)
    return (await express.commit(host(), request, run_id, record)).outcome()


async def rehearse_here(document: Flow, input: Any, answers: Sequence[Answer], *, trigger: str) -> Record:
    """The same without a database: nothing is kept, and no workspace takes part. Raises Refused as `staged` does."""
    facts = RunFacts("test", trigger=trigger, deadline=clock.epoch() + PATIENCE, capabilities=CAPABILITIES)
    return await run_express(staged(document, answers), input, context=facts)
