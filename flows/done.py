"""What is kept of a step that ended, within a run that is being executed."""

from typing import Any, Literal

from msgspec import Struct

from flows.frame import Frame
from flows.ledger.protocol import Fault
from flows.plan import Step
from flows.sdk.capabilities import Usage
from flows.sdk.capabilities import added as added  # noqa: PLC0414 -- where the engine looks for it


class Done(Struct, frozen=True):
    """How a step ended, in the order of ending. Times by perf_counter."""

    frame: Frame
    step: Step
    status: Literal["succeeded", "failed", "skipped"]
    attempt: int
    began: float
    ended: float
    out: Any = None
    fault: Fault | None = None
    usage: Usage | None = None
    kept: bool = False
