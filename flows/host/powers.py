"""The powers of a boxed step, as verbs for the broker: only those its node named, each with its values checked."""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from flows.host.broker import Powers, Verb
from flows.sdk.capabilities import ChatRequest, HttpRequest
from flows.sdk.context import Context
from flows.sdk.errors import NodeError
from flows.sdk.values import File

LONGEST_LINE = 4_000
MOST_NAME = 200


def powers_of(ctx: Context, inputs: Any, needs: Collection[str]) -> Powers:
    """`run` (a line of the log, a streamed word) belongs to every step; the others must be named in `needs`."""
    made: dict[str, dict[str, Verb]] = {"run": _run(ctx)}
    if "http" in needs:
        made["http"] = _http(ctx)
    if "llm" in needs:
        made["llm"] = _llm(ctx)
    if "files" in needs:
        made["files"] = _files(ctx, {file.id for file in _files_in(inputs)})
    return made


def _run(ctx: Context) -> dict[str, Verb]:
    async def log(text: Any, data: Any) -> None:
        ctx.log(_text(text), **msgspec.convert(data, dict[str, Any]))

    async def say(text: Any) -> None:
        ctx.say(_text(text))

    return {"log": log, "say": say}


def _http(ctx: Context) -> dict[str, Verb]:
    async def send(request: Any) -> Any:
        asked = msgspec.convert(request, HttpRequest)
        if asked.connection or asked.secrets or asked.parts:
            raise NodeError(
                "A package can't sign requests with a connection or secret of the workspace.", field="connection"
            )
        return await ctx.http.send(asked)

    return {"send": send}


def _llm(ctx: Context) -> dict[str, Verb]:
    async def chat(request: Any) -> Any:
        return await ctx.llm.chat(msgspec.convert(request, ChatRequest))

    async def embed(texts: Any, model: Any) -> Any:
        return await ctx.llm.embed(msgspec.convert(texts, list[str]), _text(model))

    return {"chat": chat, "embed": embed}


def _files(ctx: Context, known: set[str]) -> dict[str, Verb]:
    """Reads what came in or what it wrote itself: an id it thought up opens nothing."""

    async def read(file: Any) -> bytes:
        asked = msgspec.convert(file, File)
        if asked.id not in known:
            raise NodeError(f"The file '{asked.name[:80]}' did not come in with this step's inputs.", field="inputs")
        return await ctx.files.read(asked)

    async def write(name: Any, content: Any, media_type: Any) -> File:
        if not isinstance(content, bytes):
            raise TypeError("the content of a file is bytes")
        plain = _text(name).replace("/", "_").replace("\\", "_").strip(". ")[:MOST_NAME] or "file"
        made = await ctx.files.write(plain, content, _text(media_type)[:MOST_NAME])
        known.add(made.id)
        return made

    return {"read": read, "write": write}


def _files_in(value: Any) -> Iterator[File]:
    if isinstance(value, File):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _files_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files_in(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _files_in(getattr(value, name))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value[:LONGEST_LINE]
