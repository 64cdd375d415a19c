"""Read models of comments: the threads of a flow, how many each step has, and where somebody is mentioned."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from app.accounts import queries as accounts
from app.db import tenant_tx
from app.errors import NotFound
from app.studio.service import store
from app.web import Actor
from flows import catalogue
from flows.model import Flow

LEFT = "Somebody who left"
MOST_MENTIONS = 200
"""Lines of the page of mentions."""


class Said(Struct, frozen=True):
    """One comment. The words of a removed one are not given out."""

    id: UUID
    by: str
    text: str
    at: datetime
    edited: bool
    removed: bool
    mine: bool


class Thread(Struct, frozen=True):
    """`id` is that of its first comment. `step` "" = about the flow. `gone`: the step was removed since."""

    id: UUID
    step: str
    title: str
    gone: bool
    resolved_at: datetime | None
    resolved_by: str
    said: tuple[Said, ...]

    @property
    def last(self) -> datetime:
        return self.said[-1].at


class Mention(Struct, frozen=True):
    """A comment that names the actor and was not looked at yet."""

    comment: UUID
    thread: UUID
    flow_id: UUID
    flow: str
    step: str
    by: str
    text: str
    at: datetime


_THREADS = """
select c.id, c.thread_id, c.node_id, c.node_title, c.user_id, c.created_at, c.edited_at is not null as edited,
       c.removed_at is not null as removed, case when c.removed_at is null then c.text else '' end as text,
       coalesce(nullif(u.name, ''), u.email, $2) as by, c.resolved_at,
       coalesce(nullif(r.name, ''), r.email, '') as ended_by
  from flow_comment c
  left join user_account u on u.id = c.user_id
  left join user_account r on r.id = c.resolved_by
 where c.flow_id = $1 order by c.created_at, c.id
"""


async def threads(actor: Actor, flow_id: UUID) -> list[Thread]:
    """All that still say something, the one with the latest word first. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        document = await tx.fetchval("select document from flow where id = $1", flow_id)
        if document is None:
            raise NotFound(store.GONE)
        rows = await tx.fetch(_THREADS, flow_id, LEFT)
    titles = titles_of(store.decode_flow(document))
    said: dict[UUID, list[Said]] = {}
    for row in rows:
        one = Said(
            row["id"], row["by"], row["text"], row["created_at"], row["edited"], row["removed"], _mine(row, actor)
        )
        said.setdefault(row["thread_id"] or row["id"], []).append(one)
    made = [
        Thread(
            row["id"], row["node_id"], titles.get(row["node_id"], row["node_title"]),
            bool(row["node_id"]) and row["node_id"] not in titles,
            row["resolved_at"], row["ended_by"], tuple(said[row["id"]]),
        )
        for row in rows if row["thread_id"] is None and not all(one.removed for one in said[row["id"]])
    ]  # fmt: skip
    return sorted(made, key=lambda thread: thread.last, reverse=True)


def _mine(row: Any, actor: Actor) -> bool:
    return bool(row["user_id"] == actor.user_id)


def counts(listed: Iterable[Thread]) -> dict[str, int]:
    """Step -> its open threads; "" = those about the flow itself."""
    found: dict[str, int] = {}
    for thread in listed:
        if thread.resolved_at is None:
            found[thread.step] = found.get(thread.step, 0) + 1
    return found


async def open_counts(actor: Actor, flow_id: UUID) -> dict[str, int]:
    """The same from the database, for pages that show no thread. 1 statement; {} for a flow that is not there."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select c.node_id, count(*) as n from flow_comment c
                where c.flow_id = $1 and c.thread_id is null and c.resolved_at is null and exists (
                   select from flow_comment s
                    where coalesce(s.thread_id, s.id) = c.id and s.flow_id = $1 and s.removed_at is null)
                group by c.node_id""",
            flow_id,
        )
    return {row["node_id"]: row["n"] for row in rows}


def titles_of(flow: Flow) -> dict[str, str]:
    """Step -> what people call it."""
    kinds = catalogue.load()
    return {n.id: n.label or (kinds[n.type].title if n.type in kinds else n.type) for n in flow.nodes}


async def mentions(actor: Actor) -> list[Mention]:
    """What waits for this person, the newest first; at most 200. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select c.id, coalesce(c.thread_id, c.id) as thread, c.flow_id, f.name, first.node_title,
                      coalesce(nullif(u.name, ''), u.email, $2) as by, c.text, c.created_at
                 from comment_mention m
                 join flow_comment c on c.id = m.comment_id and c.removed_at is null
                 join flow_comment first on first.id = coalesce(c.thread_id, c.id)
                 join flow f on f.id = c.flow_id
                 left join user_account u on u.id = c.user_id
                where m.user_id = $1 and m.seen_at is null order by c.created_at desc limit $3""",
            actor.user_id,
            LEFT,
            MOST_MENTIONS,
        )
    return [Mention(*row.values()) for row in rows]


async def unseen(actor: Actor) -> int:
    """How many comments wait for this person to look at them. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        number: int = await tx.fetchval(
            """select count(*) from comment_mention m join flow_comment c on c.id = m.comment_id
                where m.user_id = $1 and m.seen_at is null and c.removed_at is null""",
            actor.user_id,
        )
    return number


async def names(actor: Actor) -> list[str]:
    """What can stand behind an @: each member's name; where two share it, their addresses. 1 statement."""
    people = await accounts.people(actor)
    shared = [person.label for person in people]
    return [person.label if shared.count(person.label) == 1 else person.email for person in people]
