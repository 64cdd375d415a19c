"""The values of one model call, between the pipeline and the vendors."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal, Protocol
from uuid import UUID

from msgspec import Struct, field

from app.config import Secret
from app.gateway.faults import Where
from app.gateway.prices import Price
from app.gateway.providers import Lane
from flows.sdk.capabilities import Tool, ToolCall
from flows.sdk.values import Message

Kind = Literal["chat", "embed", "test"]


class Target(Struct, frozen=True):
    """Where one call goes: a model behind a connection, with what we know about it.

    `context` and `max_output` are tokens, 0 = unknown. `price` None = unknown (counted as free, and marked so).
    `tools` None = unknown: tried natively first.
    """

    slug: str
    name: str
    provider: str
    lane: Lane
    model: str
    base_url: str = ""
    key: Secret = Secret("")
    family: str = ""
    options: dict[str, str] = field(default_factory=dict)
    connection_id: UUID | None = None
    price: Price | None = None
    context: int = 0
    max_output: int = 0
    tools: bool | None = None
    embeds: bool = False
    local: bool = False

    @property
    def id(self) -> str:
        return f"{self.slug}/{self.model}"

    @property
    def where(self) -> Where:
        return Where(self.name, self.model, self.key)


class Ask(Struct, frozen=True):
    """What is asked of a model, in the shape the vendor is to receive it."""

    messages: Sequence[Message]
    temperature: float | None = None
    max_tokens: int | None = None
    schema: dict[str, Any] | None = None
    tools: Sequence[Tool] = ()


class Done(Struct, frozen=True):
    """The whole answer. Token counts are the vendor's, None when it gave none; so is `cost_micros`."""

    text: str
    tool_calls: Sequence[ToolCall] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_micros: int | None = None


class Vectors(Struct, frozen=True):
    vectors: list[list[float]]
    prompt_tokens: int | None = None


class Vendor(Protocol):
    """One way to reach a model. Every method raises Fault, and nothing else, when the call fails."""

    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        """`limit`: seconds for the whole call."""
        ...

    def stream(self, target: Target, ask: Ask, limit: float) -> AsyncGenerator[str | Done, None]:
        """Pieces of text, then exactly one Done with the whole. Closing it early ends the call at the vendor."""
        ...

    async def embed(self, target: Target, texts: Sequence[str], limit: float) -> Vectors: ...


def estimate_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens these messages are for a model: 4 bytes each, 4 for the frame of every message."""
    return 3 + sum(4 + -(-len(message.text.encode()) // 4) for message in messages)


def most_tokens(messages: Sequence[Message]) -> int:
    """A count that real tokenizers stay under for text people write: 2 bytes a token. What budgets reserve by."""
    return 16 + sum(16 + -(-len(message.text.encode()) // 2) for message in messages)
