"""Sentences for people in static/src: t`…` and plural(n, "…", "…"), as static/src/words.js describes them."""

import re

from app.language.catalogue import SCRIPTS
from tools.words_kept import Collection

_T = re.compile(r"(?<![\w.$])t(`|\(\s*(?=[\"'`]))")
_PLURAL = re.compile(
    r"(?<![\w.$])plural\(.{1,120}?,\s*(?P<q>[\"'])(?P<one>(?:\\.|(?!(?P=q)).)*)(?P=q)\s*,\s*(?P<r>[\"'])(?P<many>(?:\\.|(?!(?P=r)).)*)(?P=r)",
    re.DOTALL,
)
_STRING = re.compile(r"([\"'])((?:\\.|(?!\1).)*)\1", re.DOTALL)


def scripts(source: str, path: str, collection: Collection) -> None:
    for found in _T.finditer(source):
        line = source.count("\n", 0, found.start()) + 1
        if found.group(1) == "`":
            collection.add(_template_literal(source, found.end()), "", path, line, SCRIPTS)
        elif text := _STRING.match(source, found.end()):
            collection.add(_unescaped(text.group(2)), "", path, line, SCRIPTS)
        elif source[found.end()] == "`":
            collection.add(_template_literal(source, found.end() + 1), "", path, line, SCRIPTS)
    for found in _PLURAL.finditer(source):
        line = source.count("\n", 0, found.start()) + 1
        collection.add(_unescaped(found.group("one")), _unescaped(found.group("many")), path, line, SCRIPTS)


def _template_literal(source: str, at: int) -> str:
    """`Run ${n} steps` → "Run {1} steps"; holes may hold anything, other template literals too."""
    out: list[str] = []
    number = 0
    while at < len(source) and source[at] != "`":
        if source.startswith("${", at):
            number += 1
            out.append(f"{{{number}}}")
            at = _after_hole(source, at + 2)
        elif source[at] == "\\":
            out.append(_unescaped(source[at : at + 2]))
            at += 2
        else:
            out.append(source[at])
            at += 1
    return "".join(out)


def _after_hole(source: str, at: int) -> int:
    depth = 1
    while at < len(source) and depth:
        sign = source[at]
        if sign in "\"'":
            literal = _STRING.match(source, at)
            at = literal.end() if literal else at + 1
            continue
        if sign == "`":
            at += 1
            while at < len(source) and source[at] != "`":
                at = _after_hole(source, at + 2) if source.startswith("${", at) else at + 1 + (source[at] == "\\")
        depth += (sign == "{") - (sign == "}")
        at += 1
    return at


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text)
