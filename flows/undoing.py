"""Undo: when a run fails or is cancelled, its armed undo branches run in reverse order (rules 80 to 86).

An undo step is armed when it is reached: its row keeps what its branch needs (value, what else is wired into the
branch, its number, the sub-flow it is in), so that the branch can run without the rest of the run. When undoing begins
every armed row is marked by a signal that says how the run ends after it; a run that is taken up again goes on there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct

from flows.frame import Frame
from flows.ledger.protocol import Fault, StepChange, StepRow
from flows.plan import Edge, Plan, Step
from flows.sdk.context import RunFacts, Signal

if TYPE_CHECKING:
    from flows.running import Running

UNDO = "undo"
"""The name of the signal on the rows of undo steps once undoing has begun, and the effect of these rows."""

Key = tuple[str, str]


class Armed(Struct, frozen=True, omit_defaults=True):
    """What an undo step keeps. `order` counts the undo steps of a run. `flow`: version and input of the sub-flow."""

    value: Any
    order: int = 0
    outside: dict[str, Any] = {}
    version: str = ""
    input: Any = None


class Undoing(Struct, frozen=True):
    """How the run ends when all is undone."""

    status: str
    fault: Fault | None = None


def arm(run: "Running", frame: Frame, step: Step, out: Any) -> Armed:
    """The undo step is reached. What is wired into its branch from elsewhere is taken as it is now."""
    found = ((key, link.read(frame.outs[link.source])) for key, link in step.captures)
    outside = {key: msgspec.to_builtins(value) for key, value in found if value is not UNSET}
    order = max((armed.order for armed in run.armed.values()), default=0) + 1
    inner = frame.facts.depth > 0
    armed = Armed(
        out.value,
        order,
        outside,
        frame.facts.version_id if inner else "",
        frame.facts.input if inner else None,
    )
    run.armed[frame.prefix + step.id, frame.iter] = armed
    return armed


def armed_rows(rows: Mapping[Key, StepRow]) -> dict[Key, Armed]:
    """Of a run that is taken up again; without those that were undone."""
    return {
        key: msgspec.json.decode(row.output, type=Armed)
        for key, row in rows.items()
        if row.effect == UNDO and row.output is not None and not row.handled and row.status in ("succeeded", "started")
    }


def begun(rows: Sequence[StepRow]) -> Undoing | None:
    """Whether undoing had begun, and how the run ends after it."""
    for row in rows:
        if row.effect == UNDO and row.signal is not None and row.signal.name == UNDO:
            return msgspec.convert(row.signal.data, Undoing)
    return None


def late(run: "Running", frame: Frame, ready: list[int]) -> None:
    """A step that must not happen twice has finished after its run had failed: what it did is undone, too."""
    for i in ready:
        step = frame.plan.steps[i]
        if step.kind is not None and step.kind.undo and not step.disabled:
            run._inline(frame, step, 0.0, ready)


def changed(key: Key, armed: Armed, undoing: Undoing, status: Any, fault: Fault | None = None) -> StepChange:
    text = msgspec.json.encode(armed).decode()
    said = Signal(UNDO, msgspec.to_builtins(undoing))
    done = status == "succeeded"
    return StepChange(key[0], key[1], status, 1, UNDO, text, fault, handled=done or status == "failed", signal=said)


async def branch(
    armed: Armed, key: Key, plan: Plan, facts: RunFacts, flow_of: Callable[[RunFacts, str], Awaitable[Plan]] | None
) -> tuple[Plan, RunFacts, str, Edge]:
    """Steps, facts, path and given values of one undo branch. Raises LookupError when the plan lacks it by now."""
    path, _ = key
    prefix, _, id = path.rpartition("/")
    if prefix:
        if flow_of is None:
            raise LookupError(path)
        facts = RunFacts(
            facts.run_id,
            armed.input,
            workspace_id=facts.workspace_id,
            flow_id=facts.flow_id,
            version_id=armed.version,
            trigger="flow",
            capabilities=facts.capabilities,
            emit=facts.emit,
            depth=prefix.count("/") + 1,
            keeping=facts.keeping,
            afresh=facts.afresh,
            log=facts.log,
            vars=facts.vars,
        )
        plan = await flow_of(facts, armed.version)
    body = plan.step(id).body
    if body is None:
        raise LookupError(path)
    return body, facts, f"{prefix}/" if prefix else "", Edge({**armed.outside, "value": armed.value})


def told(undoing: Undoing, failures: Sequence[Fault]) -> Fault | None:
    """The fault of the run, with what could not be undone."""
    if not failures:
        return undoing.fault
    first = failures[0]
    sentence = f"Undoing failed at step '{first.node}': {first.message}"
    if undoing.fault is None:
        return msgspec.structs.replace(first, message=sentence)
    return msgspec.structs.replace(undoing.fault, message=f"{undoing.fault.message} {sentence}")
