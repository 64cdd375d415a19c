"""A template's source as a row of tokens: HTML, with Jinja in it. Joined again they are the source, to the letter."""

import re
from collections.abc import Iterator

from msgspec import Struct

SILENT = frozenset("script style pre textarea svg".split())
"""Elements whose content is no language: one token of kind "silent"."""
_TAG = re.compile(r"</?([a-zA-Z][\w-]*)")
_NEXT = re.compile(r"\{\{|\{%|\{#|<!--|<!|</?[a-zA-Z]")
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)


class Token(Struct, frozen=True):
    """kind: text | output | statement | comment | open | close | silent | border (a declaration)."""

    kind: str
    code: str
    name: str = ""


def tokens(source: str) -> Iterator[Token]:
    at = 0
    while at < len(source):
        found = _NEXT.search(source, at)
        if found is None:
            yield Token("text", source[at:])
            return
        if found.start() > at:
            yield Token("text", source[at : found.start()])
        at = found.start()
        token = _token(source, at)
        yield token
        at += len(token.code)
        if token.kind == "open" and token.name in SILENT and not token.code.endswith("/>"):
            end = source.find(f"</{token.name}", at)
            end = len(source) if end < 0 else end
            yield Token("silent", source[at:end], token.name)
            at = end


def _token(source: str, at: int) -> Token:
    two = source[at : at + 2]
    if two == "{#":
        return Token("comment", source[at : _after(source, "#}", at)])
    if two == "{{":
        return Token("output", source[at : end_of_jinja(source, at)])
    if two == "{%":
        raw = _RAW.match(source, at)
        return Token("statement", raw.group() if raw else source[at : end_of_jinja(source, at)])
    if source.startswith("<!--", at):
        return Token("comment", source[at : _after(source, "-->", at)])
    if two == "<!":
        return Token("border", source[at : _after(source, ">", at)])
    tag = _TAG.match(source, at)
    name = tag.group(1).lower() if tag else ""
    return Token("close" if two == "</" else "open", source[at : _end_of_tag(source, at)], name)


def _after(source: str, sign: str, at: int) -> int:
    end = source.find(sign, at)
    return len(source) if end < 0 else end + len(sign)


def end_of_jinja(source: str, at: int) -> int:
    """Index behind the `}}` or `%}` that closes what opens at `at`; quotes and brackets inside are skipped."""
    close = "}}" if source[at + 1] == "{" else "%}"
    quote, depth, i = "", 0, at + 2
    while i < len(source):
        sign = source[i]
        if quote:
            i += 1 if sign == "\\" else 0
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif depth <= 0 and source.startswith(close, i):
            return i + 2
        elif sign in "{[(":
            depth += 1
        elif sign in "}])":
            depth -= 1
        i += 1
    return len(source)


def _end_of_tag(source: str, at: int) -> int:
    """Index behind the `>` of a tag: not one inside quotes, nor one inside Jinja."""
    quote = ""
    while at < len(source):
        if source.startswith(("{{", "{%"), at):
            at = end_of_jinja(source, at)
            continue
        if source.startswith("{#", at):
            at = _after(source, "#}", at)
            continue
        sign = source[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == ">":
            return at + 1
        at += 1
    return at
