"""Where settings hold expressions: the holes `{{ cel }}` of a Template, the whole text of an Expression.

Only finds them and the names they use, so that those names become ports. Evaluation is in flows/expressions.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import UNSET, Struct

from flows.sdk.annotations import CONDITION, EXPRESSION, TEMPLATE
from flows.sdk.ports import extra

Kind = Literal["template", "expression"]
HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
STRINGS = re.compile(r"""[rR]?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
NAME = re.compile(r"(?<![\w.])(?<!\.\s)([A-Za-z_]\w*)(?!\w*\s*\()")
BOUND = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(\s*([A-Za-z_]\w*)\s*,")
WORDS = frozenset(
    {"true", "false", "null", "in", "int", "uint", "double", "string", "bool", "bytes", "list", "map", "type"}
)
VARS = "vars"
GIVEN = frozenset({"input", VARS})
"""Names every expression knows without a port: the run's input, and the variables of the workspace."""
READ = re.compile(r"(?<![\w.])vars(?!\w)")
DOTTED = re.compile(r"(?<![\w.])vars\s*\.\s*([A-Za-z_]\w*)")
BRACKETED = re.compile(r"""(?<![\w.])vars\s*\[\s*["']([^"'\\]*)["']\s*\]""")
ASKED = re.compile(r"\bhas\s*\(\s*vars\s*\.\s*([A-Za-z_]\w*)\s*\)")


@lru_cache(maxsize=4096)
def names_in(source: str) -> tuple[str, ...]:
    """The variables a CEL text reads, in order of appearance, without `input` and names bound by map, filter, …"""
    text = STRINGS.sub("''", source)
    local = set(BOUND.findall(text))
    found = dict.fromkeys(name for name in NAME.findall(text) if name not in WORDS | GIVEN | local)
    return tuple(found)


@lru_cache(maxsize=4096)
def names_in_template(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for hole in HOLE.findall(text) for name in names_in(hole)))


def names_in_settings(settings: Struct) -> tuple[str, ...]:
    """The variables all templates and expressions of these settings read together."""
    found: dict[str, None] = {}
    for kind, text, own in _texts(type(settings), settings):
        names = names_in(text) if kind == EXPRESSION else names_in_template(text)
        found.update(dict.fromkeys(name for name in names if name not in own))
    return tuple(found)


@lru_cache(maxsize=4096)
def vars_in(source: str) -> tuple[str, ...]:
    """The variables of the workspace that a CEL text reads (`vars.name`); () = none, "" = it reads no particular one.

    One that it asks for by `has(vars.name)` may be missing, so it is no particular one.
    """
    text = STRINGS.sub("''", source)
    if not READ.search(text):
        return ()
    named = dict.fromkeys([*DOTTED.findall(text), *BRACKETED.findall(source)])
    return tuple(name for name in named if name not in ASKED.findall(text)) or ("",)


def vars_in_settings(settings: Struct) -> tuple[str, ...]:
    """The variables of the workspace that all templates and expressions of these settings read together."""
    found: dict[str, None] = {}
    for kind, text, _ in _texts(type(settings), settings):
        if VARS in text:
            for source in [text] if kind == EXPRESSION else HOLE.findall(text):
                found.update(dict.fromkeys(vars_in(source)))
    return tuple(found)


@lru_cache(maxsize=1024)
def own_names(annotation: Any) -> tuple[str, ...]:
    """The variables that the rounds of a container give to an expression marked with `late`; () for all others."""
    return tuple(extra(annotation, "x-late") or ())


@lru_cache(maxsize=1024)
def holds(annotation: Any) -> Kind | Literal["inside", ""]:
    """Whether a field of this annotation is a template or expression itself, has one inside, or neither."""
    widget = extra(annotation, "x-widget")
    if widget == TEMPLATE:
        return "template"
    if widget in (EXPRESSION, CONDITION):
        return "expression"
    return "inside" if any(holds(part) for part in _parts(annotation)) else ""


@lru_cache(maxsize=1024)
def hints_of(kind: type[Struct]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _parts(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return (get_args(annotation)[0],)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return tuple(hints_of(annotation).values())
    return tuple(a for a in get_args(annotation) if not isinstance(a, str | int))


def _texts(annotation: Any, value: Any) -> Iterator[tuple[Kind, str, tuple[str, ...]]]:
    match holds(annotation):
        case "template" | "expression" as kind:
            if isinstance(value, str):
                yield kind, value, own_names(annotation)
        case "inside":
            for part, piece in pieces(annotation, value):
                yield from _texts(part, piece)


def pieces(annotation: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a value with their annotations: fields of a struct, elements of a list, values of a dict."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(value, Struct):
        hints = hints_of(type(value))
        for name in value.__struct_fields__:  # not msgspec.structs.fields(): that works out every annotation anew
            yield hints[name], getattr(value, name)
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            if value is not None and value is not UNSET and holds(member):
                yield member, value
                return
    elif isinstance(value, list | tuple):
        element = (get_args(annotation) or (Any,))[0]
        for item in value:
            yield element, item
    elif isinstance(value, dict):
        element = (*get_args(annotation), Any, Any)[1]
        for item in value.values():
            yield element, item
