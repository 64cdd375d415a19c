"""A schema that a form without scripts sent: its fields one by one, or the JSON where that was changed.

Names: `<name>` the JSON, `<name>.was` as it was sent out, `<name>.places` ("0", or "0.2": a field of a field), and
of every field `<name>.<place>.name`, `.kind`, `.many`, `.required`, `.description`, `.options` and `.kept`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.studio.schemas import KINDS, Kind, Property, Shape, infer, read, write


def schema(name: str, sent: Mapping[str, Sequence[str]], deed: str, at: str) -> dict[str, Any]:
    """`deed`: "field:<at>@<place>" one more inside a field ("" = at the top), "unfield:<at>@<place>" one less,
    "sample:<at>" made of the sample. Raises ValueError, in words, for JSON or a sample that can't be read.
    """

    def one(part: str) -> str:
        return (sent.get(f"{name}.{part}") or [""])[-1].replace("\r\n", "\n")

    verb, _, where = deed.partition(":")
    to, _, place = where.partition("@")
    mine = verb if to == at else ""
    if mine == "sample":
        return infer(_json(one("sample"), "This sample is not JSON yet"))
    typed = (sent.get(name) or [""])[-1].replace("\r\n", "\n")
    before = read(_json(one("was") or "{}", "This is not JSON yet"))
    if before is None or typed.strip() != one("was").strip() or f"{name}.kept" not in sent:
        found = _json(typed or "{}", "This is not JSON yet")
        if not isinstance(found, dict):
            raise ValueError("A schema is a JSON object.")
        return found
    places = [each for each in sent.get(f"{name}.places", ()) if mine != "unfield" or not _within(each, place)]

    def fields_in(parent: str) -> tuple[Property, ...]:
        inside = [each for each in places if each.rpartition(".")[0] == parent]
        new = (Property(""),) if mine == "field" and place == parent else ()
        return (*(_property(each, one, fields_in(each)) for each in inside), *new)

    shape = Shape(fields_in(""), _kept(one("kept")))
    return write(_named(shape)) if shape.fields else shape.kept


def _property(place: str, one: Any, inner: tuple[Property, ...]) -> Property:
    said = one(f"{place}.kind")
    kind: Kind = next((code for code, _ in KINDS if code == said), "text")
    options = tuple(part.strip() for part in one(f"{place}.options").split(",") if part.strip())
    return Property(
        one(f"{place}.name").strip()[:80],
        kind,
        one(f"{place}.many") == "yes",
        one(f"{place}.required") == "yes",
        one(f"{place}.description").strip()[:500],
        options or (("choice",) if kind == "choice" else ()),
        inner if kind == "object" else (),
        _kept(one(f"{place}.kept")),
    )


def _named(shape: Shape) -> Shape:
    """A new field has a name from the start: without one it would be gone when the form comes back."""

    def named(fields: tuple[Property, ...]) -> tuple[Property, ...]:
        taken = {each.name for each in fields if each.name}
        found = []
        for each in fields:
            name = each.name
            while not name or (not each.name and name in taken):
                name = f"field_{len(taken) + 1}" if not name else f"{name}_"
            taken.add(name)
            found.append(msgspec.structs.replace(each, name=name, inner=named(each.inner)))
        return tuple(found)

    return Shape(named(shape.fields), shape.kept)


def _within(place: str, ancestor: str) -> bool:
    return place == ancestor or place.startswith(f"{ancestor}.")


def _kept(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _json(text: str, problem: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        raise ValueError(f"{problem}: {fault}.") from None
