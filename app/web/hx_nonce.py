"""Writes the page's nonce beside the hx-* attributes of our own templates, so that nobody has to remember it.

htmx runs with its gate hx-csp (docs/adr/0006-htmx-nonce.md): an element without `hx-nonce` sends nothing. The stamp is
put in when a template is compiled, thus on what we wrote and never on what a value brought into the page: text of
models, visitors and packages that slips through as HTML stays inert.
"""

import re

from jinja2.ext import Extension

STAMP = ' hx-nonce="{{ nonce }}"'
_OPENING = re.compile(r"<[a-zA-Z][\w-]*")
_NEEDS = re.compile(r"(?<!\w)hx-[a-z]|\bxmlattr\b")
_SKIP = re.compile(r"\{#.*?#\}|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|<!--.*?-->", re.DOTALL)
_JINJA = {"{{": "}}", "{%": "%}", "{#": "#}"}


class StampNonce(Extension):
    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return stamp(source)


def stamp(source: str) -> str:
    """Every opening tag that has an hx-* attribute, or takes attributes from a dict (`xmlattr`), gets the nonce.

    A tag that carries hx-nonce already is left alone; comments and raw blocks are not looked at. Lines stay lines, so
    error messages of Jinja keep their numbers.
    """
    out: list[str] = []
    at = 0
    while match := _OPENING.search(source, at):
        skipped = _SKIP.search(source, at)
        if skipped and skipped.start() < match.start():
            out.append(source[at : skipped.end()])
            at = skipped.end()
            continue
        end = _end_of_tag(source, match.end())
        tag = source[match.end() : end]
        stamped = _NEEDS.search(tag) and "hx-nonce" not in tag
        out += [source[at : match.end()], STAMP if stamped else "", tag]
        at = end
    out.append(source[at:])
    return "".join(out)


def _end_of_tag(source: str, at: int) -> int:
    """Index of the `>` that closes the tag: not one inside quotes, nor one inside a Jinja expression."""
    quote = ""
    while at < len(source):
        two = source[at : at + 2]
        if two in _JINJA:
            close = source.find(_JINJA[two], at + 2)
            at = len(source) if close < 0 else close + 2
            continue
        sign = source[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == ">":
            return at
        at += 1
    return at
