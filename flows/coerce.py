"""What happens to a value on its way along a wire; rules 30-33 of docs/flow-semantics.md."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_args

import msgspec
from msgspec import Struct

from flows.expressions.programs import written
from flows.sdk.errors import NodeError
from flows.sdk.ports import PortType, bare, port_type_of
from flows.sdk.values import Document, File, Message, is_kind

Coerce = Callable[[Any], Any]
ARTICLE: dict[PortType, str] = {
    "text": "text",
    "number": "a number",
    "yesno": "yes or no",
    "object": "an object",
    "list": "a list",
    "file": "a file",
    "image": "an image",
    "audio": "audio",
    "document": "a document",
    "message": "a message",
    "any": "anything",
}
"""The types of ports as they stand in a sentence: “needs a number, this is text”."""
MOST_SHOWN = 40


class Misfit(NodeError):
    """A value does not fit the port it arrives at."""


def coercer(source: Any, target: Any) -> Coerce | None:
    """From one annotation to another; None when the value can go as it is. The function raises Misfit."""
    return None if source == target else _coercer(bare(source), bare(target))


@lru_cache(maxsize=4096)
def _coercer(source: Any, target: Any) -> Coerce | None:
    if source == target:
        return None
    if target is Any:
        return _to_json if _holds_struct(source) else None
    kind = port_type_of(target)
    if kind == "text" and target is str:
        return _to_text
    if kind == "message" and target is Message:
        return _to_message
    if isinstance(target, type) and issubclass(target, File):
        return _to_file(target, kind)
    if target in (dict, list):
        return _checked(target, kind) if source is Any or _holds_struct(source) else None
    return _checked(target, kind)


def kind_of(value: Any) -> str:
    """In words: "a list of 3", "text 'abc'"."""
    match value:
        case None | msgspec.UNSET:
            return "empty"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"the number {written(value)}"
        case str():
            return f"the text '{value[:MOST_SHOWN]}{'…' if len(value) > MOST_SHOWN else ''}'"
        case list() | tuple():
            return f"a list of {len(value)}"
        case Message():
            return "a message"
        case File():
            return f"the file '{value.name}' ({value.media_type or 'of no known kind'})"
    return "an object"


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return written(value)
    if isinstance(value, Message):
        return value.text
    if isinstance(value, File):
        if value.text:
            return value.text
        raise Misfit(f"gets {kind_of(value)}, but needs text. A step has to read the file first")
    if isinstance(value, dict) and "text" in value and isinstance(value["text"], str):
        return value["text"]
    raise Misfit(f"gets {kind_of(value)}, but needs text")


def _to_message(value: Any) -> Message:
    if isinstance(value, Message):
        return value
    if isinstance(value, str):
        return Message(value)
    try:
        return msgspec.convert(value, Message)
    except msgspec.ValidationError:
        raise Misfit(f"gets {kind_of(value)}, but needs a message") from None


def _to_file(target: type[File], kind: PortType) -> Coerce:
    """A file of the target's kind, by its media type. A text becomes a document of it."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and target is Document:
            return Document("", "text.txt", "text/plain", len(value.encode()), value)
        try:
            file = value if isinstance(value, File) else msgspec.convert(value, File)
        except msgspec.ValidationError:
            raise Misfit(f"gets {kind_of(value)}, but needs {ARTICLE[kind]}") from None
        if not is_kind(file, target):
            raise Misfit(f"gets {kind_of(file)}, but needs {ARTICLE[kind]}")
        return file if isinstance(file, target) else msgspec.convert(msgspec.to_builtins(file), target)

    return check


def _to_json(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else msgspec.to_builtins(value)


def _checked(target: Any, kind: PortType) -> Coerce:
    def check(value: Any) -> Any:
        try:
            return msgspec.convert(value, target, from_attributes=True)
        except msgspec.ValidationError as error:
            if isinstance(value, float) and value.is_integer() and kind == "number":
                return int(value)
            reason, _, place = str(error).partition(" - at ")
            detail = f" ({reason.lower()} at {place})" if place else ""
            raise Misfit(f"gets {kind_of(value)}, but needs {ARTICLE[kind]}{detail}") from None

    return check


def _holds_struct(annotation: Any) -> bool:
    annotation = bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return True
    return any(_holds_struct(part) for part in get_args(annotation) if not isinstance(part, str))
