"""What in one flow holds some words: names of steps, their kinds, their settings, notes. Pure."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from app.studio.ports import field_title
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

MOST = 60
AROUND = 32
"""Letters shown on each side of what was found."""


class Found(Struct, frozen=True):
    """One step that holds the words. `field`: the setting, "" = its name or kind. `where`: that setting's title."""

    node: str
    field: str
    where: str
    text: str


def find(flow: Flow, words: str, catalogue: Catalogue) -> list[Found]:
    """Steps whose name holds the words come first, then those where a setting does; at most MOST. Case is ignored."""
    wanted = words.casefold().split()
    if not wanted:
        return []
    named: list[Found] = []
    inside: list[Found] = []
    for node in flow.nodes:
        kind = catalogue.get(node.type)
        title = kind.title if kind is not None else node.type
        if _holds(f"{node.label} {title} {node.id}", wanted):
            named.append(Found(node.id, "", "", title if node.label else "Step"))
            continue
        hit = next(((field, text) for field, text in texts(node) if _holds(text, wanted)), None)
        if hit is not None:
            field, text = hit
            inside.append(Found(node.id, field, field_title(kind, field), snippet(text, wanted[0])))
    return [*named, *inside][:MOST]


def texts(node: NodeUse) -> Iterator[tuple[str, str]]:
    """Every text among the settings with the top-level setting it stands in. Steps of a group are no text."""
    for field, value in node.settings.items():
        if not (node.type == "note.group" and field == "members"):
            for text in _texts(value):
                yield field, text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _holds(text: str, wanted: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in wanted)


def snippet(text: str, word: str) -> str:
    """The words around the first place, on one line."""
    line = " ".join(text.split())
    at = max(line.casefold().find(word), 0)
    start = max(0, at - AROUND)
    end = at + len(word) + AROUND
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
