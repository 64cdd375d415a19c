"""One sentence of a template: its English message with numbered places, and a translation with its code in them."""

import html
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from app.language.catalogue import PLACE
from app.language.source import Token

GRAPHIC = re.compile(r"\{\{-?\s*(?:icon|mark|tile|avatar|port|csrf)\(")
"""Outputs that are pictures: at the edge of a sentence they are no part of it."""
LETTERS = re.compile(r"[^\W\d_]{2}")
_COUNTED = re.compile(
    r"""\{\{\s*(?P<q>["'])(?P<a>[^"']*)(?P=q)\s+if\s+(?P<n>[^{}]+?)\s*(?P<op>==|!=|>)\s*1\s+"""
    r"""else\s+(?P<r>["'])(?P<b>[^"']*)(?P=r)\s*\}\}""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s+")


class Element(Struct, frozen=True):
    """`children` None: kept whole, `code` is all of it."""

    code: str
    close: str = ""
    children: "list[Node] | None" = None


Node = Token | Element


class Unit(Struct, frozen=True):
    """`values`: code of {1}, {2}, …; `elements`: (opening, closing) code of <1>, <2>, …; closing "" = kept whole."""

    message: str
    plural: str
    count: str
    values: tuple[str, ...]
    elements: tuple[tuple[str, str], ...]


def code_of(node: Node) -> str:
    if isinstance(node, Element) and node.children is not None:
        return node.code + "".join(map(code_of, node.children)) + node.close
    return node.code


def unit_of(nodes: Sequence[Node]) -> Unit:
    counts = {m.group("n") for m in map(_COUNTED.fullmatch, _outputs(nodes)) if m}
    counted = len(counts) == 1
    one, many = _Message(counted, 0), _Message(counted, 1)
    one.add(nodes)
    many.add(nodes)
    plural = many.text() if counted else ""
    return Unit(one.text(), plural, counts.pop() if counted else "", tuple(one.values), tuple(one.elements))


def _outputs(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Element):
            yield from _outputs(node.children or ())
        elif node.kind == "output":
            yield node.code


class _Message:
    """Collects the English text of a unit, its values and its elements. `which`: 0 = singular, 1 = plural."""

    def __init__(self, counted: bool, which: int) -> None:
        self.parts: list[str] = []
        self.values: list[str] = []
        self.elements: list[tuple[str, str]] = []
        self.counted, self.which = counted, which

    def text(self) -> str:
        return _SPACE.sub(" ", "".join(self.parts)).strip()

    def add(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, Element):
                self._element(node)
            elif node.kind == "text":
                self.parts.append(html.unescape(node.code))
            elif self.counted and (choice := _COUNTED.fullmatch(node.code)):
                one, many = choice.group("a"), choice.group("b")
                self.parts.append((one, many)[self.which] if choice.group("op") == "==" else (many, one)[self.which])
            else:
                self.values.append(marked(node.code))
                self.parts.append(f"{{{len(self.values)}}}")

    def _element(self, node: Element) -> None:
        self.elements.append((node.code, node.close))
        number = len(self.elements)
        if node.children is None:
            self.parts.append(f"<{number}/>")
            return
        self.parts.append(f"<{number}>")
        self.add(node.children)
        self.parts.append(f"</{number}>")


def assemble(text: str, unit: Unit) -> str:
    """A translation with the unit's code in the places of its numbers; all else in it is escaped text.

    `text` was checked when its catalogue was read (catalogue.faults): every number in it is one of the unit's.
    """
    out: list[str] = []
    at = 0
    for place in PLACE.finditer(text):
        out.append(_plain(text[at : place.start()]))
        at = place.end()
        value, closing, element, _ = place.groups()
        if value:
            out.append(unit.values[int(value) - 1])
        else:
            out.append(unit.elements[int(element) - 1][1 if closing else 0])
    return "".join([*out, _plain(text[at:])])


def _plain(text: str) -> str:
    return html.escape(text, quote=True).replace("{", "&#123;").replace("}", "&#125;")


def marked(output: str, by: str = "said") -> str:
    """{{ x }} → {{ (x)|said }}: expressions.py decides whether `x` can hold words of ours."""
    if GRAPHIC.match(output):
        return output
    start = 3 if output[2:3] in "-+" else 2
    end = -3 if output[-3:-2] in "-+" else -2
    return f"{output[:start]} ({output[start:end].strip()})|{by} {output[end:]}"
