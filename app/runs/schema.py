"""The type of a value, worked out from the value itself, as lines to read: `orders: list of 3 { sku: text }`. Pure.

Elements of a list are put together into one: a field that some of them lack is marked "?", one that differs is "or".
"""

from typing import Any

from flows.stored import stored

MOST_ELEMENTS = 500
"""Of a list; those after them are taken to look like these."""
MOST_FIELDS = 200
DEEPEST = 12

Kinds = dict[str, Any]
"""Kind → what is known of it: of "object" its fields, of "list" its length and element. Fields: (kinds, optional)."""


def schema(value: Any) -> str:
    """Indented text, two spaces a level."""
    return _written(_kinds(value, 0), "")


def _kinds(value: Any, depth: int) -> Kinds:
    if (large := stored(value)) is not None:
        return {f"{large.kind} in storage": None}
    if value is None:
        return {"nothing": None}
    if isinstance(value, bool):
        return {"yes or no": None}
    if isinstance(value, int | float):
        return {"number": None}
    if isinstance(value, str):
        return {"text": None}
    if isinstance(value, dict):
        if depth >= DEEPEST:
            return {"object": {}}
        fields = {str(key): (_kinds(each, depth + 1), False) for key, each in list(value.items())[:MOST_FIELDS]}
        return {"object": fields}
    element: Kinds = {}
    for each in value[:MOST_ELEMENTS] if depth < DEEPEST else ():
        element = _merged(element, _kinds(each, depth + 1))
    return {"list": (len(value), element)}


def _merged(a: Kinds, b: Kinds) -> Kinds:
    if not a:
        return b
    both = dict(a)
    for kind, more in b.items():
        if kind not in both:
            both[kind] = more
        elif kind == "object":
            both[kind] = _fields(both[kind], more)
        elif kind == "list":
            (m, one), (n, other) = both[kind], more
            both[kind] = (m if m == n else None, _merged(one, other))
    return both


def _fields(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name in [*a, *(name for name in b if name not in a)][:MOST_FIELDS]:
        left, right = a.get(name), b.get(name)
        if left is not None and right is not None:
            found[name] = (_merged(left[0], right[0]), left[1] or right[1])
        else:
            found[name] = ((left or right)[0], True)  # type: ignore[index]
    return found


def _written(kinds: Kinds, indent: str) -> str:
    return " or ".join(_one(kind, more, indent) for kind, more in kinds.items()) or "nothing"


def _one(kind: str, more: Any, indent: str) -> str:
    if kind == "object":
        if not more:
            return "object"
        inner = indent + "  "
        lines = [
            f"{inner}{name}{'?' if maybe else ''}: {_written(part, inner)}" for name, (part, maybe) in more.items()
        ]
        return "{\n" + "\n".join(lines) + f"\n{indent}}}"
    if kind == "list":
        number, element = more
        many = f" of {number}" if number is not None else ""
        return f"list{many}" if not element else f"list{many}: {_written(element, indent)}"
    return kind
