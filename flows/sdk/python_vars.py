"""Which variables of the workspace a piece of Python reads (rule 126), known before it runs; and handing them over."""

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache

from flows.sdk.errors import NodeError
from flows.sdk.holes import VARS
from flows.sdk.values import Json


@lru_cache(maxsize=2048)
def vars_in_python(code: str) -> tuple[str, ...]:
    """`vars["name"]` gives "name"; "" = it reads no particular one; () = none. Nothing of it is run.

    One that it asks for by `vars.get("name")` or `"name" in vars` may be missing, so it is no particular one. Code that
    gives the name another meaning, or calls Python's own `vars(…)`, reads none.
    """
    if VARS not in code:
        return ()
    try:
        tree = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ("",)  # whoever checks or runs it says what is wrong with it
    if any(_means_something_else(part) for part in tree):
        return ()
    uses = sum(isinstance(part, ast.Name) and part.id == VARS for part in tree)
    named = [name for part in tree if (name := _read(part)) is not None]
    asked = {name for part in tree if (name := _asked_for(part)) is not None}
    return (*(name for name in dict.fromkeys(named) if name not in asked), *([""] if uses > len(named) else []))


def _means_something_else(part: ast.AST) -> bool:
    match part:
        case ast.Name(id="vars", ctx=ast.Store() | ast.Del()) | ast.arg(arg="vars"):
            return True
        case ast.Call(func=ast.Name(id="vars")) | ast.FunctionDef(name="vars"):
            return True
        case ast.alias(name=name, asname=other):
            return VARS in (name, other)
    return False


def _read(part: ast.AST) -> str | None:
    match part:
        case ast.Subscript(value=ast.Name(id="vars"), slice=ast.Constant(value=str(name))):
            return name
    return None


def _asked_for(part: ast.AST) -> str | None:
    match part:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="vars"), attr="get"), args=[ast.Constant(str(name)), *_]):
            return name
        case ast.Compare(ast.Constant(str(name)), [ast.In() | ast.NotIn()], [ast.Name(id="vars")]):
            return name
    return None


def handed_over(names: Sequence[str], known: Mapping[str, Json] | None) -> dict[str, Json]:
    """The variables that code gets which reads `names`: these alone, or all of them when it reads no particular one.

    Raises NodeError(field="code") that names one that is missing, and those there are.
    """
    known = known or {}
    for name in names:
        if name and name not in known:
            there = f"Known are: {', '.join(sorted(known)[:12])}" if known else "This workspace has no variables here"
            said = f"`vars['{name}']`: there is no variable '{name}' here. {there}. Add it under Settings, Variables."
            raise NodeError(said, field="code")
    return dict(known) if "" in names else {name: known[name] for name in names}
