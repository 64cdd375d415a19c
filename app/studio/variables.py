"""Variables as their page, the editor and its list of problems show them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.runs import service as runs
from app.web import Actor
from app.web.search import Hit
from flows.catalogue import Catalogue
from flows.compile import variables_of
from flows.expressions import written
from flows.model import Flow
from flows.problems import Problem

NEWEST = """
select distinct on (environment_id) environment_id, vars from variable_set where workspace_id = $1
 order by environment_id, id desc
"""


class Place(Struct, frozen=True):
    """What one environment calls its variables. `id` None = live."""

    id: UUID | None
    name: str
    vars: Mapping[str, Any]

    @property
    def option(self) -> tuple[str, str]:
        """For a list to choose from."""
        return (str(self.id), self.name) if self.id else ("", "live")


class Cell(Struct, frozen=True):
    """One variable in one environment. `there` False: it is missing. `kind`, `text`: as the form asks for it."""

    environment_id: UUID | None
    environment: str
    there: bool
    kind: str = "text"
    text: str = ""
    value: Any = None


class Row(Struct, frozen=True):
    name: str
    cells: list[Cell]


async def places(actor: Actor) -> list[Place]:
    """Live, then the environments in their order. 2 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        named = await tx.fetch("select id, name from environment order by position, name")
        sets = {row["environment_id"]: row["vars"] for row in await tx.fetch(NEWEST, actor.workspace_id)}
    listed = [(None, "live"), *((row["id"], row["name"]) for row in named)]
    return [Place(id, name, msgspec.json.decode(sets[id]) if id in sets else {}) for id, name in listed]


def rows(listed: Sequence[Place]) -> list[Row]:
    """By name; one cell for each environment."""
    names = sorted({name for place in listed for name in place.vars}, key=str.lower)
    return [Row(name, [_cell(place, name) for place in listed]) for name in names]


def _cell(place: Place, name: str) -> Cell:
    if name not in place.vars:
        return Cell(place.id, place.name, False)
    value = place.vars[name]
    if isinstance(value, str):
        return Cell(place.id, place.name, True, "text", value, value)
    return Cell(place.id, place.name, True, "json", msgspec.json.encode(value).decode(), value)


async def of_live(actor: Actor) -> dict[str, Any]:
    """Those that a try of a draft has. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        found = await runs.variables_in_force(tx, actor.workspace_id, None)
    return dict(found.vars) if found is not None else {}


def missing(flow: Flow, listed: Sequence[Place], kinds: Catalogue) -> list[Problem]:
    """A warning for each variable that a step reads and an environment does not have."""
    titles = {node.id: node.label or (kinds[node.type].title if node.type in kinds else node.id) for node in flow.nodes}
    found = []
    for node, names in variables_of(flow, kinds).items():
        for name in names:
            without = [place.name for place in listed if name not in place.vars]
            if without:
                where = "anywhere" if len(without) == len(listed) > 1 else f"in {' and '.join(without)}"
                said = f"reads vars.{name}, which does not exist {where}. Add it under Settings, Variables."
                found.append(Problem(node, f"Step '{titles[node]}' {said}", "warning"))
    return found


async def named(actor: Actor, words: str, limit: int) -> list[Hit]:
    """Variables by name, for Ctrl K. 2 statements."""
    found = [row for row in rows(await places(actor)) if words.casefold() in row.name.casefold()]
    return [
        Hit(f"vars.{row.name}", _shortly(next(cell.value for cell in row.cells if cell.there)), "/settings/variables")
        for row in found[:limit]
    ]


def _shortly(value: Any) -> str:
    text = written(value)
    return text if len(text) <= 60 else text[:59] + "…"
