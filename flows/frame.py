"""One pass through a plan: which steps are done, which become ready, which are skipped. No I/O, no clock.

A run has one frame for the flow, and one more for every round of a container and every sub-flow. The rules are those of
docs/flow-semantics.md; tests/flows/test_properties.py compares them with a reference that is obviously right.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from flows.ledger.protocol import Fault
from flows.plan import Edge, Plan, Step
from flows.sdk.context import RunFacts

if TYPE_CHECKING:
    import asyncio


NONE_ARRIVED: dict[int, int] = {}


PENDING = object()
"""In `outs`: not settled yet. It has no ports, so whatever is read from it is silent."""


class Frame:
    """`prefix`: path of the sub-flow steps around, such as "outer/". `iter`: rounds of the containers around, "3.0".

    `home`: the frame of the flow. `exit`: a step ended this round early: with this value, and whether it was the last.
    """

    __slots__ = (
        "arrived", "dead", "error", "exit", "facts", "fault", "home", "iter", "left", "on_end", "on_skip", "outs",
        "over", "pending", "plan", "prefix", "result", "tasks",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, facts: RunFacts, iter: str = "", prefix: str = "", home: "Frame | None" = None
    ) -> None:
        self.plan = plan
        self.facts = facts
        self.iter = iter
        self.prefix = prefix
        self.home = home or self
        self.outs: list[Any] = [PENDING] * len(plan.steps)
        self.pending = list(plan.indegree)
        self.left = len(plan.steps)
        self.over = self.left == 0
        self.dead: set[int] | None = None
        self.arrived: dict[int, int] = NONE_ARRIVED
        self.fault: Fault | None = None
        self.error: BaseException | None = None
        self.exit: tuple[Any, bool] | None = None
        self.result: Any = None
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.on_end: Callable[[Frame], None] | None = None
        self.on_skip: Callable[[Frame, Step], None] | None = None

    def begin(self, edge: Edge | None = None) -> list[int]:
        """The steps that can start at once. `edge`: what the inner edge of the container carries."""
        plan, facts = self.plan, self.facts
        ready: list[int] = []
        kind, _, node = facts.trigger.partition(":")  # "schedule", or "schedule:night" where a flow has two of them
        mine = plan.triggers and kind in plan.triggers
        for i in plan.roots:
            step = plan.steps[i]
            if step.kind is None:
                self.settle(step, edge, ready)
            elif step.disabled or (
                mine and step.kind.trigger and (step.kind.trigger != kind or (node and step.id != node))
            ):
                self._skip(step)
                self.settle(step, None, ready)
            else:
                ready.append(i)
        return ready

    def settle(self, step: Step, out: Any, ready: list[int]) -> None:
        """`step` has ended with `out` (None: silent on all ports). Appends what became ready."""
        if step.succ is not None and out is not None and self.dead is None:
            self.outs[step.index] = out
            self.left -= 1
            pending = self.pending
            for j in step.succ:
                n = pending[j] = pending[j] - 1
                if n == 0:
                    ready.append(j)
        else:
            self._spread(step, out, ready)
        if self.left == 0:
            self.over = True

    def _spread(self, step: Step, out: Any, ready: list[int]) -> None:
        """The same with silent wires: follows skipped steps as far as the silence reaches."""
        if self.dead is None:
            self.dead = set()
        todo = [(step, out)]
        while todo:
            step, out = todo.pop()
            if self.outs[step.index] is not PENDING:
                continue
            self.outs[step.index] = out
            self.left -= 1
            for wire in step.wires:
                target = self.plan.steps[wire.target]
                j = target.index
                self.pending[j] -= 1
                if out is None or wire.read(out) is UNSET:
                    self.dead.add(j)
                elif target.need and self._arrives(target):
                    if not target.disabled:
                        ready.append(j)
                        todo += self._called_off(target)
                        continue
                    self._skip(target)
                    todo.append((target, None))
                if self.pending[j] == 0 and self.outs[j] is PENDING:
                    if not self._skipped(target):
                        ready.append(j)
                    elif not target.need or self.arrived.get(j, 0) < target.need:
                        self._skip(target)
                        todo.append((target, None))

    def _arrives(self, join: Step) -> bool:
        """One more value at a join that does not wait for all. True when it is the one that starts it."""
        if self.arrived is NONE_ARRIVED:
            self.arrived = {}
        count = self.arrived[join.index] = self.arrived.get(join.index, 0) + 1
        return count == join.need

    def _skipped(self, step: Step) -> bool:
        """All wires into `step` are resolved. A join that has not started by now is short of values."""
        if step.disabled or step.need:
            return True
        return self.dead is not None and step.index in self.dead and step.must_skip(self.outs)

    def _called_off(self, join: Step) -> list[tuple[Step, None]]:
        """The steps that only served a join which already has its value."""
        steps = [self.plan.steps[i] for i in sorted(join.race) if self.outs[i] is PENDING]
        for step in steps:
            if (task := self.tasks.get(step.index)) is not None:
                task.cancel()
            self._skip(step)
        return [(step, None) for step in steps]

    def _skip(self, step: Step) -> None:
        if self.on_skip is not None:
            self.on_skip(self, step)

    def cancel(self) -> None:
        """Stop everything that runs in this frame."""
        self.over = True
        for task in list(self.tasks.values()):
            task.cancel()
