"""What is kept of a step that ended, within a run that is being executed."""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from flows.frame import Frame
from flows.ledger.protocol import Fault
from flows.plan import Step
from flows.sdk.capabilities import Usage
from flows.sdk.capabilities import added as added  # noqa: PLC0414 -- where the engine looks for it
from flows.sdk.errors import NodeError

_json = msgspec.json.Encoder()


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


def encoded(out: Any, most: int) -> str:
    """A step's output as the ledger keeps it.

    Raises NodeError for what JSON can't say, and for more than `most` bytes.
    """
    try:
        text = _json.encode(out)
    except (TypeError, ValueError, OverflowError) as error:
        raise NodeError(f"The component gave a value that can't be stored: {error}. Its author must fix it.") from None
    if len(text) > most:
        size, limit = len(text) / 1_048_576, most / 1_048_576
        raise NodeError(f"This step's output is {size:.1f} MB; at most {limit:.0f} MB are kept. Make it smaller.")
    return text.decode()
