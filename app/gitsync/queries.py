"""Read models of the repository's pages. Each says how many SQL statements it takes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from app import clock
from app.db import tenant_tx
from app.errors import NotFound
from app.gitsync import companions
from app.gitsync.merging import read, written
from app.gitsync.shapes import EventView, FileView, LinkView, Sides
from app.studio import queries as studio
from app.studio.service.proposals import changes, exported
from app.web import Actor
from app.web.worddiff import pieces
from flows import catalogue
from flows.model import Flow

NONE = "No repository is connected."
GONE = "There is no such file in this repository."
BUSY = timedelta(minutes=10)
"""A sync that has not ended by then never will: its process died."""
_FILES = """
select g.id, g.path, g.flow_id, coalesce(f.name, '') as flow, g.state, g.said, g.updated_at
  from git_file g left join flow f on f.id = g.flow_id
"""


async def link(actor: Actor, events: int = 30) -> LinkView | None:
    """The workspace's repository with its files and the last syncs; None when there is none. 3 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select * from git_link")
        if row is None:
            return None
        files = await tx.fetch(_FILES + "order by g.state = 'same', g.path")
        log = await tx.fetch(
            "select id, at, why, by, commit_id, ok, said, lines::text as lines from git_event order by at desc"
            " limit $1",
            events,
        )
    return LinkView(
        row["url"],
        row["branch"],
        row["folder"],
        row["form"],
        row["git_user"],
        row["token_hint"],
        row["token_sealed"] is not None,
        row["push_on_publish"],
        row["pull_minutes"],
        row["tests"],
        row["hook_digest"] is not None,
        row["head"],
        row["state"],
        row["said"],
        row["busy_at"] is not None and clock.now() - row["busy_at"] < BUSY,
        row["synced_at"],
        [_file(each) for each in files],
        [_event(each) for each in log],
    )


async def sides(actor: Actor, file_id: UUID) -> Sides:
    """What both sides did to one file. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(_FILES + "where g.id = $1", file_id)
        texts = await tx.fetchrow("select base, theirs from git_file where id = $1", file_id)
    if row is None or texts is None:
        raise NotFound(GONE, remedy="Look at the list of files.")
    file = _file(row)
    if what := companions.of(file.path):
        mine, their = await companions.ours_of(actor, file.flow_id, file.path), texts["theirs"]
        return Sides(
            file, [], [], pieces(mine or "", their or ""), mine is not None, their is not None, companions.WORDS[what]
        )
    ours = await ours_of(actor, file)
    base, theirs = (_flow(file.path, texts[name]) for name in ("base", "theirs"))
    ours_text = written(file.path, ours) if ours is not None else ""
    kinds = catalogue.load()
    return Sides(
        file,
        changes(base or Flow(), ours, kinds) if ours is not None else [],
        changes(base or Flow(), theirs, kinds) if theirs is not None else [],
        pieces(ours_text, texts["theirs"] or ""),
        ours is not None,
        texts["theirs"] is not None,
    )


async def ours_of(actor: Actor, file: FileView) -> Flow | None:
    """The draft as it would be written; None when the flow is not here (any more). 1 statement."""
    if file.flow_id is None:
        return None
    if (await studio.editor(actor, file.flow_id)).archived:
        return None
    return exported((await studio.draft(actor, file.flow_id))[0], catalogue.load())


def _flow(path: str, text: str | None) -> Flow | None:
    return read(path, text.encode())[0] if text is not None else None


def _file(row: Any) -> FileView:
    return FileView(*(row[name] for name in FileView.__struct_fields__))


def _event(row: Any) -> EventView:
    lines = msgspec.json.decode(row["lines"], type=list[tuple[str, str]])
    return EventView(row["id"], row["at"], row["why"], row["by"], row["commit_id"], row["ok"], row["said"], lines)
