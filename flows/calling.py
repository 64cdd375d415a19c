"""A flow called by a step of another: part of the same run (rules 65 and 66)."""

import asyncio
from collections.abc import Mapping

import msgspec

from flows.frame import Frame
from flows.plan import Step
from flows.running import Running
from flows.sdk.context import RunFacts
from flows.sdk.errors import NodeError
from flows.sdk.logs import RunLog
from flows.sdk.values import Json


async def call(run: Running, frame: Frame, step: Step, version_id: str, input: Mapping[str, Json]) -> Json:
    """Same ledger, same limits; its steps stand under this step's path."""
    facts = frame.facts
    if facts.depth >= run.limits.depth:
        raise NodeError(f"Flows call each other more than {run.limits.depth} deep. Does one call itself?", field="flow")
    if run.flow_of is None:
        raise NodeError("Other flows can't be started from here. Run this flow on the server.", field="flow")
    try:
        plan = await run.flow_of(facts, version_id)
    except Exception as error:  # the host's own words: no such version, or it can't run here
        raise NodeError(f"The flow can't be run: {error}", field="flow") from error
    if run.journal is None and not plan.quick:
        raise NodeError(
            "The flow it calls may not run at once: it waits, or does what must not happen twice.", field="flow"
        )
    facts.log = facts.log or RunLog()
    inner_facts = RunFacts(
        facts.run_id,
        input,
        workspace_id=facts.workspace_id,
        flow_id=facts.flow_id,
        version_id=version_id,
        trigger="flow",
        deadline=facts.deadline,
        capabilities=facts.capabilities,
        emit=facts.emit,
        depth=facts.depth + 1,
        keeping=facts.keeping,
        afresh=facts.afresh,
        log=facts.log,
        vars=facts.vars,
    )
    inner = run.frame(plan, inner_facts, frame.iter, f"{frame.prefix}{step.id}/")
    over = asyncio.get_running_loop().create_future()

    def ended(_: Frame) -> None:
        if not over.done():  # called off at this moment: it is over already, and who waits for it holds the run
            run.hold()
            over.set_result(None)

    inner.on_end = ended
    run.inner[inner] = (frame, step)
    run.start(inner)
    run.release()
    try:
        await over
    except asyncio.CancelledError:
        if not over.done() or over.cancelled():
            run.hold()
        inner.on_end = None
        run.cancel(inner)
        raise
    finally:
        run.inner.pop(inner, None)
    if inner.fault is not None:
        raise NodeError(f"The flow it calls failed at step '{inner.fault.node}': {inner.fault.message}", field="flow")
    result = await run.values.whole(inner.result, "The result of the flow it calls can't be read")
    return msgspec.to_builtins(result)
