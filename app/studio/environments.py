"""Environments as their page shows them."""

from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.web import Actor


class Value(Struct, frozen=True):
    """Where flows say `given`, `instead` stands in this environment."""

    id: UUID
    kind: str
    given: str
    instead: str


class Place(Struct, frozen=True):
    """An environment besides live. `flows`: how many run there."""

    id: UUID
    name: str
    flows: int
    values: list[Value]


async def places(actor: Actor) -> list[Place]:
    """In their order. 2 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select e.id, e.name, (select count(*) from flow_stage s where s.environment_id = e.id) as flows
                 from environment e order by e.position, e.name"""
        )
        values = await tx.fetch(
            "select id, environment_id, kind, given, instead from environment_value order by kind, given"
        )
    return [
        Place(
            row["id"], row["name"], row["flows"],
            [Value(v["id"], v["kind"], v["given"], v["instead"]) for v in values if v["environment_id"] == row["id"]],
        )
        for row in rows
    ]  # fmt: skip
