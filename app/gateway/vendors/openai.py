"""OpenAI's wire format, spoken by our own client: OpenAI, OpenRouter, Mistral, Ollama, vLLM, llama.cpp and their kind.

One request is one JSON body built by msgspec and one typed decode per streamed event: about a tenth of the CPU time
that litellm needs for a piece.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from msgspec import Struct

from app.gateway import faults
from app.gateway.calls import Ask, Done, Target, Vectors
from app.gateway.models import ModelInfo, from_listing
from app.gateway.shapes import is_strict
from app.gateway.vendors import wire
from app.gateway.vendors.sse import events
from flows.sdk.capabilities import ToolCall
from flows.sdk.values import Message


class _Function(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Said(Struct):
    """A message, or the delta of one. Some vendors send content as a list of parts."""

    content: str | list[Any] | None = None
    tool_calls: list[_ToolCall] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(str(part.get("text") or "") for part in self.content if isinstance(part, dict))
        return self.content or ""


class _Choice(Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Answer(Struct):
    """A whole answer or one streamed event."""

    choices: list[_Choice] = msgspec.field(default_factory=list)
    usage: _Usage | None = None
    error: Any = None


class _Embedding(Struct):
    embedding: list[float]
    index: int = 0


class _Embeddings(Struct):
    data: list[_Embedding]
    usage: _Usage | None = None


_CALM = 0.2
"""What its makers advise for the bundled model; llama.cpp's own 0.8 makes so small a model ramble."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_decode = msgspec.json.Decoder(_Answer).decode
_decode_embeddings = msgspec.json.Decoder(_Embeddings).decode
_encode = msgspec.json.Encoder().encode


class OpenAIVendor:
    """Stateless: connections are pooled by app.egress."""

    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        reply = await wire.post(target, "/chat/completions", _encode(payload(target, ask, stream=False)), limit)
        return _whole(target, reply.body, reply.media_type)

    async def stream(self, target: Target, ask: Ask, limit: float) -> AsyncGenerator[str | Done, None]:
        heard = _Heard()
        body = _encode(payload(target, ask, stream=True))
        async with wire.opened(target, "/chat/completions", body, limit) as opened:
            if "event-stream" not in opened.media_type:  # a server that ignores `stream`
                done = _whole(target, await opened.read(), opened.media_type)
                if done.text:
                    yield done.text
                yield done
                return
            try:
                async with aclosing(opened.chunks()) as chunks, aclosing(events(chunks)) as incoming:
                    async for data in incoming:
                        if data == b"[DONE]":
                            heard.ended = True
                            break
                        piece = heard.take(target, data)
                        if piece:
                            yield piece
            except wire.Lost:
                raise faults.broken_off(target.where, heard.pieces) from None
        yield heard.done(target)

    async def embed(self, target: Target, texts: Sequence[str], limit: float) -> Vectors:
        body = {"model": target.model, "input": list(texts), "encoding_format": "float"}
        reply = await wire.post(target, "/embeddings", _encode(body), limit)
        try:
            answer = _decode_embeddings(reply.body)
        except msgspec.DecodeError:
            raise faults.malformed(target.where, reply.media_type or "something unreadable") from None
        if len(answer.data) != len(texts):
            raise faults.malformed(target.where, f"{len(answer.data)} vectors for {len(texts)} texts")
        vectors = [entry.embedding for entry in sorted(answer.data, key=lambda entry: entry.index)]
        return Vectors(vectors, answer.usage.prompt_tokens if answer.usage else None)

    async def models(self, target: Target, limit: float = 15) -> list[ModelInfo]:
        """What GET /v1/models offers. `target.model` is not used. Raises Fault."""
        reply = await wire.get(target, "/models", limit)
        try:
            return from_listing(reply.body)
        except (msgspec.DecodeError, ValueError):
            raise faults.malformed(target.where, reply.media_type or "something unreadable") from None


class _Heard:
    """What has come of a stream so far."""

    __slots__ = ("ended", "pieces", "texts", "tools", "usage")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tools: dict[int, list[str]] = {}  # place → id, name, and the pieces of the arguments
        self.usage: _Usage | None = None
        self.ended = False
        self.pieces = 0

    def take(self, target: Target, data: bytes) -> str:
        try:
            event = _decode(data)
        except msgspec.DecodeError:
            raise faults.malformed(target.where, "an unreadable event") from None
        if event.error is not None:
            code = event.error.get("code") if isinstance(event.error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 502
            raise faults.from_status(target.where, status, data)
        if event.usage is not None:
            self.usage = event.usage
        said = ""
        for choice in event.choices[:1]:
            if choice.finish_reason:
                self.ended = True
            delta = choice.delta
            if delta is None:
                continue
            for call in delta.tool_calls or ():
                self._take_call(call)
            said = delta.text
            if said:
                self.pieces += 1
                self.texts.append(said)
        return said

    def _take_call(self, call: _ToolCall) -> None:
        place = call.index if call.index is not None else len(self.tools)
        parts = self.tools.setdefault(place, ["", ""])
        parts[0] = parts[0] or call.id or ""
        parts[1] = parts[1] or call.function.name or ""
        arguments = call.function.arguments
        if arguments:
            parts.append(arguments if isinstance(arguments, str) else _encode(arguments).decode())

    def done(self, target: Target) -> Done:
        if not self.ended:
            raise faults.broken_off(target.where, self.pieces)
        calls = [
            _tool_call(target, place, parts[0], parts[1], "".join(parts[2:]))
            for place, parts in sorted(self.tools.items())
        ]
        usage = self.usage or _Usage()
        return Done("".join(self.texts), calls, usage.prompt_tokens, usage.completion_tokens)


def payload(target: Target, ask: Ask, *, stream: bool) -> dict[str, Any]:
    """The request body. Nothing is sent that was not asked for: servers differ in what they tolerate."""
    body: dict[str, Any] = {"model": target.model, "messages": [_message(m) for m in ask.messages]}
    temperature = _CALM if ask.temperature is None and target.local else ask.temperature
    if temperature is not None:
        body["temperature"] = temperature
    if ask.max_tokens is not None:
        # OpenAI's newer models refuse the old name, most other servers do not know the new one.
        body["max_completion_tokens" if target.provider == "openai" else "max_tokens"] = ask.max_tokens
    if ask.schema is not None:
        shape = {"name": "answer", "schema": ask.schema, "strict": is_strict(ask.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    if ask.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in ask.tools
        ]
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return body


def _message(message: Message) -> dict[str, Any]:
    """A tool's result goes as a turn of the user: a Message does not carry the call's id that the format demands."""
    if message.role == "tool":
        return {"role": "user", "content": f"Result of {message.name or 'the tool'}: {message.text}"}
    sent = {"role": message.role, "content": message.text}
    return {**sent, "name": message.name} if _NAME.fullmatch(message.name) else sent


def _whole(target: Target, body: bytes, media_type: str) -> Done:
    try:
        answer = _decode(body)
    except msgspec.DecodeError:
        raise faults.malformed(target.where, media_type or "something unreadable") from None
    if answer.error is not None:
        raise faults.from_status(target.where, 502, body)
    message = answer.choices[0].message if answer.choices else None
    if message is None:
        raise faults.malformed(target.where, "an empty answer")
    calls = []
    for place, call in enumerate(message.tool_calls or ()):
        arguments = call.function.arguments
        text = arguments if isinstance(arguments, str) else _encode(arguments or {}).decode()
        calls.append(_tool_call(target, place, call.id or "", call.function.name or "", text))
    usage = answer.usage or _Usage()
    return Done(message.text, calls, usage.prompt_tokens, usage.completion_tokens)


def _tool_call(target: Target, place: int, call_id: str, name: str, arguments: str) -> ToolCall:
    try:
        decoded = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        raise faults.malformed(target.where, f"unreadable arguments for tool '{name}'") from None
    return ToolCall(call_id or f"call_{place}", name, decoded if isinstance(decoded, dict) else {"value": decoded})
