"""Sentences for people in Python: literals and f-strings, where they are written for a page, a toast or a refusal."""

import ast
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from app.language.catalogue import PLACE, PYTHON
from app.language.message import LETTERS
from tools.words_kept import Collection

MUTE = frozenset(
    "compile ValueError RuntimeError TypeError AssertionError KeyError LookupError SettingError NotImplementedError "
    "execute fetch fetchrow fetchval executemany raw strftime strptime echo print getattr setattr environ Text Varchar "
    "info warning debug exception cast TypeVar NewType deprecated ValidationError match fullmatch search sub split "
    "replace removeprefix removesuffix startswith endswith encode header joinpath import_module system_tx".split()
)
"""Calls whose texts nobody but a programmer or a machine reads."""
WORDY = frozenset(
    "title label note summary help hint remedy message description words caption unit placeholder said why "
    "reason detail heading lead effect word kind_words told".split()
)
"""Keyword arguments that hold words: single lower-case ones as well."""
CALLS = frozenset("Place Hit Toast flash offer say Remedy Way Choice Option node Group Kind Meta Problem".split())
_SQL = re.compile(
    r"\b(?:select .* from|insert into|update .* set|delete from|create |alter |where |order by|group by|left join|"
    r"on conflict|returning |jsonb|for update|limit \$|values \()|::|\$\d|=\s|<=|>=|\bnull\b",
    re.IGNORECASE | re.DOTALL,
)
_MACHINE = re.compile(
    r"^[/#.&?<*$@\[(]|://|%[A-Za-z(]|^[A-Z_\d\W]+$|\\|^\w+/\w|Mozilla|charset|"
    r"[{};]$|\w=\w|^\S+\.\S+$|--| \| None|select uuidv7|^(?:Bearer|Basic|Authorization|Callable|Sha|HMAC_)\b|no-store"
)
LONGEST = 600
"""Characters; longer ones are what models are told."""


def python(source: str, path: str, collection: Collection) -> None:
    _Python(path, collection).visit(ast.parse(source))


class _Python(ast.NodeVisitor):
    """Everywhere: a text that begins like a sentence and has a space. In WORDY arguments, in CALLS and in the constants
    of a module: single words and small letters, too. Never: docstrings, what is compared, keys, subscripts, MUTE calls.
    """

    def __init__(self, path: str, collection: Collection) -> None:
        self.path, self.collection = path, collection
        self.close = False
        """Inside a place where words are expected."""

    def visit_Module(self, node: ast.Module) -> None:
        for each in node.body:
            self._statement(each, top=True)

    def _statement(self, node: ast.stmt, *, top: bool) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return
        if top and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            self._in(node.value, close=True)
            return
        self.visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for each in [*node.decorator_list, *node.keywords]:
            self.visit(each)
        for each in node.body:
            if isinstance(each, ast.AnnAssign | ast.Assign):
                self.generic_visit(each)
            else:
                self._statement(each, top=False)

    def visit_FunctionDef(self, node: Any) -> None:
        for each in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if each is not None:
                self._in(each, close=False)
        for each in node.args.args + node.args.kwonlyargs:
            if each.annotation is not None:
                self.visit(each.annotation)
        for each in node.body:
            self._statement(each, top=False)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _in(self, node: ast.AST, *, close: bool) -> None:
        before, self.close = self.close, close
        self.visit(node)
        self.close = before

    def visit_Compare(self, node: ast.Compare) -> None:
        return

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if isinstance(node.slice, ast.Tuple):  # Annotated[int, Meta(title="…")]
            for each in node.slice.elts:
                if not isinstance(each, ast.Constant):
                    self.visit(each)

    def visit_Dict(self, node: ast.Dict) -> None:
        for each in node.values:
            self.visit(each)

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.visit(node.exc)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if name in MUTE or owner in ("log", "re", "logging", "click", "metrics"):
            return
        if name == "say":
            for each in node.args[:1]:
                if isinstance(each, ast.Constant):
                    self.collection.add(str(each.value), "", self.path, each.lineno, PYTHON)
                else:
                    self.visit(each)
            return
        self.visit(node.func)
        for each in node.args:
            self._in(each, close=self.close or name in CALLS)
        for word in node.keywords:
            if word.arg == "words" and name == "Place":
                continue  # other names for the search: people type what they know
            self._in(word.value, close=self.close or word.arg in WORDY)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._take(node.value, "", node.lineno)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for message, plural in _f_string(node):
            self._take(message, plural, node.lineno)
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self._in(each.value, close=False)

    def _take(self, text: str, plural: str, line: int) -> None:
        holes = count(1)
        text = re.sub(r"\{\}", lambda _: f"{{{next(holes)}}}", text)
        bare = PLACE.sub("", text).strip()
        if not LETTERS.search(bare) or _SQL.search(bare) or _MACHINE.search(bare) or len(text) > LONGEST:
            return
        if "{" in bare or "\n" in bare:
            return
        spaced = " " in text.strip()
        begins = bool(re.match(r"[“‘\"'(]?[A-Z]", text.lstrip())) or text.startswith(("{", "“{", "'{"))
        sentence = spaced and begins
        word = re.fullmatch(r"[A-Z][a-zé’'-]+[.!?…:]?", text.strip()) is not None
        small = re.fullmatch(r"[a-z][\w ,.’'…:;%()/–-]*", bare) is not None and spaced
        if sentence or (self.close and (word or small)) or (spaced and small and " " in text):
            self.collection.add(text, plural, self.path, line, PYTHON)


def _f_string(node: ast.JoinedStr) -> Iterator[tuple[str, str]]:
    """(message, plural) of each way it can read: a choice of two literals gives two, a count gives a plural."""
    counted = {t for v in node.values if isinstance(v, ast.FormattedValue) and (t := _count(v.value))}
    if len(counted) == 1:
        yield _spelled(node, [0] * 9, counting=True), _spelled(node, [1] * 9, counting=True)
        return
    choices = [v for v in node.values if isinstance(v, ast.FormattedValue) and _choice(v.value)]
    for way in range(2 ** min(len(choices), 3)):
        yield _spelled(node, [way >> i & 1 for i in range(9)], counting=False), ""


def _spelled(node: ast.JoinedStr, ways: list[int], *, counting: bool) -> str:
    out: list[str] = []
    number = taken = 0
    for each in node.values:
        if isinstance(each, ast.Constant):
            out.append(str(each.value))
            continue
        value = each.value if isinstance(each, ast.FormattedValue) else each
        choice = _choice(value)
        if choice and (not counting or _count(value)):
            way = ways[min(taken, 8)]
            out.append(choice[way] if not counting or _one_first(value) else choice[1 - way])
            taken += 1
        else:
            number += 1
            out.append(f"{{{number}}}")
    return "".join(out)


def _choice(value: ast.expr) -> tuple[str, str] | None:
    if not isinstance(value, ast.IfExp):
        return None
    both = [each.value for each in (value.body, value.orelse) if isinstance(each, ast.Constant)]
    return (both[0], both[1]) if len(both) == 2 and all(isinstance(each, str) for each in both) else None  # type: ignore[return-value]


def _count(value: ast.expr) -> str:
    """The expression that is compared with 1; "" when none is."""
    if not isinstance(value, ast.IfExp) or not _choice(value) or not isinstance(value.test, ast.Compare):
        return ""
    right = value.test.comparators[0]
    one = isinstance(right, ast.Constant) and right.value == 1
    return ast.unparse(value.test.left) if one and isinstance(value.test.ops[0], ast.Eq | ast.NotEq | ast.Gt) else ""


def _one_first(value: ast.expr) -> bool:
    test = value.test if isinstance(value, ast.IfExp) else None
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq)
