"""Read models of the front page, the list of flows and the palette. Each says how many SQL statements it takes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.runs import queries as runs
from app.runs.queries import Glance, Waiting, Week
from app.studio.diagram import Diagram
from app.studio.faces import faces
from app.studio.pictures import pictures
from app.web import Actor
from flows import catalogue
from flows.catalogue import Catalogue
from flows.model import Flow

Tab = Literal["all", "live", "drafts", "archived"]
Sort = Literal["run", "changed", "name"]


class Wanted(Struct, frozen=True):
    """Which flows of a list, and in which order.

    `search` is looked for in names, descriptions, tags, the names of steps and every text of their settings.
    """

    tab: Tab = "all"
    sort: Sort = "run"
    search: str = ""
    folder: UUID | None = None
    tag: str = ""
    starred: bool = False


class Inside(Struct, frozen=True):
    """Where in a flow the search found its words: in this step's name or settings. `said`: the words around them."""

    step: str
    label: str
    said: str


class FlowCard(Struct, frozen=True):
    """A flow as its card shows it. `version`: the live one, None = a draft. `address`: where visitors meet it."""

    id: UUID
    name: str
    description: str
    steps: int
    version: int | None
    archived: bool
    updated_at: datetime
    picture: Diagram
    last: Glance | None = None
    address: str = ""
    starred: bool = False
    folder: str = ""
    tags: tuple[str, ...] = ()
    inside: Inside | None = None

    @property
    def state(self) -> str:
        """The one state worth a badge: what needs somebody first, then what goes on, then what the flow is."""
        if self.archived:
            return "archived"
        if self.last and self.last.needs_you:
            return "waiting"
        if self.last and self.last.status in ("failed", "running", "queued"):
            return "running" if self.last.status == "queued" else self.last.status
        return "draft" if self.version is None else "live"

    @property
    def host(self) -> str:
        return self.address.partition("://")[2].rstrip("/")


class Counts(Struct, frozen=True):
    """Flows by tab; `all` without the archived ones."""

    all: int
    live: int
    drafts: int
    archived: int


class Folder(Struct, frozen=True):
    """`flows`: how many lie in it, without the archived ones."""

    id: UUID
    name: str
    flows: int


class Shelf(Struct, frozen=True):
    """What one can choose flows by. `starred`: how many of them this person has starred."""

    folders: list[Folder]
    tags: list[str]
    starred: int


class Hit(Struct, frozen=True):
    """A flow that the palette found."""

    id: UUID
    name: str
    live: bool


_TABS: dict[Tab, str] = {
    "all": "f.archived_at is null",
    "live": "f.archived_at is null and f.live_version_id is not null",
    "drafts": "f.archived_at is null and f.live_version_id is null",
    "archived": "f.archived_at is not null",
}
_ORDERS: dict[Sort, str] = {"run": "f.updated_at desc", "changed": "f.updated_at desc", "name": "lower(f.name)"}
MOST = 200


async def cards(actor: Actor, wanted: Wanted | None = None, limit: int = MOST) -> list[FlowCard]:
    """Flows as cards, at most 200. By last run: flows that ran come first, the newest run on top.

    3 statements, and one more when there are words to look for, or a flow whose picture is not known here yet.
    """
    wanted = wanted or Wanted()
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            f"""select f.id, f.name, f.description, f.rev, f.step_count, f.updated_at, f.archived_at, f.tags, v.number,
                       s.user_id is not null as starred, coalesce(d.name, '') as folder
                from flow f
                left join flow_version v on v.id = f.live_version_id
                left join folder d on d.id = f.folder_id
                left join flow_star s on s.flow_id = f.id and s.user_id = $4
                where {_TABS[wanted.tab]}
                  and ($1 = '' or f.name ilike $2 or f.description ilike $2 or lower($1) = any(f.tags)
                       or jsonb_path_exists(f.document, $3::text::jsonpath))
                  and ($5::uuid is null or f.folder_id = $5) and ($6 = '' or $6 = any(f.tags))
                  and (not $7 or s.user_id is not null)
                order by {_ORDERS[wanted.sort]}, f.id limit $8""",  # noqa: S608  constants
            wanted.search,
            f"%{_escaped(wanted.search)}%",
            _in_steps(wanted.search),
            actor.user_id,
            wanted.folder,
            wanted.tag,
            wanted.starred,
            limit,
        )
        states = [(row["id"], (row["rev"], row["updated_at"])) for row in rows]
        drawn, documents = await pictures(tx, states, bool(wanted.search))
    rows = [row for row in rows if row["id"] in drawn]  # one may have been removed between the two statements
    ids = [row["id"] for row in rows]
    last = await runs.latest(actor, ids)
    addresses = await faces().addresses(actor, ids)
    kinds = catalogue.load()
    found = []
    for row in rows:
        flow = documents.get(row["id"])
        on_the_cover = wanted.search.lower() in f"{row['name']}\n{row['description']}".lower()
        card = FlowCard(
            id=row["id"],
            name=row["name"],
            description=row["description"],
            steps=row["step_count"],
            version=row["number"],
            archived=row["archived_at"] is not None,
            updated_at=row["updated_at"],
            picture=drawn[row["id"]],
            last=last.get(row["id"]),
            address=addresses.get(row["id"], ""),
            starred=row["starred"],
            folder=row["folder"],
            tags=tuple(row["tags"]),
            inside=None if on_the_cover or flow is None else inside(flow, wanted.search, kinds),
        )
        found.append(card)
    if wanted.sort == "run":
        found.sort(
            key=lambda card: (card.last is not None, card.last.at if card.last else card.updated_at), reverse=True
        )
    return found


async def shelf(actor: Actor) -> Shelf:
    """Folders by name with their counts, all tags in use, and the number of stars. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            """select coalesce((select json_agg(json_build_object('id', d.id, 'name', d.name, 'flows',
                           (select count(*) from flow f where f.folder_id = d.id and f.archived_at is null))
                           order by lower(d.name)) from folder d), '[]')::text as folders,
                      array(select distinct t from flow, unnest(tags) t where archived_at is null order by t) as tags,
                      (select count(*) from flow_star s join flow f on f.id = s.flow_id
                       where s.user_id = $1 and f.archived_at is null) as starred""",
            actor.user_id,
        )
    return Shelf(msgspec.json.decode(row["folders"], type=list[Folder]), row["tags"], row["starred"])


async def counts(actor: Actor) -> Counts:
    """1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            """select count(*) filter (where archived_at is null) as all,
                      count(*) filter (where archived_at is null and live_version_id is not null) as live,
                      count(*) filter (where archived_at is null and live_version_id is null) as drafts,
                      count(*) filter (where archived_at is not null) as archived
               from flow"""
        )
    return Counts(**dict(row))


async def found(actor: Actor, search: str, limit: int = 8) -> list[Hit]:
    """Flows whose name holds these letters; without letters the ones changed last. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select id, name, live_version_id is not null as live from flow
               where archived_at is null and ($1 = '' or name ilike $2)
               order by starts_with(lower(name), lower($1)) desc, updated_at desc limit $3""",
            search,
            f"%{_escaped(search)}%",
            limit,
        )
    return [Hit(row["id"], row["name"], row["live"]) for row in rows]


async def waiting(actor: Actor) -> tuple[Waiting, str]:
    """What waits for a person, and the name of the flow that waits longest. 1 statement, 2 when something waits."""
    now = await runs.waiting(actor)
    if now.oldest is None:
        return now, ""
    async with tenant_tx(actor.workspace_id) as tx:
        name: str | None = await tx.fetchval("select name from flow where id = $1", now.oldest.flow_id)
    return now, name or ""


async def week(actor: Actor) -> Week:
    return await runs.week(actor)


def inside(flow: Flow, search: str, kinds: Catalogue) -> Inside | None:
    """The first step whose name or settings hold these letters."""
    if not search:
        return None
    for node in flow.nodes:
        kind = kinds.get(node.type)
        label = node.label or (kind.title if kind else node.type)
        for text in (node.label, *_texts(node.settings)):
            at = text.lower().find(search.lower())
            if at >= 0:
                return Inside(node.id, label, _around(text, at, len(search)))
    return None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _around(text: str, at: int, length: int) -> str:
    """Some words before and after, on one line."""
    start, end = max(0, at - 40), at + length + 60
    cut = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _in_steps(search: str) -> str:
    """A jsonpath that finds these letters in the names of steps and the texts of their settings.

    `flag "iq"`: letters as they are (no pattern), upper and lower case alike.
    """
    said = msgspec.json.encode(search).decode()
    fits = f'@ like_regex {said} flag "iq"'
    return f"$.nodes[*] ? (exists(@.label ? ({fits})) || exists(@.settings.** ? ({fits})))"


def _escaped(text: str) -> str:
    """For ILIKE: % and _ are letters like any other."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
