"""The kinds of steps one can add, as the palette lists them and as the browser needs to know them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from app.language.catalogue import ENGLISH
from app.language.choice import current
from app.language.sentences import say
from app.studio.ports import ports_of
from app.studio.shapes import NodeView, node_view
from flows.catalogue import AnyNode, load
from flows.model import NodeUse
from flows.sdk.ports import FITS, Port, Ports


class TypeView(Struct, frozen=True):
    """One palette entry, also told to the browser: what it looks like with default settings and which ports it has."""

    name: str
    title: str
    family: str
    icon: str
    version: int
    summary: str
    w: float
    h: float
    container: bool
    note: bool
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    blank: NodeView

    @property
    def words(self) -> str:
        """What the search of the palette looks at."""
        both = f"{self.title} {self.name} {self.family} {self.summary}", say(self.title), say(self.summary)
        return " ".join(dict.fromkeys(both)).lower() if current() != ENGLISH else both[0].lower()


FAMILIES: tuple[tuple[str, str, str], ...] = (
    ("start", "zap", "Start"),
    ("ai", "sparkles", "AI"),
    ("knowledge", "book-open", "Knowledge"),
    ("logic", "split", "Logic"),
    ("people", "user-check", "People"),
    ("data", "braces", "Data"),
    ("connect", "plug", "Connect"),
    ("show", "message-square-reply", "Show"),
    ("note", "sticky-note", "Note"),
)


@lru_cache(maxsize=1)
def palette() -> tuple[TypeView, ...]:
    """All installed types in the order of the rail."""
    return types_of(load())


def types_of(catalogue: Mapping[str, AnyNode]) -> tuple[TypeView, ...]:
    order = {family: place for place, (family, _, _) in enumerate(FAMILIES)}
    found = []
    for name, kind in catalogue.items():
        use = NodeUse(id="x", type=name, version=kind.version)
        view = node_view(use, catalogue)
        ports = ports_of(use, catalogue) or Ports()  # a type may have none before it is set up
        sentence = kind.description.partition("\n\n")[0].replace("\n", " ")
        found.append(
            TypeView(
                name,
                kind.title,
                kind.family,
                kind.icon,
                kind.version,
                sentence.partition(". ")[0].rstrip(".").replace("`", ""),
                view.w,
                view.h,
                view.container,
                view.note,
                ports.inputs,
                ports.outputs,
                msgspec.structs.replace(view, id="new"),
            )
        )
    return tuple(sorted(found, key=lambda t: (order.get(t.family, 99), t.title)))


def catalogue_json(types: Iterable[TypeView]) -> dict[str, Any]:
    """What the browser needs to know before it asks: ports of every type, and which types of values fit."""

    def told(port: Port) -> dict[str, Any]:
        return {
            "name": port.name,
            "type": port.type,
            "label": say(port.title or port.name),
            "many": port.many,
            "inside": port.inside,
        }

    return {
        "types": {
            t.name: {
                "title": say(t.title),
                "family": t.family,
                "version": t.version,
                "summary": say(t.summary),
                "w": t.w,
                "h": t.h,
                "container": t.container,
                "note": t.note,
                "inputs": [told(p) for p in t.inputs],
                "outputs": [told(p) for p in t.outputs],
            }
            for t in types
        },
        "fits": {f"{a}>{b}": say(why) for (a, b), why in FITS.items()},
    }
