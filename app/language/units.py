"""Whole sentences of a template, cut out of its source.

Templates carry no marks. Their source is read as HTML with Jinja in it, and cut into *units*: the longest stretch of
text, `{{ … }}` and inline elements between block elements and `{% … %}`. A unit has an English message (its id) with
numbered places for values `{1}`, elements `<1>…</1>` and elements kept whole `<1/>` (code, keys, pictures). A
translation is put together again from the unit's own code: it may move a value or a tag, it can't make one.

Attributes that hold words (ATTRIBUTES) are units of their own. `script`, `style`, `pre`, `textarea`, `svg` and comments
are left as they are.
"""

import html
import re
from collections.abc import Callable, Sequence

from app.language.catalogue import PLACE, Translated
from app.language.message import GRAPHIC, LETTERS, Element, Node, assemble, code_of, marked, unit_of
from app.language.source import Token, end_of_jinja, tokens

ATTRIBUTES = frozenset(
    "title alt placeholder aria-label aria-description aria-valuetext aria-roledescription data-tip data-tip-narrow "
    "data-empty data-verb label".split()
)
"""Attributes that people read or hear."""
MIXED = frozenset("data-kind data-problem".split())
"""Attributes that hold words of ours or a word of machines: only values that sound like words are looked up."""
INLINE = frozenset("a abbr b bdi br cite del em i ins mark q relative-time s small span strong sub sup time u".split())
WHOLE = frozenset("code kbd samp svg var".split())
"""Elements inside a sentence whose content is no language."""
VOID = frozenset("br".split())
_CODE = re.compile(r"""\w--\w|=["']|^[?&/]|\w=\{|<[^/\d]|\{[^\d]""")
"""No sentence: names of classes, pieces of tags and addresses that stand alone in a macro or block, JSON."""
_SWITCH = re.compile(r"\s(?:required|checked|selected|disabled|readonly|hidden|open|autofocus|multiple)")
"""A piece of a tag: {% if optional %} required{% endif %}."""
_CODE_OF_KEY = re.compile(r"""<span\s[^>]*class="key[" ]""")

Find = Callable[[str, str], Translated | None]
"""(message, its plural or "") → the translation; None = stay English. The collector of tools/words_found.py is one."""


def translate(source: str, find: Find) -> str:
    """The source in another language. What `find` does not know stays as it is; outputs that people see are marked with
    the filter `said`, for expressions.py.
    """
    return _texts(_attributes(source, find), find)


# ---------------------------------------------------------------------------------------------------- attributes


def _attributes(source: str, find: Find) -> str:
    """Of every tag; those inside pictures as well, which are no text otherwise."""
    out = []
    for token in tokens(source):
        if token.kind == "silent" and token.name == "svg":
            out.append(_attributes(token.code, find))
        else:
            out.append(_in_tag(token.code, find) if token.kind == "open" else token.code)
    return "".join(out)


_NAME = re.compile(r"""(?<![\w-])([a-zA-Z][\w-]*)=(["'])""")


def _in_tag(tag: str, find: Find) -> str:
    out: list[str] = []
    at = done = 0
    while at < len(tag):
        if tag.startswith(("{{", "{%"), at):
            at = end_of_jinja(tag, at)
            continue
        found = _NAME.match(tag, at)
        if found is None:
            at += 1
            continue
        quote, start = found.group(2), found.end()
        at = start
        while at < len(tag) and tag[at] != quote:
            at = end_of_jinja(tag, at) if tag.startswith(("{{", "{%"), at) else at + 1
        if found.group(1).lower() in ATTRIBUTES:
            out += [tag[done:start], _words(tag[start:at], find)]
            done = at
        elif found.group(1) in MIXED and tag.startswith("{{", start):
            out += [
                tag[done:start],
                marked(tag[start:at], "told") if end_of_jinja(tag, start) == at else tag[start:at],
            ]
            done = at
        at += 1
    return "".join([*out, tag[done:]])


def _words(value: str, find: Find) -> str:
    """The value of an attribute: text and outputs between statements are units."""
    out: list[str] = []
    run: list[Node] = []
    for token in [*tokens(value), Token("statement", "")]:
        if token.kind in ("text", "output"):
            run.append(token)
            continue
        out += [_said(run, find), token.code]
        run = []
    return "".join(out)


# ---------------------------------------------------------------------------------------------------------- text


def _texts(source: str, find: Find) -> str:
    out: list[str] = []
    run: list[Token] = []
    keeping = ""
    for token in [*tokens(source), Token("border", "")]:
        if keeping or (token.kind == "open" and token.name in WHOLE and not _single(token)):
            run.append(token)
            keeping = keeping or token.name
            if token.kind == "close" and token.name == keeping:
                keeping = ""
            continue
        if token.kind in ("text", "output") or (token.kind in ("open", "close") and token.name in INLINE):
            run.append(token)
            continue
        out += [_run(run, find), token.code]
        run = []
    return "".join(out)


def _run(run: Sequence[Token], find: Find) -> str:
    """A stretch without block elements. Tags that do not find their other half in it are borders as well."""
    alone = _unmatched(run)
    out: list[str] = []
    part: list[Token] = []
    for place, token in enumerate(run):
        if place in alone:
            out += [_level(_tree(part), find), token.code]
            part = []
        else:
            part.append(token)
    return "".join([*out, _level(_tree(part), find)])


def _unmatched(run: Sequence[Token]) -> set[int]:
    """Places of tags without their other half, of statements, and of every pair that holds one of these."""
    waiting: list[int] = []
    pairs: list[tuple[int, int]] = []
    alone: set[int] = set()
    for place, token in enumerate(run):
        if token.kind == "open" and not _single(token):
            waiting.append(place)
        elif token.kind == "close":
            at = next((i for i in reversed(range(len(waiting))) if run[waiting[i]].name == token.name), None)
            if at is None:
                alone.add(place)
            else:
                alone.update(waiting[at + 1 :])
                pairs.append((waiting[at], place))
                del waiting[at:]
        elif token.kind in ("statement", "comment", "border"):
            alone.add(place)
    alone.update(waiting)
    for start, end in pairs:  # the inner ones come first
        if any(start < place < end for place in alone):
            alone |= {start, end}
    return alone


def _single(tag: Token) -> bool:
    return tag.name in VOID or tag.code.endswith("/>")


def _tree(run: Sequence[Token]) -> list[Node]:
    top: list[Node] = []
    levels: list[tuple[Token, list[Node]]] = []
    here = top
    for token in run:
        if token.kind == "open" and _single(token):
            here.append(Element(token.code))
        elif token.kind == "open":
            levels.append((token, []))
            here = levels[-1][1]
        elif token.kind == "close":
            opened, children = levels.pop()
            here = levels[-1][1] if levels else top
            if opened.name in WHOLE or _CODE_OF_KEY.match(opened.code):
                here.append(Element(opened.code + "".join(map(code_of, children)) + token.code))
            else:
                here.append(Element(opened.code, token.code, children))
        else:
            here.append(token)
    return top


def _level(nodes: Sequence[Node], find: Find) -> str:
    """One unit where words stand at this level; otherwise each element for itself."""
    before, middle, after = _trimmed(nodes)
    if any(isinstance(n, Token) and n.kind == "text" and LETTERS.search(html.unescape(n.code)) for n in middle):
        return "".join(code_of(n) for n in before) + _said(middle, find) + "".join(code_of(n) for n in after)
    return "".join(_apart(node, find) for node in nodes)


def _apart(node: Node, find: Find) -> str:
    if isinstance(node, Element):
        if node.children is None:
            return node.code
        return node.code + _level(node.children, find) + node.close
    return marked(node.code) if node.kind == "output" else node.code


def _trimmed(nodes: Sequence[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """Pictures and white space at both ends are no part of the sentence."""
    middle = list(nodes)
    before: list[Node] = []
    after: list[Node] = []
    while middle and _edge(middle[0], middle[1:2], first=True):
        before.append(middle.pop(0))
    while middle and _edge(middle[-1], middle[-2:-1], first=False):
        after.insert(0, middle.pop())
    return before, middle, after


def _edge(node: Node, beside: Sequence[Node], *, first: bool) -> bool:
    if isinstance(node, Token):
        return (node.kind == "text" and not node.code.strip()) or bool(GRAPHIC.match(node.code))
    if any(_speaks(n) for n in node.children or ()):
        return False
    if node.children is not None:
        return True
    if not beside or not isinstance(beside[0], Token) or beside[0].kind != "text":
        return True
    return not (beside[0].code[:1] if first else beside[0].code[-1:]).isspace()


def _speaks(node: Node) -> bool:
    if isinstance(node, Token):
        return bool(node.code.strip()) and not GRAPHIC.match(node.code)
    return node.children is None or any(map(_speaks, node.children))


# ---------------------------------------------------------------------------------------------------- one sentence


def _said(nodes: Sequence[Node], find: Find) -> str:
    code = "".join(map(code_of, nodes))
    unit = unit_of(nodes)
    lead, tail = code[: len(code) - len(code.lstrip())], code[len(code.rstrip()) :]
    found = find(unit.message, unit.plural) if _speaks_to_people(unit.message, code) else None
    if found is None:
        return "".join(_still(n) for n in nodes)
    if not unit.plural:
        return lead + assemble(found.forms[0], unit) + tail
    choices = [assemble(form, unit) for form in found.forms]
    chosen = "".join(
        f"{{% {'if' if i == 0 else 'elif'} ({unit.count})|form_of == {i} %}}{text}"
        for i, text in enumerate(choices[:-1])
    )
    return lead + (f"{chosen}{{% else %}}{choices[-1]}{{% endif %}}" if chosen else choices[-1]) + tail


def _speaks_to_people(message: str, code: str) -> bool:
    bare = PLACE.sub(" ", message)
    return bool(LETTERS.search(bare)) and not _CODE.search(message) and not _SWITCH.fullmatch(code)


def _still(node: Node) -> str:
    """Not translated: English stays, what it puts in is said in the language all the same."""
    if isinstance(node, Element):
        if node.children is None:
            return node.code
        return node.code + "".join(map(_still, node.children)) + node.close
    return marked(node.code) if node.kind == "output" else node.code
