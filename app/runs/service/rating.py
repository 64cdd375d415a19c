"""People say whether an answer was good: the visitor for whom a run was, and members who look at it."""

from collections.abc import Collection
from uuid import UUID

from app import events
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound
from app.runs.service.asked import GONE, may_run
from app.web import Actor

NOT_YET = "This run still goes on."
_RATE = """
insert into run_rating (workspace_id, run_id, user_id, good, note)
select workspace_id, id, $2, $3, $4 from run where id = $1 and ($5 = '' or visitor = $5)
    on conflict (run_id, user_id) do update set good = excluded.good, note = excluded.note, created_at = now()
returning 1
"""


async def rate(actor: Actor, run_id: UUID, good: bool, note: str = "") -> None:
    """Say whether a run's answer was good; what the same person said before is replaced.

    Raises NotAllowed, NotFound, and Conflict while the run goes on.
    """
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        status = await tx.fetchval("select status from run where id = $1", run_id)
        if status is None:
            raise NotFound(GONE, remedy="Look for it in the list of runs.")
        if status in ("queued", "running"):
            raise Conflict(NOT_YET, remedy="Rate it when it has ended.")
        await _rated(tx, actor.workspace_id, run_id, actor.user_id, good, note)


async def take_rating_back(actor: Actor, run_id: UUID) -> None:
    """Forget what this person said about a run. Raises NotAllowed, and NotFound when they said nothing."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        gone = await tx.fetchval(
            "delete from run_rating where run_id = $1 and user_id = $2 returning 1", run_id, actor.user_id
        )
        if gone is None:
            raise NotFound("You have not rated this run.")
        await _tell(tx, actor.workspace_id, run_id)


async def rate_as_visitor(workspace_id: UUID, visitor: bytes, run_id: UUID, good: bool, note: str = "") -> None:
    """The same for the visitor whose question the run answered. Raises NotFound for anybody else's run."""
    async with tenant_tx(workspace_id) as tx:
        await _rated(tx, workspace_id, run_id, None, good, note, visitor.hex())


async def rated_by_visitor(workspace_id: UUID, visitor: bytes, run_ids: Collection[UUID]) -> dict[UUID, bool]:
    """What this visitor said about these runs: True = good. 1 statement, none without runs."""
    if not run_ids:
        return {}
    async with tenant_tx(workspace_id) as tx:
        rows = await tx.fetch(
            """select g.run_id, g.good from run_rating g join run r on r.id = g.run_id
                where g.run_id = any($1::uuid[]) and g.user_id is null and r.visitor = $2""",
            list(run_ids),
            visitor.hex(),
        )
    return {row["run_id"]: row["good"] for row in rows}


async def _rated(
    tx: Tx, workspace_id: UUID, run_id: UUID, user_id: UUID | None, good: bool, note: str, visitor: str = ""
) -> None:
    text = " ".join(note.replace("\0", "").split())[:1_000]
    if await tx.fetchval(_RATE, run_id, user_id, good, text, visitor) is None:
        raise NotFound(GONE)
    await _tell(tx, workspace_id, run_id)


async def _tell(tx: Tx, workspace_id: UUID, run_id: UUID) -> None:
    await events.publish(tx, workspace_id, "workspace", "run.rated", {"run": str(run_id)})
