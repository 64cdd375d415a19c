"""Tests, suites and datasets are removed by a mark, so that removing them can be undone."""

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

import asyncpg

from app.checks import dataset_queries, queries
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound
from app.runs import service as runs
from app.web import Actor

Kept = Literal["check_case", "check_suite", "dataset"]
GONE: dict[Kept, str] = {
    "check_case": queries.GONE,
    "check_suite": queries.NO_SUITE,
    "dataset": dataset_queries.NO_DATASET,
}


async def mark(
    actor: Actor, kept: Kept, flow_id: UUID, id: UUID, tell: Callable[[Tx], Awaitable[None]], *, removed: bool
) -> str:
    """Set the mark, or take it away; `tell` says so to others in the same transaction. Returns the name.

    Raises NotFound for what is not there (or, taking the mark away, is not marked), and Conflict when something else
    took the name meanwhile.
    """
    runs.may_run(actor)
    change, where = ("now()", "is null") if removed else ("null", "is not null")
    try:
        async with tenant_tx(actor.workspace_id) as tx:
            name = await tx.fetchval(
                f"update {kept} set removed_at = {change} where id = $1 and flow_id = $2 and removed_at {where} "  # noqa: S608 -- words of ours
                "returning name",
                id,
                flow_id,
            )
            if name is None:
                raise NotFound(GONE[kept])
            await tell(tx)
    except asyncpg.UniqueViolationError:
        raise Conflict("Another one has this name by now.", remedy="Give that one another name first.") from None
    return str(name)
