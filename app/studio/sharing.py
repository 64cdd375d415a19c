"""Links that show one flow to whoever has them: only to look at, for some days, taken back at any time; and a copy."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from app import clock, events
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound
from app.studio import queries
from app.studio.difference import Difference, StepChange, difference
from app.studio.difference_picture import Picture, picture
from app.studio.giving import Todo, given
from app.studio.outline.rows import outline
from app.studio.service import store
from app.studio.service.flows import create_flow
from app.web import Actor
from app.web.links import proof, token
from flows import catalogue
from flows.model import Flow

PURPOSE = "flow-share"
CLOSED = "This link shows nothing any more."
MOST = 20
"""Open links of one flow."""


class FlowLink(Struct, frozen=True):
    """`path` goes behind the dashboard's address: to know it is to see the flow. `number` None = the draft."""

    id: UUID
    path: str
    number: int | None
    created_at: datetime
    expires_at: datetime
    by: str


class SharedFlow(Struct, frozen=True):
    """A flow as somebody with a link sees it. `steps`: each with the settings that were touched."""

    path: str
    flow: Flow
    number: int | None
    expires_at: datetime
    drawn: Picture
    steps: list[StepChange]
    sources: dict[str, list[str]]
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
            """select s.id, v.number, s.created_at, s.expires_at, coalesce(u.name, '') as by
                 from flow_share s left join user_account u on u.id = s.created_by
                 left join flow_version v on v.id = s.version_id
                where s.flow_id = $1 and s.revoked_at is null and s.expires_at > $2 order by s.created_at desc""",
            flow_id,
            clock.now(),
        )
    return [
        FlowLink(
            row["id"], _path(token(PURPOSE, row["id"])), row["number"], row["created_at"], row["expires_at"], row["by"]
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


async def opened(secret: str) -> SharedFlow:
    """The flow behind a link, without what is private. 2 to 3 statements.

    Raises NotFound for a link that is unknown, over or taken back, and for a flow in the archive: the same words.
    """
    async with system_tx("open a shared flow") as tx:
        row = await tx.fetchrow(
            """select s.workspace_id, s.expires_at, v.number, coalesce(v.document, f.document) as document
                 from flow_share s join flow f on f.id = s.flow_id and f.workspace_id = s.workspace_id
                 left join flow_version v on v.id = s.version_id and v.flow_id = s.flow_id
                where s.token_hash = $1 and s.revoked_at is null and s.expires_at > $2 and f.archived_at is null
                  and (s.version_id is null or v.id is not null)""",
            proof(secret),
            clock.now(),
        )
    if row is None:
        raise NotFound(CLOSED, remedy="Ask whoever gave it to you for a new one.")
    kinds = catalogue.load()
    safe = given(store.decode_flow(row["document"]), kinds)
    rows = outline(safe.flow, [])
    return SharedFlow(
        _path(secret), safe.flow, row["number"], row["expires_at"],
        picture(safe.flow, safe.flow, Difference([], [], []), kinds),
        difference(Flow(), safe.flow, kinds).steps,
        {each.id: [source.words for source in each.sources] for each in rows},
        safe.todo,
    )  # fmt: skip


async def copy_shared(actor: Actor, secret: str) -> UUID:
    """A flow of one's own from a link. What belonged to the other workspace is left out (`SharedFlow.todo` says what).

    Raises what `opened` raises, and NotAllowed for who may only look.
    """
    _may(actor)
    shown = await opened(secret)
    return await create_flow(actor, shown.flow.name or "New flow", shown.flow)


async def _there(actor: Actor, flow_id: UUID) -> None:
    await queries.there(actor, flow_id)


def _path(secret: str) -> str:
    return f"/shared/flows/{secret}"


def _may(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("You can look at this workspace, not change it.", remedy="Ask an owner to make you an editor.")
