"""One step in a task of its own: its tries, its time limit, and what its function is given."""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from flows.calling import call
from flows.doubts import outcome
from flows.failing import TookTooLong
from flows.frame import PENDING, Frame
from flows.keeping import kept_or_made
from flows.outcomes import called_off, failed, returned
from flows.plan import Step
from flows.rounds import Rounds
from flows.running import Running
from flows.sdk.context import Context, Signal
from flows.sdk.values import Json


async def perform(
    run: Running, frame: Frame, step: Step, attempt: int, tries: int, signal: Signal | None, pause: float, asking: bool
) -> None:
    """Try until it succeeds, fails for good, waits, or is called off. Faults of the engine itself are raised."""
    ready: list[int] = []
    while True:
        if pause:
            if run.pausing:
                return
            await asyncio.sleep(pause)
            run.started(frame, step, attempt, signal)
        if run.journal is not None and (run.journal.owed or not (step.effect == "pure" or step.replayed)):
            await run.journal.flush()
        if run.watched:
            run.emit("step.started", frame, step, attempt=attempt)
        began = perf_counter()
        ctx = _context(run, frame, step, attempt, signal)
        try:
            out, kept = await _made(run, frame, step, ctx, asking)
        except asyncio.CancelledError:
            if frame.outs[step.index] is PENDING:
                called_off(run, frame, step, attempt, (perf_counter() - began) * 1000)
            raise
        except Exception as error:
            tries += 1
            again = failed(run, frame, step, tries, attempt, error, began, ready, ctx.usage)
            if again is None:
                break
            if run.journal is not None and (again > run.limits.hold or run.pausing):
                run.pauses.put_aside_for(frame, step, attempt, again)
                return
            attempt, pause, asking = attempt + 1, max(again, 1e-6), False
        else:
            returned(run, frame, step, ctx, out, began, ready, kept)
            break
    run.go(frame, ready)


async def _made(run: Running, frame: Frame, step: Step, ctx: Context, asking: bool) -> tuple[Any, bool]:
    """What the step gives, and whether that was kept from a run before."""
    if run.values.awaited:
        await run.values.bring(frame, step)
    making = outcome(step, frame, ctx, asking, _call)
    return await kept_or_made(step, frame, ctx, making) if step.keep else (await making, False)


async def _call(step: Step, frame: Frame, ctx: Context) -> Any:
    if step.timeout is None:
        return await step.fn(*step.prepare(frame.outs, frame.facts), ctx)
    try:
        async with asyncio.timeout(step.timeout) as limit:
            return await step.fn(*step.prepare(frame.outs, frame.facts), ctx)
    except TimeoutError:
        if limit.expired():
            raise TookTooLong(step) from None
        raise


def _context(run: Running, frame: Frame, step: Step, attempt: int, signal: Signal | None) -> Context:
    ctx = Context(frame.facts, frame.prefix + step.id, frame.iter, attempt, step.needs, signal, step.answer)
    if step.effect == "db" and run.journal is not None:
        ctx._acts = []
    if step.body is not None:
        ctx._body = Rounds(run, frame, step)
    if step.kind is not None and step.kind.subflow:

        async def flow(version_id: str, input: Mapping[str, Json]) -> Json:
            return await call(run, frame, step, version_id, input)

        ctx._flow = flow
    return ctx
