"""Which node types there are: those of installed packages (entry points) and the built-in ones."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from msgspec import Struct

from flows.sdk.node import NodeType

GROUP = "agentbase.nodes"
AnyNode = NodeType[Any, Any, Any]
Catalogue = Mapping[str, AnyNode]


class LoadProblem(Struct, frozen=True):
    """A package whose nodes are not offered, and why. The others still load."""

    package: str
    message: str


def collect(entries: Iterable[tuple[str, Any]]) -> tuple[dict[str, AnyNode], list[LoadProblem]]:
    """From (package name, module or node types) to name -> NodeType. The first package to claim a name keeps it."""
    found: dict[str, AnyNode] = {}
    owner: dict[str, str] = {}
    problems: list[LoadProblem] = []
    for package, thing in entries:
        nodes = getattr(thing, "NODES", thing)
        for item in nodes if isinstance(nodes, tuple | list) else (nodes,):
            if not isinstance(item, NodeType):
                problems.append(LoadProblem(package, f"{item!r} is no node type; put @node before its function."))
            elif item.name in found and found[item.name] is not item:
                problems.append(LoadProblem(package, f"'{item.name}' is already offered by {owner[item.name]}."))
            else:
                found[item.name], owner[item.name] = item, package
    return found, problems


@cache
def load() -> dict[str, AnyNode]:
    """All node types by name, read once per process. See `load_problems` for what could not be read."""
    return _loaded()[0]


def load_problems() -> list[LoadProblem]:
    return _loaded()[1]


@cache
def _loaded() -> tuple[dict[str, AnyNode], list[LoadProblem]]:
    modules, broken = _beside_us(), []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            modules.append((_package(point), point.load()))
        except Exception as error:  # a broken package must not take the others with it
            broken.append(LoadProblem(_package(point), f"{type(error).__name__}: {error}"))
    found, problems = collect(modules)
    return found, broken + problems


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _beside_us() -> list[tuple[str, Any]]:
    """The built-in families, found without installation metadata: that may be missing or older than the source.

    Only a name is known here, no import: flows/ does not depend on components/.
    """
    try:
        home = importlib.import_module("components")
    except ModuleNotFoundError:
        return []
    names = [info.name for info in pkgutil.iter_modules(home.__path__) if info.ispkg]
    return [("agentbase", importlib.import_module(f"components.{name}")) for name in sorted(names)]
