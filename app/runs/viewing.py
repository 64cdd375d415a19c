"""How a value is best read: as text, Markdown, a conversation, a table, a short list of fields, or JSON. Pure."""

import re
from typing import Any, Literal

import msgspec
from markupsafe import Markup, escape
from msgspec import Struct, field, structs

from app.runs.schema import schema
from app.web.words import markdown
from flows.stored import HASH, Stored, stored

MOST_ROWS, MOST_COLUMNS = 50, 8
MOST_TEXT = 60_000
"""Characters of a text, or of JSON, that a page shows; the download has all of it."""
MARKS = re.compile(r"^(#{1,6} |[-*] |\d+\. |> |```|\|.+\|)|\*\*[^*\n]+\*\*|\[[^\]\n]+\]\(https?://", re.MULTILINE)
HEADING = re.compile(r"<(/?)h[1-6]>")
KEY = re.compile(r"^(\s*)(&#34;.*?&#34;):", re.MULTILINE)

IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]{16,}")
"""An image written into a text. Drawings (SVG) are left out: they may hold scripts."""
MOST_IMAGE = 400_000

Shape = Literal["nothing", "text", "markdown", "plain", "table", "talk", "fields", "file", "image", "large", "json"]


class Call(Struct, frozen=True):
    """A tool that a model called."""

    name: str
    given: str
    gave: str = ""


class Turn(Struct, frozen=True):
    role: str
    text: str
    calls: list[Call] = field(default_factory=list)


class View(Struct, frozen=True):
    """A value ready to be shown. Which fields are filled depends on `shape`; `json` always is.

    `large`: its beginning is in `text`; `link`: where all of it is, below the run's address; `words`: what it is.
    `file`: the same; `words` is the first part of its media type.
    `schema`: its type in words. `cut`: characters that `json` lacks.
    """

    shape: Shape
    json: str
    text: str = ""
    more: int = 0
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    fields: list[tuple[str, "View"]] = field(default_factory=list)
    words: str = ""
    link: str = ""
    schema: str = ""
    cut: int = 0


def prose(text: str) -> Markup:
    """Markdown, with its headings as plain bold lines: the page has its own outline."""
    return Markup(HEADING.sub(lambda tag: "</p>" if tag[1] else '<p class="prose__head">', markdown(text)))  # noqa: S704


def lit(text: str) -> Markup:
    """JSON with its keys set apart, safe to show."""
    return Markup(KEY.sub(r'\1<span class="code__key">\2</span>:', str(escape(text))))  # noqa: S704 -- escaped first


def view(value: Any, deep: int = 1) -> View:
    """`deep`: levels of objects that are opened into fields; below, JSON."""
    made = _view(value, deep)
    if made.shape in ("nothing", "text", "markdown", "plain", "image", "large"):
        return made
    return structs.replace(made, schema=_cut(schema(value))[0], cut=_cut(_pretty(value))[1])


def _view(value: Any, deep: int) -> View:
    if (large := stored(value)) is not None:
        return _large(large)
    shown, cut = _cut(_pretty(value))
    if value is None or value in ("", [], {}):
        return View("nothing", shown)
    if isinstance(value, str) and len(value) < MOST_IMAGE and IMAGE.fullmatch(value):
        return View("image", shown, value, words=f"{value[5 : value.index(';')]} · {_bytes(len(value) * 3 // 4)}")
    if isinstance(value, str):
        text, left = _cut(value)
        return View("markdown" if MARKS.search(text[:4000]) else "text", shown, text, left)
    if isinstance(value, bool):
        return View("plain", shown, "yes" if value else "no")
    if isinstance(value, int | float):
        return View("plain", shown, f"{value:,}" if isinstance(value, int) else f"{value:g}")
    if isinstance(value, list):
        return _list(value, shown, cut)
    if isinstance(value, dict):
        return _object(value, shown, cut, deep)
    return View("json", shown, more=cut)


def _large(value: Stored) -> View:
    what = {
        "text": f"A text of {value.length:,} characters",
        "list": f"A list of {value.length:,}",
        "object": "An object",
        "other": "A value",
    }
    return View("large", value.begins, value.begins, words=f"{what[value.kind]}, {_bytes(value.size)}",
                link=f"values/{value.hash}")  # fmt: skip


def _list(value: list[Any], shown: str, cut: int) -> View:
    if all(_is_turn(each) for each in value):
        return View("talk", shown, turns=[_turn(each) for each in value[:MOST_ROWS]], more=len(value) - MOST_ROWS)
    if all(isinstance(each, dict) for each in value):
        columns = list(dict.fromkeys(key for each in value[:MOST_ROWS] for key in each))
        if 0 < len(columns) <= MOST_COLUMNS and all(_flat(each) for each in value[:MOST_ROWS]):
            rows = [[_cell(each.get(column)) for column in columns] for each in value[:MOST_ROWS]]
            return View("table", shown, columns=[str(c) for c in columns], rows=rows, more=len(value) - MOST_ROWS)
    if all(isinstance(each, str | int | float | bool) for each in value):
        rows = [[_cell(each)] for each in value[:MOST_ROWS]]
        return View("table", shown, rows=rows, more=len(value) - MOST_ROWS)
    return View("json", shown, more=cut)


def _object(value: dict[Any, Any], shown: str, cut: int, deep: int) -> View:
    if _is_turn(value):
        return View("talk", shown, turns=[_turn(value)])
    if set(value) >= {"id", "name", "media_type", "size"} and isinstance(value["size"], int):
        kind, size = str(value["media_type"]), value["size"]
        link = f"files/{value['id']}" if HASH.fullmatch(str(value["id"])) else ""
        return View(
            "file", shown, f"{value['name']} · {kind} · {_bytes(size)}", words=kind.partition("/")[0], link=link
        )
    if deep <= 0 or len(value) > 40:
        return View("json", shown, more=cut)
    values = value.get("values")
    if isinstance(values, dict) and values:  # dynamic ports are ports like all others
        value = {key: each for key, each in value.items() if key != "values"} | values
    return View("fields", shown, fields=[(str(key), view(each, deep - 1)) for key, each in value.items()])


def _is_turn(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        return False
    return any(key in value for key in ("text", "content", "tool_calls"))


def _turn(value: dict[str, Any]) -> Turn:
    said = value.get("text", value.get("content"))
    if isinstance(said, list):  # parts, as vendors send them
        said = "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in said)
    return Turn(value["role"], _cut(said if isinstance(said, str) else "" if said is None else _pretty(said))[0],
                [_call(each) for each in value.get("tool_calls") or () if isinstance(each, dict)])  # fmt: skip


def _call(value: dict[str, Any]) -> Call:
    asked = value.get("function") if isinstance(value.get("function"), dict) else value
    given = asked.get("arguments", asked.get("input", {})) if isinstance(asked, dict) else {}
    gave = value.get("result", value.get("output"))
    return Call(
        str(asked.get("name", "tool") if isinstance(asked, dict) else "tool"),
        _cut(given if isinstance(given, str) else _pretty(given))[0],
        "" if gave is None else _cut(gave if isinstance(gave, str) else _pretty(gave))[0],
    )


def _flat(value: dict[Any, Any]) -> bool:
    return all(not isinstance(each, dict | list) or len(_pretty(each)) < 80 for each in value.values())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _bytes(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _cut(text: str) -> tuple[str, int]:
    return (text, 0) if len(text) <= MOST_TEXT else (text[:MOST_TEXT], len(text) - MOST_TEXT)
