"""Every vendor that does not speak OpenAI's wire format, through litellm. In workers and child processes only.

Importing litellm costs seconds and 190 MB, and it looks for its price list on the network unless told otherwise first:
`load()` does both in a thread, at the start of a worker and not inside a first request.
Retries, fallbacks, prices and caching are ours: litellm makes exactly one attempt.
"""

import asyncio
import importlib
import os
import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from app import clock
from app.gateway import faults
from app.gateway.calls import Ask, Done, Target, Vectors
from app.gateway.faults import Fault
from app.gateway.vendors import wire
from app.gateway.vendors.openai import payload
from flows.sdk.capabilities import ToolCall

_OWN_WORDS = re.compile(r"^litellm\.\w+:\s*|\b\w+Exception\s*-\s*")
_loaded: list[Any] = []


async def load() -> Any:
    """The module, imported at most once. In a thread: the event loop goes on."""
    if not _loaded:
        module = await asyncio.to_thread(_import)
        if not _loaded:
            _loaded.append(module)
    return _loaded[0]


def _import() -> Any:
    module: Any
    # litellm reads these once, when it is imported; they are its settings, not ours.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # noqa: TID251
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # noqa: TID251
    module = importlib.import_module("litellm")
    module.telemetry = False
    module.suppress_debug_info = True
    module.drop_params = True
    module.num_retries = 0
    return module


class LitellmVendor:
    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        litellm = await _ready(target)
        try:
            async with asyncio.timeout(limit):
                reply = await litellm.acompletion(**_arguments(target, ask, limit, stream=False))
        except Exception as problem:
            raise fault_of(target, problem, limit) from None
        message = reply.choices[0].message
        calls = [
            _call(target, i, call.id, call.function.name, call.function.arguments)
            for i, call in enumerate(message.tool_calls or ())
        ]
        cost = (getattr(reply, "_hidden_params", None) or {}).get("response_cost")
        usage = getattr(reply, "usage", None)
        return Done(
            message.content or "",
            calls,
            getattr(usage, "prompt_tokens", None),
            getattr(usage, "completion_tokens", None),
            None if cost is None else -(-round(cost * 1e9) // 1000),
        )

    async def stream(self, target: Target, ask: Ask, limit: float) -> AsyncGenerator[str | Done, None]:
        litellm = await _ready(target)
        heard, ends = _Heard(), clock.monotonic() + limit
        try:
            async with asyncio.timeout(limit):
                incoming = await litellm.acompletion(**_arguments(target, ask, limit, stream=True))
            chunks = aiter(incoming)
            try:
                # Around each piece, not around the whole: a timeout must not strike while the caller is busy elsewhere.
                while (chunk := await _next(chunks, ends)) is not None:
                    piece = heard.take(chunk)
                    if piece:
                        yield piece
            finally:
                await _close(incoming)
        except Exception as problem:
            raise fault_of(target, problem, limit) from None
        if not heard.ended:
            raise faults.broken_off(target.where, len(heard.texts))
        yield heard.done(target)

    async def embed(self, target: Target, texts: Sequence[str], limit: float) -> Vectors:
        litellm = await _ready(target)
        try:
            async with asyncio.timeout(limit):
                reply = await litellm.aembedding(input=list(texts), **_connection(target, limit))
        except Exception as problem:
            raise fault_of(target, problem, limit) from None
        vectors = [list(entry["embedding"]) for entry in sorted(reply.data, key=lambda entry: entry["index"])]
        return Vectors(vectors, getattr(reply.usage, "prompt_tokens", None))


async def _ready(target: Target) -> Any:
    """The module, once the address the person typed (if any) turned out to be one we may call."""
    typed = target.base_url or target.options.get("api_base", "")
    if typed:
        await wire.check_address(target, typed)
    return await load()


async def _next(chunks: Any, ends: float) -> Any:
    async with asyncio.timeout(max(0.0, ends - clock.monotonic())):
        return await anext(chunks, None)


async def _close(incoming: Any) -> None:
    """Hang up at the vendor, when litellm's wrapper of this vendor can."""
    close = getattr(incoming, "aclose", None)
    if close is not None:
        await close()


class _Heard:
    """What has come of a stream so far."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tools: dict[int, list[str]] = {}
        self.usage: Any = None
        self.ended = False

    def take(self, chunk: Any) -> str:
        self.usage = getattr(chunk, "usage", None) or self.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.ended = self.ended or bool(choice.finish_reason)
        for call in choice.delta.tool_calls or ():
            parts = self.tools.setdefault(call.index or 0, ["", ""])
            parts[0], parts[1] = parts[0] or call.id or "", parts[1] or call.function.name or ""
            parts.append(call.function.arguments or "")
        text: str = choice.delta.content or ""
        if text:
            self.texts.append(text)
        return text

    def done(self, target: Target) -> Done:
        calls = [_call(target, i, p[0], p[1], "".join(p[2:])) for i, p in sorted(self.tools.items())]
        return Done(
            "".join(self.texts),
            calls,
            getattr(self.usage, "prompt_tokens", None),
            getattr(self.usage, "completion_tokens", None),
        )


def _connection(target: Target, limit: float) -> dict[str, Any]:
    """The arguments that say whom to call. Of the options `models` and `vendor` are ours, the rest the vendor's own."""
    own = {name: value for name, value in target.options.items() if name not in ("models", "vendor") and value}
    given: dict[str, Any] = {
        "model": f"{target.family}/{target.model}",
        "timeout": limit,
        "num_retries": 0,
        "max_retries": 0,
        **own,
    }
    if target.key:
        given["aws_secret_access_key" if target.family == "bedrock" else "api_key"] = str(target.key)
    if target.base_url:
        given["api_base"] = target.base_url
    return given


def _arguments(target: Target, ask: Ask, limit: float, *, stream: bool) -> dict[str, Any]:
    body = payload(target, ask, stream=stream)
    del body["model"]
    return {**body, **_connection(target, limit)}


def _call(target: Target, place: int, call_id: str | None, name: str | None, arguments: str | None) -> ToolCall:
    try:
        decoded = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        raise faults.malformed(target.where, f"unreadable arguments for tool '{name}'") from None
    return ToolCall(
        call_id or f"call_{place}", name or "", decoded if isinstance(decoded, dict) else {"value": decoded}
    )


def fault_of(target: Target, problem: Exception, limit: float) -> Fault:
    """Our fault for one of litellm's exceptions, told by class name: there are many, and their status is often 500."""
    if isinstance(problem, Fault):
        return problem
    where, name = target.where, type(problem).__name__
    told = str(getattr(problem, "message", "") or problem)
    if isinstance(problem, TimeoutError) or name == "Timeout":
        return faults.timed_out(where, limit)
    if name == "APIConnectionError":
        return faults.unreachable(where, target.base_url or f"the servers of {target.name}", "no connection")
    if name == "ContextWindowExceededError":
        return faults.too_long(target.model, told)
    status = {"ContentPolicyViolationError": 400}.get(name) or getattr(problem, "status_code", None)
    if name == "ContentPolicyViolationError":
        told = f"content_filter {told}"
    headers = getattr(getattr(problem, "response", None), "headers", None) or {}
    wait = faults.seconds(headers.get("retry-after"))
    if not isinstance(status, int) or status < 400:
        return faults.malformed(where, f"something litellm could not read ({name})")
    told = _OWN_WORDS.sub("", told)
    inner = told[told.find("{") :] if "{" in told else ""
    words = faults.vendor_words(inner.encode())[0] or told
    return faults.from_words(where, status, told, shown=faults.presentable(words, where.key), retry_after=wait)
