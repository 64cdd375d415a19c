"""What a node may be handed besides its inputs. A node gets only those it named in `needs`.

Protocols only: the adapters live in the owning domain of app/, doubles in flows/sdk/testing.py.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from flows.sdk.values import File, Message


class Usage(Struct, frozen=True, omit_defaults=True):
    """What one model call used. Tokens as the provider reports them; cost in millionths of a US dollar."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0


def added(a: Usage | None, b: Usage | None) -> Usage | None:
    """Both together; None = nothing was reported."""
    if a is None or b is None:
        return a or b
    return Usage(
        a.prompt_tokens + b.prompt_tokens, a.completion_tokens + b.completion_tokens, a.cost_micros + b.cost_micros
    )


class Tool(Struct, frozen=True):
    """A function the model may ask for. `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Struct, frozen=True):
    id: str
    name: str
    arguments: dict[str, Any]


class ChatRequest(Struct, frozen=True):
    """`model` is "connection/model" as the model picker writes it; "" = the workspace's default model."""

    messages: Sequence[Message]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    schema: dict[str, Any] | None = None
    tools: Sequence[Tool] = ()


class ChatReply(Struct, frozen=True):
    """`data` is the parsed answer when a schema was asked for; `model` is the one that answered (fallbacks!)."""

    text: str
    model: str
    usage: Usage = Usage()
    data: Any = None
    tool_calls: Sequence[ToolCall] = ()


class Llm(Protocol):
    async def chat(self, request: ChatRequest) -> ChatReply: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        """Pieces of text as they come, and at the very end exactly one ChatReply with the whole."""
        ...

    async def embed(self, texts: Sequence[str], model: str = "") -> list[list[float]]: ...


class SecretPart(Struct, frozen=True):
    """A stored secret elsewhere than in a header. `name`: of the parameter, of the field at the top of a JSON object or
    of a form, or (basic) of the user whose password it is. `secret`: the name it is stored under.
    """

    where: Literal["query", "body", "basic"]
    name: str
    secret: str


class HttpRequest(Struct, frozen=True):
    """`secrets`: header -> (name of a stored secret, what stands before it: "Bearer "); `parts`: those elsewhere. No
    step sees a value. With one in the address or the body the request follows no redirect.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 30.0
    connection: str = ""
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    parts: tuple[SecretPart, ...] = ()


class HttpReply(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    async def send(self, request: HttpRequest) -> HttpReply: ...


class Files(Protocol):
    async def read(self, file: File) -> bytes: ...

    async def write(self, name: str, content: bytes, media_type: str) -> File: ...


class CodeResult(Struct, frozen=True, omit_defaults=True):
    """What code gave back. `value`: plain JSON values; `printed`: at most 16 KB; `memory` in bytes, 0 = not known."""

    value: Any = None
    printed: str = ""
    cpu_ms: float = 0.0
    memory: int = 0


class Sandbox(Protocol):
    """Runs code that somebody wrote into a flow: no network, no environment, no files, only its inputs by name."""

    async def python(
        self,
        code: str,
        inputs: Mapping[str, Any],
        *,
        engine: Literal["safe", "full"] = "safe",
        seconds: float = 2.0,
        memory: int = 64 * 1024 * 1024,
    ) -> CodeResult:
        """The value of `return`, else of the last line. Raises NodeError(field="code") with line and remedy."""
        ...


class Calls(Protocol):
    """Addresses under which somebody outside can answer this one run."""

    def address(self) -> str:
        """The address of this step, in this round of this run: the same whenever it is asked for. Nothing is stored."""
        ...


CapabilityName = Literal["llm", "http", "files", "sandbox", "calls"]
