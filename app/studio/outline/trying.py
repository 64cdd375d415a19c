"""What the form of a try sent, as the flow's trigger would bring it: each field read as its kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from app.files import queries as files
from app.studio.tries import Face
from app.web import Actor
from flows.sdk import Audio, Document, File, Image, is_kind

FILES: dict[str, type[File]] = {"file": File, "image": Image, "audio": Audio, "document": Document}
SHAPES: dict[str, tuple[type, str]] = {
    "list": (list, 'a list, like ["a", "b"]'),
    "object": (dict, 'an object, like {"name": "value"}'),
}
EMPTY = "Fill this in."


class Tried(Struct, frozen=True):
    """`typed`: the texts as they came, by field; `input`: read as their kinds; `faults`: what is wrong, by field."""

    typed: dict[str, str] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


async def offered(actor: Actor, face: Face) -> dict[str, list[File]]:
    """For each field that asks for a file, those of the workspace that it takes. 1 statement, none without such."""
    asking = [each for each in _fields(face) if each["kind"] in FILES]
    if not asking:
        return {}
    there = [each.file for each in await files.files(actor)]
    return {each["name"]: [file for file in there if is_kind(file, FILES[each["kind"]])] for each in asking}


def read(face: Face, sent: Mapping[str, str], offers: Mapping[str, Sequence[File]]) -> Tried:
    """`offers`: of `offered`; another file than these is none. Names that the face does not ask for are left out."""
    if face.kind == "chat":
        message = sent.get("message", "").replace("\r\n", "\n")
        faults = {} if message.strip() else {"message": "Write what a visitor would ask."}
        return Tried({"message": message}, {"message": message, "history": []}, faults)
    if face.kind != "form":
        return _plain(sent.get("input", ""))
    found = Tried()
    for each in _fields(face):
        name, text = each["name"], sent.get(each["name"], "").replace("\r\n", "\n")
        found.typed[name] = text
        if each["kind"] == "yes/no":
            found.input[name] = bool(text)
        elif text.strip():
            try:
                found.input[name] = _value(each, text, offers.get(name, ()))
            except ValueError as problem:
                found.faults[name] = str(problem)
        elif each["required"]:
            found.faults[name] = EMPTY
    return found


def _plain(text: str) -> Tried:
    try:
        return Tried({"input": text}, _json(text or "{}", "object"))
    except ValueError as problem:
        return Tried({"input": text}, faults={"input": str(problem)})


def _value(asked: Mapping[str, Any], text: str, offers: Sequence[File]) -> Any:
    """Raises ValueError with the words for whoever typed it."""
    kind = asked["kind"]
    if kind in FILES:
        file = next((each for each in offers if each.id == text), None)
        if file is None:
            raise ValueError("Choose one of the files in the list.")
        return msgspec.to_builtins(file)
    read: Callable[[], Any] = {
        "number": lambda: _number(text),
        "list": lambda: _json(text, kind),
        "object": lambda: _json(text, kind),
        "choice": lambda: _choice(text, asked["choices"]),
    }.get(kind, lambda: text)
    return read()


def _number(text: str) -> int | float:
    try:
        return msgspec.json.decode(text.strip(), type=int | float)
    except msgspec.DecodeError:
        raise ValueError(f"“{text.strip()[:40]}” is no number. Write it like 3 or 0.5.") from None


def _json(text: str, kind: str) -> Any:
    wanted, words = SHAPES[kind]
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ValueError(f"This is not JSON yet: {problem}.") from None
    if not isinstance(value, wanted):
        raise ValueError(f"It must be {words}.")
    return value


def _choice(text: str, choices: Sequence[str]) -> str:
    if choices and text not in choices:
        raise ValueError("Choose one of the values in the list.")
    return text


def _fields(face: Face) -> list[dict[str, Any]]:
    return face.start["fields"] if face.kind == "form" else []
