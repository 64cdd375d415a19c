"""Conditions as sentences: "When order.total is greater than 10 and order.country is DE". The document holds the CEL.

`write` makes it of a sentence, sentence_reading.py finds the sentence in it, or None: then it stays an expression.
What a person types as the other side: `10`, `Berlin`, `"10"` for the text, `{{ limit }}` for another value.
"""

import re
from typing import Literal

from msgspec import Struct

from app.studio.sentence_words import BY_CODE, Comparison, Kind
from flows.sdk.holes import HOLE

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\]|\[\"[^\"\\]*\"\])*")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


class Clause(Struct, frozen=True):
    """One comparison. `other` is what stands in its field, as a person would type it."""

    value: str
    op: str
    other: str = ""


class Sentence(Struct, frozen=True):
    """Inside a group all clauses or any of them must hold; between groups it is the other way round."""

    match: Literal["all", "any"] = "all"
    groups: tuple[tuple[Clause, ...], ...] = ()

    @property
    def between(self) -> str:
        return "or" if self.match == "all" else "and"


def write(sentence: Sentence) -> str:
    """The CEL of a sentence; clauses without a value are left out."""
    inner, outer = (" && ", " || ") if sentence.match == "all" else (" || ", " && ")
    groups = [[_written(clause) for clause in group if clause.value.strip()] for group in sentence.groups]
    groups = [group for group in groups if group]
    if len(groups) == 1:
        return inner.join(groups[0])
    return outer.join(f"({inner.join(group)})" if len(group) > 1 else group[0] for group in groups)


def said(sentence: Sentence) -> str:
    """As a person reads it: "order.total is greater than 10 and order.country is DE"."""
    inner = " and " if sentence.match == "all" else " or "
    groups = [inner.join(_said(clause) for clause in group) for group in sentence.groups if group]
    if len(groups) < 2:
        return "".join(groups)
    bare = [f"({words})" if len(group) > 1 else words for words, group in zip(groups, sentence.groups, strict=True)]
    return f" {sentence.between} ".join(bare)


def _said(clause: Clause) -> str:
    comparison = BY_CODE.get(clause.op) or BY_CODE["is"]
    hole = HOLE.fullmatch(clause.other.strip())
    other = (hole.group(1).strip() if hole is not None else clause.other) if comparison.other else ""
    return " ".join(part for part in (clause.value.strip(), comparison.words, other) if part)


def _written(clause: Clause) -> str:
    comparison: Comparison = BY_CODE.get(clause.op) or BY_CODE["is"]
    value = clause.value.strip()
    value = value if PATH.fullmatch(value) else f"({value})"
    # Both at once: what stands in the value may itself look like a place for the other side.
    return re.sub(
        r"\{[vo]\}", lambda m: value if m[0] == "{v}" else _literal(clause.other, comparison.other), comparison.cel
    )


def _literal(typed: str, kind: Kind) -> str:
    hole = HOLE.fullmatch(typed.strip())
    if hole is not None and PATH.fullmatch(hole.group(1).strip()):
        path = hole.group(1).strip()
        return f"timestamp({path})" if kind == "moment" else path
    match kind:
        case "list":
            return f"[{', '.join(_literal(part.strip(), 'any') for part in typed.split(',') if part.strip())}]"
        case "moment":
            return f"timestamp({_quoted(typed + 'T00:00:00Z' if DAY.fullmatch(typed.strip()) else typed)})"
        case "same":
            return _quoted(f"(?i)^{escaped(typed)}$")
        case "part":
            return _quoted(f"(?i){escaped(typed)}")
        case "any" | "number" if NUMBER.fullmatch(typed.strip()):
            return typed.strip()
    return _quoted(typed[1:-1] if in_quotes(typed) else typed)


def in_quotes(typed: str) -> bool:
    return len(typed) > 1 and typed[0] == typed[-1] == '"'


def _quoted(text: str) -> str:
    marks = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
    for mark, written in marks:
        text = text.replace(mark, written)
    return f'"{text}"'


def escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)
