"""Outcomes that nobody knows: what is asked, who is asked, and when a person has to say (rules 25 and 63).

A step that must not happen twice and was interrupted in the middle (its worker died, its time was up, its component met
an error it does not handle) may have happened or not. Guessing would do it twice or not at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from flows.failing import TookTooLong
from flows.frame import Frame
from flows.ledger.protocol import Fault
from flows.plan import Step
from flows.sdk.context import Context
from flows.sdk.errors import NodeError

if TYPE_CHECKING:
    from flows.running import Running

ASKING = 30.0
"""Seconds a probe may take."""

ONCE = frozenset({"at_most_once", "probe"})


class NotKnown(Exception):
    """The probe could not say whether it happened."""


class DidNotHappen(NodeError):
    """A try that looked uncertain surely did nothing: it may be repeated like any other failure that may pass."""

    def __init__(self, error: Exception) -> None:
        reason = error.message if isinstance(error, NodeError) else f"{error} ({type(error).__name__})"
        super().__init__(f"{reason} It surely did not take effect.", retry=True)


def unknown(step: Step, error: BaseException) -> bool:
    """Whether `error` leaves open what the step did. A NodeError is the component's own word that it did nothing."""
    return step.effect in ONCE and (isinstance(error, TookTooLong) or not isinstance(error, NodeError))


def can_ask(step: Step) -> bool:
    return step.effect == "probe" and step.kind is not None and step.kind.probe is not None


async def outcome(
    step: Step, frame: Frame, ctx: Context, asking: bool, call: Callable[[Step, Frame, Context], Awaitable[Any]]
) -> Any:
    """What the step gave. `asking`: a try before this one was interrupted, so its probe is asked first.

    Raises what the component raises; where its probe says that nothing happened, DidNotHappen; where not even that can
    be said, NotKnown.
    """
    if asking and (out := await _ask(step, frame, ctx)) is not None:
        return out
    try:
        return await call(step, frame, ctx)
    except Exception as error:
        if not (can_ask(step) and unknown(step, error)):
            raise
        out = await _ask(step, frame, ctx)
        if out is None:
            raise DidNotHappen(error) from error
        return out


async def _ask(step: Step, frame: Frame, ctx: Context) -> Any:
    if step.kind is None or step.kind.probe is None:
        raise NotKnown("There is nobody to ask.")
    try:
        async with asyncio.timeout(ASKING):
            return await step.kind.probe(*step.prepare(frame.outs, frame.facts), ctx)
    except Exception as error:
        raise NotKnown(f"It could not be found out whether it happened: {error}") from error


def sentence(node: str) -> str:
    return f"Step '{node}' was interrupted, and nobody knows whether it took effect. Say whether it happened."


def doubt(run: "Running", frame: Frame, step: Step, attempt: int, ms: float, why: str = "") -> None:
    """The run stops here until somebody has decided. What runs beside it is called off, like after a failure."""
    path = frame.prefix + step.id
    fault = Fault(sentence(path) + (f" {why}" if why else ""), "", path, frame.iter, "InDoubt")
    run.write(frame, step, "in_doubt", attempt, fault=fault, ms=ms)
    if run.ending is None:
        run.fault = fault
        run.end("in_doubt")
