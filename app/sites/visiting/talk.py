"""Conversations of visitors: their turns in the database, under the role of sites and the visitor's own id."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import Struct

from app.db import Tx, site_tx
from app.errors import TooMany
from app.sites.visiting.visit import PublicSite, Visit

HISTORY = 20
"""Turns of the past that a flow is told."""
SHOWN = 200
"""Turns that a page shows."""


class Turn(Struct, frozen=True):
    """`good`: what the visitor thinks of the answer; None = they did not say."""

    id: UUID
    role: str
    text: str
    state: str
    run_id: UUID | None = None
    good: bool | None = None


class Asked(Struct, frozen=True):
    """A question that was kept, and the place of its answer."""

    conversation_id: UUID
    question: Turn
    answer: Turn
    history: list[Turn]


@asynccontextmanager
async def visitor_tx(site: PublicSite, visitor: bytes) -> AsyncIterator[Tx]:
    """One transaction in which only this visitor's rows exist."""
    async with site_tx(site.workspace_id) as tx:
        await tx.execute("select set_config('app.visitor', $1, true)", visitor.hex())
        yield tx


async def turns(visit: Visit, page_id: UUID, block_id: str) -> list[Turn]:
    """The open conversation of this visitor with one block, oldest first; empty for somebody new."""
    if visit.visitor is None:
        return []
    async with visitor_tx(visit.site, visit.visitor) as tx:
        rows = await tx.fetch(
            """select t.id, t.role, t.text, t.state, t.run_id
               from turn t join conversation c on c.id = t.conversation_id
               where c.page_id = $1 and c.block_id = $2 and c.ended_at is null
               order by t.created_at desc, t.id desc limit $3""",
            page_id, block_id, SHOWN,
        )  # fmt: skip
    return [Turn(**row) for row in reversed(rows)]


async def ask(visit: Visit, visitor: bytes, page_id: UUID, block_id: str, flow_id: UUID, question: str) -> Asked:
    """Keep a question and make the place for its answer; both are stored before anything runs.

    Raises TooMany when this visitor has used the day's questions of the site, or an answer is still being written.
    """
    async with visitor_tx(visit.site, visitor) as tx:
        conversation_id = await _open(tx, visit.site, visitor, page_id, block_id, flow_id)
        await _within_limits(tx, visit.site, conversation_id)
        history = await tx.fetch(
            """select id, role, text, state, run_id from turn
               where conversation_id = $1 and state = 'done' order by created_at desc, id desc limit $2""",
            conversation_id, HISTORY,
        )  # fmt: skip
        made = [
            await tx.fetchrow(
                """insert into turn (workspace_id, conversation_id, visitor, role, text, state)
                   values ($1, $2, $3, $4, $5, $6) returning id, role, text, state, run_id""",
                visit.site.workspace_id, conversation_id, visitor, role, text, state,
            )
            for role, text, state in (("user", question, "done"), ("assistant", "", "working"))
        ]  # fmt: skip
    asked, answer = (Turn(**row) for row in made if row is not None)
    return Asked(conversation_id, asked, answer, [Turn(**row) for row in reversed(history)])


async def settle(site: PublicSite, visitor: bytes, turn_id: UUID, text: str, state: str, run_id: UUID | None) -> None:
    """Write down how an answer ended; the first end counts."""
    async with visitor_tx(site, visitor) as tx:
        await tx.execute(
            "update turn set text = $2, state = $3, run_id = $4 where id = $1 and state = 'working'",
            turn_id, text, state, run_id,
        )  # fmt: skip


async def end(visit: Visit, page_id: UUID, block_id: str) -> None:
    """Close the visitor's conversation: the next question starts a new one. Nothing to do for somebody new."""
    if visit.visitor is None:
        return
    async with visitor_tx(visit.site, visit.visitor) as tx:
        await tx.execute(
            "update conversation set ended_at = now() where page_id = $1 and block_id = $2 and ended_at is null",
            page_id, block_id,
        )  # fmt: skip


async def _open(tx: Tx, site: PublicSite, visitor: bytes, page_id: UUID, block_id: str, flow_id: UUID) -> UUID:
    found = await tx.fetchval(
        """insert into conversation (workspace_id, site_id, page_id, block_id, flow_id, visitor)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (page_id, block_id, visitor) where ended_at is null do update set last_at = now()
           returning id""",
        site.workspace_id, site.id, page_id, block_id, flow_id, visitor,
    )  # fmt: skip
    return UUID(str(found))


async def _within_limits(tx: Tx, site: PublicSite, conversation_id: UUID) -> None:
    """The row of the conversation is locked by `_open`, so two questions at once are counted one after the other."""
    used = await tx.fetchrow(
        """select count(*) filter (where role = 'user' and created_at > now() - interval '24 hours') as today,
                  count(*) filter (where state = 'working' and conversation_id = $1
                                   and created_at > now() - interval '5 minutes') as working
           from turn""",
        conversation_id,
    )
    assert used is not None  # noqa: S101 - an aggregate always has a row
    if used["working"]:
        raise TooMany(
            "The last question is still being answered.", remedy="Wait for it, then ask again.", retry_after=5
        )
    if used["today"] >= site.turns_per_day:
        raise TooMany(
            f"That was the last of {site.turns_per_day} questions for today.",
            remedy="Come back tomorrow.",
            retry_after=3600,
        )
