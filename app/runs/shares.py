"""Links that show one run to whoever has them: read-only, without secrets, for some days, taken back at any time."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from app import clock, events
from app.db import system_tx, tenant_tx
from app.errors import NotFound
from app.runs import queries, showing
from app.runs.service import GONE, may_run
from app.runs.showing import RunPage
from app.web import Actor
from app.web.links import proof, token

PURPOSE = "run-share"
DAYS = (1, 7, 30)
CLOSED = "This link shows nothing any more."
MOST = 20
"""Open links of one run."""


class Share(Struct, frozen=True):
    """`path` goes behind the dashboard's address. To know it is to be able to see the run."""

    id: UUID
    path: str
    created_at: datetime
    expires_at: datetime
    by: str


async def share(actor: Actor, run_id: UUID, days: int) -> Share:
    """A new link for `days` days. At most 20 are open; the oldest go. Raises NotFound."""
    may_run(actor)
    await queries.place(actor, run_id)
    until = clock.now() + timedelta(days=days)
    async with tenant_tx(actor.workspace_id) as tx:
        share_id = UUID(str(await tx.fetchval("select uuidv7()")))
        await tx.execute(
            """insert into run_share (id, workspace_id, run_id, token_hash, created_by, expires_at)
               values ($1, $2, $3, $4, $5, $6)""",
            share_id, actor.workspace_id, run_id, proof(token(PURPOSE, share_id)), actor.user_id, until,
        )  # fmt: skip
        await tx.execute(
            """update run_share set revoked_at = now()
                where run_id = $1 and revoked_at is null and id not in (
                   select id from run_share where run_id = $1 and revoked_at is null
                    order by created_at desc limit $2)""",
            run_id, MOST,
        )  # fmt: skip
        told = {"run": str(run_id), "until": until.isoformat(), "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.shared", told)
    return Share(share_id, _path(share_id), clock.now(), until, actor.name)


async def shares(actor: Actor, run_id: UUID) -> list[Share]:
    """The open links of a run, newest first. 2 statements. Raises NotFound."""
    await queries.place(actor, run_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select s.id, s.created_at, s.expires_at, coalesce(u.name, '') as by
                 from run_share s left join user_account u on u.id = s.created_by
                where s.run_id = $1 and s.revoked_at is null and s.expires_at > $2 order by s.created_at desc""",
            run_id,
            clock.now(),
        )
    return [Share(row["id"], _path(row["id"]), row["created_at"], row["expires_at"], row["by"]) for row in rows]


async def take_back(actor: Actor, run_id: UUID, share_id: UUID) -> None:
    """From now on the link shows nothing. Raises NotFound."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        done = await tx.fetchval(
            "update run_share set revoked_at = now() where id = $1 and run_id = $2 and revoked_at is null returning id",
            share_id,
            run_id,
        )
        if done is None:
            raise NotFound("This link does not exist, or was taken back before.")
        told = {"run": str(run_id), "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.unshared", told)


async def opened(secret: str, *, step: str = "", tab: str = "", view: str = "") -> RunPage:
    """The run behind a link. Raises NotFound for a link that is unknown, over, or was taken back: the same words."""
    async with system_tx("open a shared run") as tx:
        row = await tx.fetchrow(
            """select workspace_id, run_id from run_share
                where token_hash = $1 and revoked_at is null and expires_at > $2""",
            proof(secret),
            clock.now(),
        )
    if row is None:
        raise NotFound(CLOSED, remedy="Ask whoever gave it to you for a new one.")
    try:
        run, flow = await queries.opened_in(row["workspace_id"], row["run_id"])
    except NotFound:
        raise NotFound(CLOSED, remedy=GONE) from None
    return showing.composed(run, flow, base=_path_of(secret), step=step, tab=tab, view=view, shared=True)


def _path(share_id: UUID) -> str:
    return _path_of(token(PURPOSE, share_id))


def _path_of(secret: str) -> str:
    return f"/shared/runs/{secret}"
