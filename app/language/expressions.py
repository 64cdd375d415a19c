"""The words inside `{{ … }}` and `{% … %}`: a second pass, over Jinja's own syntax tree.

    literals      {{ button("Take it up again", type="submit") }}, {% set title = "New flow" %}
    put together  "Given up after " ~ n ~ " crashes."   is looked up as "Given up after {1} crashes."
    values        {{ way.label }}: where the name says that words of ours can be in it (NAMES) and people see it; what
                  a macro is handed may be a word of machines as well (a kind, a state): it has to sound like words

Which literals are words: in a place that people see (units.py marks it with the filter `said`) every one with two
letters; elsewhere those that begin with a capital or have a space, and are no address (`sounds`). Never words are: what
is compared, keys, names of templates, arguments of SILENT calls and of the keyword arguments KEYS.
"""

import re
from collections.abc import Sequence, Set
from typing import Any, cast

from jinja2 import Environment, nodes

from app.language.catalogue import PLACE
from app.language.message import LETTERS
from app.language.units import ATTRIBUTES, Find

NAMES = frozenset(
    "label labels words word help summary message remedy why what figures sentence caption lead effect cause told said "
    "family_words limit_word type_words effect_words error errors title kind description intro note hint group detail "
    "role do outcome decision reason effect_word problem problems faults fault option unit state_word text_of "
    "status_word heading subtitle explanation advice waits family standing".split()
)
"""Last names of values that hold words of ours. What people wrote (name, text, value, input, …) is not listed: it is
shown as it is. A `title` can be either: it changes only where it is equal to a sentence of ours.
"""
FINISHED = frozenset(
    "message remedy why what figures sentence cause told said error errors reason problem problems faults fault hint "
    "note help detail words do outcome decision advice waits effect standing caption heading lead explanation "
    "text_of status_word word".split()
)
"""Those of NAMES in which whole sentences of ours arrive, also such with values in them. The others hold one of our
words, or a count."""
PEOPLES = frozenset(
    tuple(each.split("."))
    for each in "node.title r.title s.title step.title line.title link.title need.title pair.title it.title c.title "
    "change.title page.title page.description block.title flow.description card.description wait.title "
    "wait.description thread.title mine.note person.label inside.label inside.said leaf.label".split()
)
"""(thing, its value): names and texts of people, whatever the value is called. Where a step has no name of its own,
Python puts ours there in the language of the page."""
PEOPLES_IN = {
    "runs/_value_fields.html": {("f", "label")},
    "studio/_face_field.html": {("f", "label"), ("f", "help")},
    "studio/outline/_try.html": {("f", "label"), ("f", "help")},
    "studio/versions/environments.html": {("place", "name")},
    "studio/comments/mentions.html": {("other", "label")},
    "triggers/_list.html": {("each", "title")},
    "studio/_folder_dialogs.html": {("", "title")},
}
"""Template → such values of this one."""
PAIRS = frozenset({("place", "name"), ("deed", "name"), ("local", "name")})
"""(thing, its value): names that we gave, not people."""
SILENT = frozenset(
    "icon asset url_for urlencode dom_id csrf_token tile port range dict cycler joiner namespace".split()
)
KEYS = frozenset("key glyph id type kind size family href name attrs_of level accept autocomplete role".split())
_ADDRESS = re.compile(r"^[/#.&?]|://|^[A-Z]$|^[A-Z_]+$|%[A-Za-z]")
_CAPITAL = re.compile(r"[A-ZÄÖÜ]['’]?[a-z]|[a-zA-Z,.;:…)] [a-zA-Z(]|^I ")
_OURS = re.compile(r"^(?:Ctrl|Shift|Alt|Esc|Enter|Del|Tab|Space)\b(?: \S{1,5})?$")


def sounds(text: str) -> bool:
    """Whether a literal that stands anywhere is words for people."""
    return bool(LETTERS.search(text) and _CAPITAL.search(text)) and not (_ADDRESS.search(text) or _OURS.match(text))


def speak(tree: nodes.Template, find: Find, name: str = "") -> nodes.Template:
    """The tree with its words in another language, and the marks of units.py gone or made calls at run time."""
    return cast(nodes.Template, _Speaker(find, PEOPLES_IN.get(name, set())).visit(tree))


class _Speaker:
    def __init__(self, find: Find, peoples: Set[tuple[str, ...]] = frozenset()) -> None:
        self.find, self.peoples = find, PEOPLES | peoples

    def visit(self, node: Any) -> Any:
        """Statements and what is not shown: only marked values and literals that sound."""
        if isinstance(node, nodes.Expr):
            return self.quiet(node)
        if isinstance(node, nodes.Assign | nodes.CallBlock):
            self._children(node, skip=("target",))
            if isinstance(node, nodes.Assign):
                node.node = self.words(node.node)
            return node
        if isinstance(node, nodes.Macro):
            node.defaults = [self.words(each) for each in node.defaults]
        if isinstance(node, nodes.With):
            node.values = [self.words(each) for each in node.values]
        if isinstance(node, nodes.For):
            node.iter = self.words(node.iter)
        if isinstance(node, nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport):
            return node
        self._children(node)
        return node

    def _children(self, node: Any, skip: Sequence[str] = ()) -> None:
        for name, value in list(node.iter_fields(exclude=skip)):
            if isinstance(value, list):
                value[:] = [self.visit(each) if isinstance(each, nodes.Node) else each for each in value]
            elif isinstance(value, nodes.Node):
                setattr(node, name, self.visit(value))

    def quiet(self, node: Any) -> Any:
        """An expression whose own value is not words: calls inside it may still be given some."""
        if isinstance(node, nodes.Call):
            return self._call(node)
        if isinstance(node, nodes.Compare | nodes.Const | nodes.Name | nodes.TemplateData):
            return node
        if isinstance(node, nodes.Filter):
            if node.name in ("said", "told") and node.node is not None:
                return self.shown(node.node) if node.name == "said" else self.words(node.node)
            if node.name == "default":
                node.args = [self.words(each) for each in node.args]
        for name, value in list(node.iter_fields()):
            if isinstance(value, list):
                value[:] = [self.quiet(each) if isinstance(each, nodes.Expr) else each for each in value]
            elif isinstance(value, nodes.Expr) and name not in ("arg", "test"):
                setattr(node, name, self.quiet(value))
        return node

    def words(self, node: Any) -> Any:
        """A value that a macro, a list or a name is given: words where it sounds like them."""
        return self._value(node, shown=False)

    def shown(self, node: Any) -> Any:
        """What stands in a text or in an attribute that people read."""
        return self._value(node, shown=True)

    def _value(self, node: Any, *, shown: bool) -> Any:
        if isinstance(node, nodes.Const):
            return self._literal(node, shown=shown)
        if isinstance(node, nodes.Concat):
            return self._joined(node, shown=shown)
        if isinstance(node, nodes.CondExpr):
            node.expr1 = self._value(node.expr1, shown=shown)
            node.expr2 = self._value(node.expr2, shown=shown) if node.expr2 is not None else None
        elif isinstance(node, nodes.Or | nodes.And | nodes.Add):
            node.left, node.right = self._value(node.left, shown=shown), self._value(node.right, shown=shown)
        elif isinstance(node, nodes.List | nodes.Tuple):
            node.items = [self.words(each) for each in node.items]
        elif isinstance(node, nodes.Dict):
            for pair in node.items:
                pair.value = self._of_key(pair.key, pair.value)
        elif isinstance(node, nodes.Filter) and node.name in ("lower", "upper", "capitalize", "default", "truncate"):
            node.node = self._value(node.node, shown=shown)
            if node.name == "default":
                node.args = [self._value(each, shown=shown) for each in node.args]
        else:
            return self._held(node, shown=shown)
        return node

    def _held(self, node: Any, *, shown: bool) -> Any:
        """A value that only the run knows: words where its name says so."""
        if isinstance(node, nodes.Call):
            return self._looked_up(self._call(node, shown=shown)) if shown else self._call(node)
        if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
            if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Dict):
                node.node = self.words(node.node)
                return node
            node = self.quiet(node)
            if not _holds_words(node) or _thing_of(node) in self.peoples:
                return node
            return _said(node, "said" if shown else "told")
        return self.quiet(node)

    def _literal(self, node: nodes.Const, *, shown: bool) -> nodes.Const:
        text = node.value
        if not isinstance(text, str) or not (LETTERS.search(text) if shown else sounds(text)):
            return node
        if _OURS.match(text):
            return node
        found = self.find(" ".join(text.split()), "")
        return nodes.Const(_spaced(text, found.forms[0]), lineno=node.lineno) if found else node

    def _of_key(self, key: Any, value: Any) -> Any:
        """In a dict of attributes only those that people read; in another dict what sounds."""
        name = key.value if isinstance(key, nodes.Const) else ""
        if not isinstance(name, str):
            return self.words(value)
        if name in ATTRIBUTES:
            return self.shown(value)
        return self.quiet(value) if "-" in name or name in KEYS else self.words(value)

    def _call(self, node: nodes.Call, *, shown: bool = False) -> Any:
        callee = node.node
        if isinstance(callee, nodes.Name) and callee.name == "icon":
            node.args = [*node.args[:2], *(self.shown(each) for each in node.args[2:])]
            for each in node.kwargs:
                each.value = self.shown(each.value) if each.key == "label" else each.value
            return node
        if isinstance(callee, nodes.Name) and callee.name in SILENT:
            return node
        if isinstance(callee, nodes.Getattr):
            if isinstance(callee.node, nodes.Const):
                return _figure(node, callee.node.value)
            if callee.attr == "strftime" and len(node.args) == 1:
                return _filter(callee.node, "written", [node.args[0]])
            if callee.attr == "get":  # words.get(key, "otherwise")
                callee.node = self.words(callee.node) if isinstance(callee.node, nodes.Dict) else callee.node
                node.args = [node.args[0], *(self._value(each, shown=shown) for each in node.args[1:])]
                return node
            node.node = self.quiet(callee)
        node.args = [self.words(each) for each in node.args]
        for each in node.kwargs:
            each.value = self.quiet(each.value) if each.key in KEYS else self.words(each.value)
        return node

    def _looked_up(self, node: Any) -> Any:
        if not isinstance(node, nodes.Call):
            return node
        callee = node.node
        looked = isinstance(callee, nodes.Getattr) and callee.attr == "get" and _holds_words(callee.node)
        return _said(node) if looked else node

    def _joined(self, node: nodes.Concat, *, shown: bool) -> Any:
        """As "Given up after " ~ n ~ " crashes.": one sentence, whose values may move."""
        parts: list[str] = []
        values: list[Any] = []
        for each in node.nodes:
            if isinstance(each, nodes.Const):
                parts.append(str(each.value))
            else:
                values.append(self._value(each, shown=shown))
                parts.append(f"{{{len(values)}}}")
        text = "".join(parts)
        bare = PLACE.sub("", text)
        speaks = LETTERS.search(bare) if shown else sounds(bare)
        found = self.find(" ".join(text.split()), "") if speaks and "/" not in bare else None
        if found is None:
            given = iter(values)
            node.nodes = [each if isinstance(each, nodes.Const) else next(given) for each in node.nodes]
            return node
        out: list[nodes.Expr] = []
        at, said = 0, _spaced(text, found.forms[0])
        for place in PLACE.finditer(said):
            out.append(nodes.Const(said[at : place.start()], lineno=node.lineno))
            if place.group(1):
                out.append(values[int(place.group(1)) - 1])
            at = place.end()
        return nodes.Concat([*out, nodes.Const(said[at:], lineno=node.lineno)], lineno=node.lineno)


def _spaced(source: str, text: str) -> str:
    """With the white space that the source has at its ends."""
    return source[: len(source) - len(source.lstrip())] + text + source[len(source.rstrip()) :]


def _holds_words(node: Any) -> bool:
    while isinstance(node, nodes.Getitem):
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return node.arg.value in NAMES
        node = node.node
    if isinstance(node, nodes.Getattr):
        return node.attr in NAMES or (isinstance(node.node, nodes.Name) and (node.node.name, node.attr) in PAIRS)
    return isinstance(node, nodes.Name) and (node.name in NAMES or node.name.isupper())


def _thing_of(node: Any) -> tuple[str, str]:
    """The last two names: page.title, flow.flow.description → ("flow", "description"); a bare name: ("", name)."""
    if not isinstance(node, nodes.Getattr):
        return "", getattr(node, "name", "")
    owner = node.node
    return getattr(owner, "attr", "") or getattr(owner, "name", ""), node.attr


def _last_name(node: Any) -> str:
    while isinstance(node, nodes.Getitem):
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return node.arg.value
        node = node.node
    if isinstance(node, nodes.Call):
        return _last_name(node.node.node) if isinstance(node.node, nodes.Getattr) else ""
    return str(getattr(node, "attr", "") or getattr(node, "name", ""))


def _said(node: nodes.Expr, by: str = "said") -> nodes.Expr:
    """`said` and `told` look for whole sentences, also such with values in them, where these can arrive."""
    return _filter(node, by, [nodes.Const(_last_name(node) in FINISHED)])


def _filter(node: nodes.Expr, name: str, args: list[nodes.Expr]) -> nodes.Expr:
    return nodes.Filter(node, name, args, [], None, None, lineno=node.lineno)


def _figure(node: nodes.Call, pattern: object) -> nodes.Expr:
    """ "{:,}".format(n) and "{:.2f}".format(n), with the signs of the language; ", ".join(…) and the like stay."""
    found = re.fullmatch(r"\{:(,|\.(\d)f)\}", str(pattern))
    if found is None or len(node.args) != 1:
        return node
    return _filter(
        node.args[0],
        "figure",
        [nodes.Const(None if found.group(1) == "," else int(found.group(2)), lineno=node.lineno)],
    )


class Speaking(Environment):
    """An environment whose templates are compiled in another language.

    `find` gives translations; it is set before the first template is read. `_parse` is Jinja's one step between source
    and syntax tree (extensions are offered the source or the tokens, not the tree).
    """

    find: Find

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return speak(super()._parse(source, name, filename), self.find, name or "")
