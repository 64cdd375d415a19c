"""How people keep flows in order: folders, tags and stars."""

from collections.abc import Sequence
from uuid import UUID

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.studio.service import store
from app.studio.service.flows import archive, unarchive
from app.studio.shelf_undo import Aspect, Before
from app.web import Actor

MOST_FOLDERS = 200
MOST_TAGS = 12
"""Tags of one flow."""

NO_FOLDER = "This folder does not exist, or you have no access to it."


async def make_folder(actor: Actor, name: str) -> UUID:
    """Raises Refused without a name or with too many folders, Conflict when there is one of that name."""
    async with tenant_tx(actor.workspace_id) as tx:
        name = await _free_name(tx, name)
        if await tx.fetchval("select count(*) from folder") >= MOST_FOLDERS:
            raise Refused(f"A workspace has at most {MOST_FOLDERS} folders.", remedy="Remove one, or use tags.")
        made: UUID = await tx.fetchval(
            "insert into folder (workspace_id, name) values ($1, $2) returning id", actor.workspace_id, name
        )
    return made


async def rename_folder(actor: Actor, folder_id: UUID, name: str) -> None:
    async with tenant_tx(actor.workspace_id) as tx:
        name = await _free_name(tx, name, but=folder_id)
        if not await tx.fetchval("update folder set name = $2 where id = $1 returning true", folder_id, name):
            raise NotFound(NO_FOLDER)


async def remove_folder(actor: Actor, folder_id: UUID) -> int:
    """The flows in it stay, in no folder. Returns how many there were."""
    async with tenant_tx(actor.workspace_id) as tx:
        inside: int = await tx.fetchval("select count(*) from flow where folder_id = $1", folder_id)
        if not await tx.fetchval("delete from folder where id = $1 returning true", folder_id):
            raise NotFound(NO_FOLDER)
    return inside


async def move(actor: Actor, flows: Sequence[UUID], folder_id: UUID | None) -> int:
    """Put these flows into a folder (None = into none). Returns how many changed their place.

    Raises NotFound when the folder or one of the flows is not there; then nothing moved.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        if folder_id is not None and not await tx.fetchval("select true from folder where id = $1", folder_id):
            raise NotFound(NO_FOLDER)
        await _all_there(tx, flows)
        moved = await tx.fetch(
            "update flow set folder_id = $2 where id = any($1) and folder_id is distinct from $2 returning id",
            flows,
            folder_id,
        )
    return len(moved)


async def tag(actor: Actor, flows: Sequence[UUID], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Add and remove tags on these flows. Tags are lower case; one that is there already is not added twice.

    Raises NotFound when a flow is not there, Refused when one would have too many tags; then nothing changed.
    """
    plus, minus = _tags(add), _tags(remove)
    async with tenant_tx(actor.workspace_id) as tx:
        await _all_there(tx, flows)
        most = await tx.fetchval(
            """with changed as (
                   update flow set tags = array(
                       select distinct t from unnest(tags || $2::text[]) t where t <> all($3::text[]) order by t)
                   where id = any($1) returning cardinality(tags) as n)
               select max(n) from changed""",
            flows,
            plus,
            minus,
        )
        if most is not None and most > MOST_TAGS:
            raise Refused(f"A flow has at most {MOST_TAGS} tags.", field="add", remedy="Remove one first.")


async def archive_all(actor: Actor, flows: Sequence[UUID], *, away: bool = True) -> int:
    """Put these flows away, or bring them back. Returns how many changed. Raises NotFound; then nothing changed."""
    async with tenant_tx(actor.workspace_id) as tx:
        await _all_there(tx, flows)
        rows = await tx.fetch("select id from flow where id = any($1) and (archived_at is null) = $2", flows, away)
        for row in rows:
            await (archive(actor, row["id"]) if away else unarchive(actor, row["id"]))
    return len(rows)


async def lying(actor: Actor, flows: Sequence[UUID], aspect: Aspect) -> dict[UUID, list[str]]:
    """How these flows lie now, for `put_back`; of `archived` only those that are not."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch("select id, folder_id, tags, archived_at from flow where id = any($1)", flows)
    if aspect == "folder":
        return {row["id"]: [str(row["folder_id"] or "")] for row in rows}
    if aspect == "tags":
        return {row["id"]: list(row["tags"]) for row in rows}
    return {row["id"]: [] for row in rows if row["archived_at"] is None}


async def put_back(actor: Actor, before: Before) -> None:
    """As it was. Flows and folders that are gone by now are left out."""
    async with tenant_tx(actor.workspace_id) as tx:
        for was, flows in before.flows():
            there = [row["id"] for row in await tx.fetch("select id from flow where id = any($1)", flows)]
            if before.aspect == "archived":
                await archive_all(actor, there, away=False)
            elif before.aspect == "tags":
                await tx.execute("update flow set tags = $2 where id = any($1)", there, was)
            else:
                folder = UUID(was[0]) if was[0] else None
                await tx.execute(
                    "update flow set folder_id = (select id from folder where id = $2) where id = any($1)",
                    there,
                    folder,
                )


async def star(actor: Actor, flow_id: UUID, *, on: bool) -> None:
    """A person's own mark on a flow. Doing it twice is the same as once. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        await _all_there(tx, [flow_id])
        if on:
            await tx.execute(
                "insert into flow_star (workspace_id, flow_id, user_id) values ($1, $2, $3) on conflict do nothing",
                actor.workspace_id,
                flow_id,
                actor.user_id,
            )
        else:
            await tx.execute("delete from flow_star where flow_id = $1 and user_id = $2", flow_id, actor.user_id)


async def _all_there(tx: Tx, flows: Sequence[UUID]) -> None:
    if await tx.fetchval("select count(*) from flow where id = any($1)", flows) != len(set(flows)):
        raise NotFound(store.GONE)


async def _free_name(tx: Tx, name: str, but: UUID | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("A folder needs a name.", field="name")
    taken = await tx.fetchval(
        "select true from folder where lower(name) = lower($1) and id is distinct from $2", name, but
    )
    if taken:
        raise Conflict(f"There is a folder “{name}” already.", field="name", remedy="Choose another name.")
    return name


def _tags(words: Sequence[str]) -> list[str]:
    found = {" ".join(word.lower().split()) for word in words}
    return sorted(word for word in found if word)
