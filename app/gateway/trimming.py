"""A conversation that no longer fits the model: the oldest turns go, the instructions and the last question stay."""

from collections.abc import Sequence

from msgspec import Struct

from app.gateway.calls import estimate_tokens
from flows.sdk.values import Message


class Trimmed(Struct, frozen=True):
    messages: Sequence[Message]
    left_out: int


def room(context: int, max_tokens: int | None) -> int:
    """Tokens left for what is sent when the answer gets `max_tokens` (unsaid: a quarter, 1,024 at most)."""
    return context - (max_tokens if max_tokens is not None else min(context // 4, 1024))


def fit(messages: Sequence[Message], tokens: int, scale: float = 1.0) -> Trimmed:
    """Leave out the oldest turns until about `tokens` remain. System messages and the last message always stay.

    `scale`: real tokens for each estimated one, once the vendor has told us. What remains starts with a turn of the
    user: an answer without its question would only confuse. If nothing may go, everything comes back and left_out is 0.
    """
    kept = list(messages)
    movable = [i for i, message in enumerate(kept[:-1]) if message.role != "system"]
    gone: set[int] = set()

    def size() -> float:
        return estimate_tokens([m for i, m in enumerate(kept) if i not in gone]) * scale

    for position, index in enumerate(movable):
        remaining = movable[position:]
        starts_well = kept[remaining[0]].role == "user" or not gone
        if size() <= tokens and starts_well:
            break
        gone.add(index)
    return Trimmed([m for i, m in enumerate(kept) if i not in gone], len(gone))
