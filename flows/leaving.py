"""Steps that end more than themselves: their round, their container, their flow (rules 8, 48 and 49)."""

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from flows.frame import PENDING, Frame
from flows.ledger.protocol import Fault
from flows.plan import Step
from flows.sdk.errors import NodeError

if TYPE_CHECKING:
    from flows.running import Running


def leave(run: "Running", frame: Frame, step: Step, out: Any) -> None:
    """`step` has succeeded with `out`, and it ends more than itself."""
    if step.kind is None or frame.over:
        return
    frame.outs[step.index] = out
    if step.kind.ends == "flow":
        home = frame.home
        if out.failed:
            home.fault = Fault(out.failed, "", frame.prefix + step.id, frame.iter, "Stopped")
            home.error = NodeError(out.failed)
        _end(run, home, frame)
        return
    frame.exit = (getattr(out, "value", UNSET), step.kind.ends == "rounds")
    _end(run, frame, frame)


def _end(run: "Running", target: Frame, origin: Frame) -> None:
    """End `target`, in which or in a container of which `origin` is.

    What has not begun or not ended counts as skipped, on record, so that a run taken up again sees the same. The
    containers between the two don't: they are called off, and called again they would come to this step again.
    """
    around: dict[Frame, Step] = {}
    inner = origin
    while inner is not target:
        outer, container = run.inner[inner]
        around[outer] = container
        inner = outer
    beside = [frame for frame, (outer, container) in run.inner.items() if around.get(outer) is container]
    for frame in dict.fromkeys((origin, *beside, *around)):
        _skip_rest(run, frame, around.get(frame))
    run.cancel(target)
    if target is not origin:
        run.close(target)


def _skip_rest(run: "Running", frame: Frame, container: Step | None) -> None:
    finishing = {index for owner, index in run.guarded.values() if owner is frame}
    for step in frame.plan.steps:
        if frame.outs[step.index] is not PENDING or step is container or step.index in finishing or step.kind is None:
            continue
        frame.outs[step.index] = None
        if frame.on_skip is not None:
            frame.on_skip(frame, step)
