"""The shortest way through a plan that can only go one way: no step suspends, no wire is ever silent.

Then nothing has to be counted, skipped, awaited or called off: the order is known when the flow is compiled, and a run
is a loop over it. At the first thing out of the ordinary (a step fails, or gives something else than it promised) the
run goes on in flows/running.py from where it is: no step is called twice.
"""

from sys import getrefcount
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flows.done import Done
from flows.frame import PENDING
from flows.outcomes import inline_failed, returned
from flows.plan import Plan, Step
from flows.sdk.context import Context, RunFacts

if TYPE_CHECKING:
    from flows.running import Running


def _alone() -> int:
    thing = object()
    return getrefcount(thing)


ALONE = _alone()
"""References to an object that one variable holds, as this Python counts them."""


class Passed(Struct, frozen=True):
    """What a step gave. Times by perf_counter."""

    step: Step
    began: float
    ended: float
    out: Any


class Trouble(Struct, frozen=True):
    """The step at which the straight way ends: what it raised, or the `out` that it should not have given."""

    step: Step
    ctx: Context
    began: float
    out: Any
    error: Exception | None


class Walk(Struct, frozen=True):
    passed: list[Passed]
    result: Any
    trouble: Trouble | None = None


def straight(plan: Plan) -> tuple[Step, ...]:
    """The steps in the order in which flows/running.py would run them; () for a plan that may go several ways."""
    starts = [step for step in plan.steps if step.kind is not None and step.kind.trigger]
    if len(starts) > 1 or not all(_plain(step) for step in plan.steps):
        return ()
    pending = list(plan.indegree)
    order = list(plan.roots)
    for i in order:
        for j in plan.steps[i].succ or ():
            pending[j] -= 1
            if pending[j] == 0:
                order.append(j)
    return tuple(plan.steps[i] for i in order)


def _plain(step: Step) -> bool:
    special = step.need or step.settled or step.disabled or step.needs
    return step.kind is not None and step.inline and step.succ is not None and not special


def walk(plan: Plan, facts: RunFacts) -> Walk:
    outs: list[Any] = [PENDING] * len(plan.steps)
    passed: list[Passed] = []
    result = None
    began = perf_counter()
    ctx = Context(facts, "")
    for step in plan.straight:
        if getrefcount(ctx) == ALONE:
            ctx.node_id = step.id  # nobody has kept it: one for all steps instead of one for each
        else:
            ctx = Context(facts, step.id)
        out: Any = None
        try:
            if step.fill is None:
                step.fn(step.settings, step.make(outs), ctx).send(None)
            else:
                step.fn(*step.prepare(outs, facts), ctx).send(None)
        except StopIteration as stop:
            out = stop.value
        except Exception as error:
            return Walk(passed, result, Trouble(step, ctx, began, None, error))
        if out.__class__ is not step.outputs or ctx.usage is not None:
            return Walk(passed, result, Trouble(step, ctx, began, out, None))
        now = perf_counter()
        outs[step.index] = out
        passed.append(Passed(step, began, now, out))
        if step.result and result is None:
            result = out
        began = now
    return Walk(passed, result)


def go_on(run: "Running", walked: Walk, trouble: Trouble) -> None:
    """Take up in a fresh Running what was walked so far."""
    frame = run.top
    ready = frame.begin()
    frame.result = walked.result
    for one in walked.passed:
        run.done.append(Done(frame, one.step, "succeeded", 1, one.began, one.ended, one.out))
        frame.settle(one.step, one.out, ready)
    rest = ready[len(walked.passed) + 1 :]  # the order is the same: `straight` took it from there
    if trouble.error is not None:
        inline_failed(run, frame, trouble.step, trouble.error, trouble.began, rest, trouble.ctx.usage)
    else:
        returned(run, frame, trouble.step, trouble.ctx, trouble.out, trouble.began, rest)
    run.go(frame, rest)
