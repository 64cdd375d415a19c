"""Compile and evaluate one expression or one template. Compiled programs are cached by their text."""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Struct

from flows.expressions.limits import too_much
from flows.sdk.errors import NodeError
from flows.sdk.holes import HOLE, VARS
from flows.sdk.values import Json, Message

Program = Callable[[Mapping[str, Any]], Json]
"""Takes the variables, gives the value. Raises ExpressionError."""

PATH = re.compile(r"\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\]|\[\"[^\"\\]*\"\]|\['[^'\\]*'\])*\s*")
PLACE = re.compile(r"(?<![\w.\])])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\]|\[\"[^\"\\]*\"\]|\['[^'\\]*'\])+")
STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d+)\]|\[[\"']([^\"']*)[\"']\]")
NOT_NAMES = frozenset({"true", "false", "null"})
MOST_SHOWN = 60
ADD_ONE = "Add it under Settings, Variables."


class ExpressionError(NodeError):
    """The sentence names the expression, the value and what to do."""


MESSAGE = frozenset(Message.__struct_encode_fields__)


def written(value: Any) -> str:
    """A value as text, in a hole or on a wire into a text port: yes/no, 3 instead of 3.0, a message's text, lists and
    objects as JSON. A message that became an object on its way is known by its fields.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Message):
        return value.text
    if isinstance(value, dict) and isinstance(value.get("text"), str) and value.keys() <= MESSAGE:
        return str(value["text"])
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        return str(value)


@lru_cache(maxsize=4096)
def expression(source: str) -> Program:
    """Compile CEL. Empty text gives None. Raises ExpressionError when it can't be read."""
    text = source.strip()
    if not text:
        return lambda _: None
    if reason := too_much(text):
        raise ExpressionError(f"The expression `{_short(text)}` {reason}.")
    if PATH.fullmatch(text) and text not in NOT_NAMES:
        return _path(text)
    try:
        compiled = _cel().compile(text)
    except ValueError as error:
        raise ExpressionError(_unreadable(text, str(error))) from None

    def run(variables: Mapping[str, Any]) -> Json:
        plain = {name: _plain(value) for name, value in variables.items()}
        try:
            return _json(compiled.execute(plain))
        except Exception as error:  # the library raises many types; all mean: this value does not fit this expression
            raise ExpressionError(_explain(text, error, plain)) from None

    return run


@lru_cache(maxsize=4096)
def template(text: str) -> Callable[[Mapping[str, Any]], str] | None:
    """Compile text with holes; None when it has none. Raises ExpressionError when a hole can't be read."""
    if "{{" not in text:
        return None
    parts: list[str | Program] = []
    end = 0
    for hole in HOLE.finditer(text):
        parts += [text[end : hole.start()], expression(hole.group(1))]
        end = hole.end()
    parts.append(text[end:])

    def fill(variables: Mapping[str, Any]) -> str:
        return "".join(part if isinstance(part, str) else written(part(variables)) for part in parts)

    return fill


def _path(text: str) -> Program:
    steps = [int(i) if i else (name or key) for name, i, key in STEP.findall(text)]
    root, rest = steps[0], steps[1:]

    def read(variables: Mapping[str, Any]) -> Json:
        try:
            value = variables[root]  # type: ignore[index]
        except KeyError:
            raise ExpressionError(_unknown(text, str(root), variables)) from None
        for depth, step in enumerate(rest):
            try:
                value = getattr(value, str(step)) if isinstance(value, Struct) else value[step]
            except (KeyError, IndexError, TypeError, AttributeError):
                raise ExpressionError(_missing(text, steps[: depth + 1], step, value)) from None
        return value

    return read


@cache
def _cel() -> ModuleType:
    """The Rust part of the `cel` package alone: its __init__ imports a command line, 0.6 s for nothing."""
    if "cel" not in sys.modules:
        package = importlib.util.find_spec("cel")
        for folder in (package.submodule_search_locations or ()) if package else ():
            for file in sorted([*Path(folder).glob("cel.*.so"), *Path(folder).glob("cel*.pyd")]):
                spec = importlib.util.spec_from_file_location("cel.cel", file)
                if spec is not None and spec.loader is not None:
                    module = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(module)
                    return module
    return importlib.import_module("cel")


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | None):
        return value
    return msgspec.to_builtins(value)


def _json(value: Any) -> Json:
    if isinstance(value, str | int | float | None):
        return value
    return msgspec.to_builtins(value, builtin_types=())


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def _kind(value: Any) -> str:
    words = {bool: "yes/no", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return "empty" if value is None else words.get(type(value), "an object")


def _unknown(text: str, name: str, variables: Mapping[str, Any]) -> str:
    if name == VARS:
        return f"`{_short(text)}`: this workspace has no variables here. {ADD_ONE}"
    known = ", ".join(sorted(variables)) or "nothing"
    return (
        f"`{_short(text)}`: there is no '{name}' here. Known are: {known}. Wire something into '{name}' or correct it."
    )


def _missing(text: str, path: list[Any], step: Any, value: Any) -> str:
    where = ".".join(str(p) for p in path)
    if isinstance(value, dict):
        has = ", ".join(list(map(str, value))[:12]) or "nothing"
        if where == VARS:
            return f"`{_short(text)}`: there is no variable '{step}' here. Known are: {has}. {ADD_ONE}"
        return f"`{_short(text)}`: '{where}' has no '{step}'. It has: {has}."
    if isinstance(value, list | tuple):
        return f"`{_short(text)}`: '{where}' is a list of {len(value)}, so it has no '{step}'. Counting starts at 0."
    return f"`{_short(text)}`: '{where}' is {_kind(value)}, so it has no '{step}'."


def _lacking(text: str, key: str, variables: Mapping[str, Any]) -> str:
    """The sentence for the first place of a longer expression that asks an object for `key` which it has not; "" when
    that happens inside map, filter and the like, where the object has no name out here.
    """
    for place in PLACE.finditer(text):
        steps = [int(i) if i else (name or quoted) for name, i, quoted in STEP.findall(place.group())]
        value = variables.get(str(steps[0]))
        for depth, step in enumerate(steps[1:], start=1):
            if isinstance(value, dict) and step not in value and step == key:
                return _missing(text, steps[:depth], step, value)
            try:
                value = value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
    return ""


def _unreadable(text: str, reason: str) -> str:
    found = re.search(r"<input>:\d+:(\d+): (.*)", reason)
    place = f" at character {found.group(1)}" if found else ""
    return f"The expression `{_short(text)}` can't be read{place}. Check quotes, brackets and operators."


def _explain(text: str, error: Exception, variables: Mapping[str, Any]) -> str:
    reason = str(error)
    if undefined := re.match(r"Undefined variable or function: '(\w+)'", reason):
        if re.search(rf"\b{undefined.group(1)}\s*\(", text):
            return (
                f"`{_short(text)}`: '{undefined.group(1)}' does not work on this value, or there is no such function."
            )
        return _unknown(text, undefined.group(1), variables)
    if isinstance(error, KeyError):
        if said := _lacking(text, str(error.args[0]) if error.args else "", variables):
            return said
        return f"`{_short(text)}`: there is no {error} in the value. Use has(…) to ask first."
    if isinstance(error, IndexError):
        return f"`{_short(text)}`: the list is shorter than that. Counting starts at 0."
    if isinstance(error, ZeroDivisionError):
        return f"`{_short(text)}`: division by zero."
    kinds = ", ".join(f"{name} is {_kind(value)}" for name, value in variables.items() if name in text)
    return f"`{_short(text)}`: these values don't fit together ({kinds}). Convert with string(…), int(…) or double(…)."
