"""A CEL text as a sentence of the comparisons of sentence_words.py, or None: then it stays an expression."""

import re
from collections.abc import Sequence

from msgspec import Struct

from app.studio.sentence_words import BY_CODE, Kind
from app.studio.sentences import NUMBER, PATH, Clause, Sentence, escaped, in_quotes

MOST_CLAUSES = 60
TOKEN = re.compile(
    r"""\s+|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<mark>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:,.(){}\[\]])"""
)
COMPARE = ("==", "!=", "<", "<=", ">", ">=", "in")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class Token(Struct, frozen=True):
    kind: str
    text: str
    start: int
    end: int


Tokens = Sequence[Token]


def read(text: str) -> Sentence | None:
    """None for what is no sentence of these comparisons. Empty text is the sentence without a clause."""
    if not text.strip():
        return Sentence()
    every = _tokens(text)
    if not every or len(every) > 40 * MOST_CLAUSES:
        return None
    tokens = _bare(every)
    outer, inner = ("||", "&&") if len(_split(tokens, "||")) > 1 else ("&&", "||")
    parts = [_split(_bare(part), inner) for part in _split(tokens, outer)]
    groups = [tuple(_clause(text, _bare(atom)) for atom in part) for part in parts]
    found = [tuple(clause for clause in group if clause is not None) for group in groups]
    if found != groups or not 0 < sum(map(len, found)) <= MOST_CLAUSES:
        return None
    if all(len(group) == 1 for group in found):
        return Sentence("all" if outer == "&&" else "any", (tuple(group[0] for group in found),))
    return Sentence("all" if inner == "&&" else "any", tuple(found))


def _tokens(text: str) -> list[Token] | None:
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            return None
        if match.lastgroup is not None:
            found.append(Token(match.lastgroup, match.group(), match.start(), match.end()))
        at = match.end()
    depth = 0
    for token in found:
        depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "mark" else 0
        if depth < 0:
            return None
    return found if depth == 0 else None


def _split(tokens: Tokens, mark: str) -> list[Tokens]:
    parts: list[Tokens] = []
    depth, start = 0, 0
    for i, token in enumerate(tokens):
        depth += _deeper(token)
        if depth == 0 and token.kind == "mark" and token.text == mark:
            parts.append(tokens[start:i])
            start = i + 1
    return [*parts, tokens[start:]]


def _deeper(token: Token) -> int:
    return (token.text in "([{") - (token.text in ")]}") if token.kind == "mark" else 0


def _bare(tokens: Tokens) -> Tokens:
    """Without the parentheses around the whole."""
    while len(tokens) > 2 and tokens[0].text == "(" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: Tokens, opening: int) -> int:
    depth = 0
    for i in range(opening, len(tokens)):
        depth += _deeper(tokens[i])
        if depth == 0:
            return i
    return -1


def _clause(text: str, tokens: Tokens) -> Clause | None:
    if not tokens:
        return None
    at = [i for i, token in enumerate(tokens) if token.text in COMPARE and token.kind != "text" and _top(tokens, i)]
    logic = any(
        token.text in ("&&", "||", "?") and token.kind == "mark" and _top(tokens, i) for i, token in enumerate(tokens)
    )
    if logic or len(at) > 1 or 0 in at or len(tokens) - 1 in at:
        return None
    if tokens[0].text == "!" and not at:
        return _negated(text, _bare(tokens[1:]))
    if at:
        return _compared(text, tokens[: at[0]], tokens[at[0]].text, tokens[at[0] + 1 :])
    return _called(text, tokens)


def _top(tokens: Tokens, index: int) -> bool:
    return sum(_deeper(token) for token in tokens[:index]) == 0


NEGATED = {"contains": "contains-not", "holds": "holds-not", "one-of": "none-of", "there": "missing", "yes": "no"}


def _negated(text: str, tokens: Tokens) -> Clause | None:
    found = _clause(text, tokens)
    if (
        found is None
        or found.op not in NEGATED
        or (found.op == "yes" and len(tokens) > 1 and tokens[-1].text == "true")
    ):
        return None
    return Clause(found.value, NEGATED[found.op], found.other)


def _compared(text: str, left: Tokens, mark: str, right: Tokens) -> Clause | None:
    if mark == "in":
        return _among(text, left, right)
    fixed = {("==", "true"): "yes", ("==", "false"): "no", ("==", "null"): "nothing", ("!=", "null"): "something"}
    if len(right) == 1 and right[0].kind == "name" and (mark, right[0].text) in fixed:
        return _of(text, left, fixed[mark, right[0].text])
    around, inner = _call(left)
    if around == "size":
        if len(right) == 1 and right[0].text == "0" and mark in ("==", ">"):
            return _of(text, inner, "empty" if mark == "==" else "filled")
        return _with(text, inner, {">": "longer", "<": "shorter"}.get(mark, ""), right)
    if around == "double" and mark in "<>":
        return _with(text, inner, "number-more" if mark == ">" else "number-less", right)
    if around == "timestamp" and mark in "<>":
        outside, moment = _call(right)
        return _with(text, inner, "after" if mark == ">" else "before", moment) if outside == "timestamp" else None
    codes = {"==": "is", "!=": "is-not", ">": "more", ">=": "least", "<": "less", "<=": "most"}
    return _with(text, left, codes[mark], right)


def _among(text: str, left: Tokens, right: Tokens) -> Clause | None:
    """`v in ["a", 1]`, or `"a" in v`."""
    if right[0].text == "[" and _closing(right, 0) == len(right) - 1:
        items = [_other(text, part, "any") for part in _split(right[1:-1], ",")] if len(right) > 2 else []
        if not items or any(item is None or "," in item or item != item.strip() or not item for item in items):
            return None
        return _of(text, left, "one-of", ", ".join(item for item in items if item is not None))
    other = _other(text, left, "any")
    return None if other is None else _of(text, right, "holds", other)


def _called(text: str, tokens: Tokens) -> Clause | None:
    """`v.contains("x")`, `has(v.x)`, or a bare value that is yes or no."""
    around, inner = _call(tokens)
    if around == "has":
        return _of(text, inner, "there")
    opening = next(
        (i for i in range(len(tokens)) if tokens[i].text == "(" and _closing(tokens, i) == len(tokens) - 1), 0
    )
    method = tokens[opening - 1].text if opening > 2 and tokens[opening - 2].text == "." else ""
    codes = {"contains": "contains", "startsWith": "starts", "endsWith": "ends", "matches": "pattern"}
    if method in codes and tokens[-1].text == ")":
        return _with(text, tokens[: opening - 2], codes[method], tokens[opening + 1 : -1])
    if PATH.fullmatch(_source(text, tokens)) and tokens[0].text not in ("true", "false", "null"):
        return _of(text, tokens, "yes")
    return None


def _call(tokens: Tokens) -> tuple[str, Tokens]:
    """The name and the inside of `name(…)`; "" for anything else."""
    if (
        len(tokens) > 3
        and tokens[0].kind == "name"
        and tokens[1].text == "("
        and _closing(tokens, 1) == len(tokens) - 1
    ):
        return tokens[0].text, tokens[2:-1]
    return "", ()


def _of(text: str, tokens: Tokens, op: str, other: str = "") -> Clause | None:
    tokens = _bare(tokens)
    return Clause(_source(text, tokens), op, other) if tokens else None


def _with(text: str, left: Tokens, op: str, right: Tokens) -> Clause | None:
    if not op or not left:
        return None
    other = _other(text, right, BY_CODE[op].other)
    if other is None:
        return None
    if op == "pattern" and other.startswith("(?i)"):
        plain = re.sub(r"\\(.)", r"\1", other.removeprefix("(?i)^").removesuffix("$"))
        if other == f"(?i)^{escaped(plain)}$":
            return _of(text, left, "same", plain)
        plain = re.sub(r"\\(.)", r"\1", other.removeprefix("(?i)"))
        if other == f"(?i){escaped(plain)}":
            return _of(text, left, "contains-any", plain)
    return _of(text, left, op, other)


def _source(text: str, tokens: Tokens) -> str:
    return text[tokens[0].start : tokens[-1].end] if tokens else ""


def _other(text: str, tokens: Tokens, kind: Kind) -> str | None:
    """A literal or another value, as a person would type it; None for anything else."""
    source = _source(text, tokens)
    if NUMBER.fullmatch(source):
        return source if kind in ("any", "number") else None
    if len(tokens) == 1 and tokens[0].kind == "text":
        literal = _unquoted(source)
        if literal is None:
            return None
        quotes = (kind == "any" and NUMBER.fullmatch(literal)) or kind == "number" or "{{" in literal
        return f'"{literal}"' if quotes or in_quotes(literal) else literal
    return f"{{{{ {source} }}}}" if PATH.fullmatch(source) and source not in ("true", "false", "null") else None


def _unquoted(source: str) -> str | None:
    parts, at, inner = [], 0, source[1:-1]
    while at < len(inner):
        if inner[at] == "\\":
            if inner[at + 1] not in ESCAPES:
                return None
            parts.append(ESCAPES[inner[at + 1]])
            at += 1
        else:
            parts.append(inner[at])
        at += 1
    return "".join(parts)
