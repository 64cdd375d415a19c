"""Links that show one flow to whoever has them: only to look at, for some days, taken back at any time; and a copy.

Whoever has the link sees one document and nothing else: no runs, no comments, no other flow, no other version.
"""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app import clock, events
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound
from app.studio import queries
from app.studio.giving import Todo, given
from app.studio.service import store
from app.studio.service.flows import create_flow
from app.studio.shapes import NodeView
from app.studio.shown import ShownStep, steps_of
from app.web import Actor
from app.web.links import proof, token
from flows import catalogue
from flows.model import Flow

PURPOSE = "flow-share"
CLOSED = "This link shows nothing any more."
MOST = 20
"""Open links of one flow."""


class FlowLink(Struct, frozen=True):
    """`path` goes behind the dashboard's address: to know it is to see the flow. `number` None = the draft.

    `opened`: how often somebody outside the workspace looked at it; `copied`: how often a copy was made.
    """

    id: UUID
    path: str
    number: int | None
    created_at: datetime
    expires_at: datetime
    by: str
    opened: int = 0
    copied: int = 0
    last_opened_at: datetime | None = None


class SharedFlow(Struct, frozen=True):
    """A flow as somebody with a link sees it: `flow` and all that is made of it are without what is private.

    `nodes`: the cards of the canvas; `steps`: the same steps in the order they run, with their settings as text.
    """

    path: str
    flow: Flow
    number: int | None
    expires_at: datetime
    nodes: list[NodeView]
    steps: list[ShownStep]
    todo: list[Todo]


async def share_flow(actor: Actor, flow_id: UUID, days: int, version_id: UUID | None = None) -> FlowLink:
    """A new link for `days` days, to a published version or (None) to the draft. At most 20 are open; the oldest go.

    Raises NotFound for a flow or a version that is not there, NotAllowed for who may only look.
    """
    _may(actor)
    until = clock.now() + timedelta(days=days)
    async with tenant_tx(actor.workspace_id) as tx:
        await _there(actor, flow_id)
        number = await tx.fetchval(
            "select number from flow_version where id = $1 and flow_id = $2 and kind = 'published'", version_id, flow_id
        )
        if version_id is not None and number is None:
            raise NotFound("This version does not exist.")
        share_id = UUID(str(await tx.fetchval("select uuidv7()")))
        await tx.execute(
            """insert into flow_share (id, workspace_id, flow_id, version_id, token_hash, created_by, expires_at)
               values ($1, $2, $3, $4, $5, $6, $7)""",
            share_id, actor.workspace_id, flow_id, version_id, proof(token(PURPOSE, share_id)), actor.user_id, until,
        )  # fmt: skip
        await tx.execute(
            """update flow_share set revoked_at = now()
                where flow_id = $1 and revoked_at is null and id not in (
                   select id from flow_share where flow_id = $1 and revoked_at is null
                    order by created_at desc, id desc limit $2)""",
            flow_id, MOST,
        )  # fmt: skip
        told = {"flow": str(flow_id), "until": until.isoformat(), "version": number, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "flow.shared", told)
    return FlowLink(share_id, _path(token(PURPOSE, share_id)), number, clock.now(), until, actor.name)


async def flow_links(actor: Actor, flow_id: UUID) -> list[FlowLink]:
    """The open links of a flow, newest first. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        await _there(actor, flow_id)
        rows = await tx.fetch(
            """select s.id, v.number, s.created_at, s.expires_at, coalesce(u.name, '') as by,
                      s.opened, s.copied, s.last_opened_at
                 from flow_share s left join user_account u on u.id = s.created_by
                 left join flow_version v on v.id = s.version_id
                where s.flow_id = $1 and s.revoked_at is null and s.expires_at > $2 order by s.created_at desc""",
            flow_id,
            clock.now(),
        )
    return [
        FlowLink(
            row["id"],
            _path(token(PURPOSE, row["id"])),
            row["number"],
            row["created_at"],
            row["expires_at"],
            row["by"],
            row["opened"],
            row["copied"],
            row["last_opened_at"],
        )
        for row in rows
    ]


async def take_back_flow(actor: Actor, flow_id: UUID, share_id: UUID) -> None:
    """From now on the link shows nothing. Raises NotFound."""
    _may(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        done = await tx.fetchval(
            """update flow_share set revoked_at = now()
                where id = $1 and flow_id = $2 and revoked_at is null returning id""",
            share_id,
            flow_id,
        )
        if done is None:
            raise NotFound("This link does not exist, or was taken back before.")
        told = {"flow": str(flow_id), "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "flow.unshared", told)


async def looked_at(secret: str, by: Actor | None) -> SharedFlow:
    """`opened`, and counted where somebody outside the workspace looks (`by` None = nobody is signed in). 3 statements.

    Raises what `opened` raises.
    """
    row = await _behind(secret)
    if by is None or by.workspace_id != row["workspace_id"]:
        await _count(row, "opened = opened + 1, last_opened_at = now()")
    return _shown(secret, row)


async def opened(secret: str) -> SharedFlow:
    """The flow behind a link, without what is private. 2 statements.

    Raises NotFound for a link that is unknown, over or taken back, and for a flow in the archive: the same words.
    """
    return _shown(secret, await _behind(secret))


async def _behind(secret: str) -> Any:
    async with system_tx("open a shared flow") as tx:
        row = await tx.fetchrow(
            """select s.id, s.workspace_id, s.expires_at, v.number, coalesce(v.document, f.document) as document
                 from flow_share s join flow f on f.id = s.flow_id and f.workspace_id = s.workspace_id
                 left join flow_version v on v.id = s.version_id and v.flow_id = s.flow_id
                where s.token_hash = $1 and s.revoked_at is null and s.expires_at > $2 and f.archived_at is null
                  and (s.version_id is null or v.id is not null)""",
            proof(secret),
            clock.now(),
        )
    if row is None:
        raise NotFound(CLOSED, remedy="Ask whoever gave it to you for a new one.")
    return row


async def _count(row: Any, what: Literal["opened = opened + 1, last_opened_at = now()", "copied = copied + 1"]) -> None:
    async with tenant_tx(row["workspace_id"]) as tx:
        await tx.execute(f"update flow_share set {what} where id = $1", row["id"])  # noqa: S608  one of two texts


def _shown(secret: str, row: Any) -> SharedFlow:
    kinds = catalogue.load()
    safe = given(store.decode_flow(row["document"]), kinds)
    return SharedFlow(
        _path(secret), safe.flow, row["number"], row["expires_at"], queries.views(safe.flow, []), steps_of(safe, kinds),
        safe.todo,
    )  # fmt: skip


async def copy_shared(actor: Actor, secret: str) -> UUID:
    """A flow of one's own from a link. What belonged to the other workspace is left out (`SharedFlow.todo` says what).

    Raises what `opened` raises, and NotAllowed for who may only look.
    """
    _may(actor)
    row = await _behind(secret)
    shown = _shown(secret, row)
    flow_id = await create_flow(actor, shown.flow.name or "New flow", shown.flow)
    await _count(row, "copied = copied + 1")
    return flow_id


async def _there(actor: Actor, flow_id: UUID) -> None:
    await queries.there(actor, flow_id)


def _path(secret: str) -> str:
    return f"/shared/flows/{secret}"


def _may(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("You can look at this workspace, not change it.", remedy="Ask an owner to make you an editor.")
