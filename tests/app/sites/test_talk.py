from uuid import uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from app.db import site_tx
from app.errors import TooMany
from app.sites.visiting import talk
from tests.factories.sites import a_site, a_visit, an_editor

pytestmark = pytest.mark.usefixtures("db")


async def _asked(visit, page_id, question="Why?"):
    assert visit.visitor is not None
    return await talk.ask(visit, visit.visitor, page_id, "chat", uuid4(), question)


async def test_a_conversation_is_there_again_when_its_visitor_comes_back():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(site)
    asked = await _asked(visit, page_id, "How deep?")
    await talk.settle(site, visit.visitor, asked.answer.id, "15 cm", "done", None)
    assert [(turn.role, turn.text) for turn in await talk.turns(visit, page_id, "chat")] == [
        ("user", "How deep?"), ("assistant", "15 cm"),
    ]  # fmt: skip


async def test_another_visitor_sees_nothing_of_it_even_with_the_ids_in_hand():
    site, page_id = await a_site(await an_editor())
    owner, stranger = a_visit(site), a_visit(site)
    asked = await _asked(owner, page_id, "My secret")
    assert await talk.turns(stranger, page_id, "chat") == []
    await talk.settle(site, stranger.visitor, asked.answer.id, "forged", "done", None)
    assert (await talk.turns(owner, page_id, "chat"))[-1].state == "working"


async def test_without_a_visitor_the_role_of_sites_sees_no_conversation_at_all():
    site, page_id = await a_site(await an_editor())
    await _asked(a_visit(site), page_id)
    async with site_tx(site.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from turn") == 0


async def test_the_role_of_sites_can_t_read_a_draft():
    site, _ = await a_site(await an_editor())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with site_tx(site.workspace_id) as tx:
            await tx.fetch("select blocks from page")


async def test_a_flow_is_told_what_was_said_before_and_not_the_question_twice():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(site)
    first = await _asked(visit, page_id, "One")
    await talk.settle(site, visit.visitor, first.answer.id, "1", "done", None)
    second = await _asked(visit, page_id, "Two")
    assert [turn.text for turn in second.history] == ["One", "1"]


async def test_a_second_question_waits_for_the_first_answer():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(site)
    await _asked(visit, page_id)
    with pytest.raises(TooMany, match="still being answered"):
        await _asked(visit, page_id)


async def test_a_visitor_over_the_day_s_questions_is_told_when_to_come_back():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(replace(site, turns_per_day=1))
    asked = await _asked(visit, page_id)
    await talk.settle(site, visit.visitor, asked.answer.id, "1", "done", None)
    with pytest.raises(TooMany, match="last of 1 questions"):
        await _asked(visit, page_id)


async def test_after_an_ending_the_next_question_starts_afresh():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(site)
    asked = await _asked(visit, page_id)
    await talk.settle(site, visit.visitor, asked.answer.id, "1", "done", None)
    await talk.end(visit, page_id, "chat")
    assert await talk.turns(visit, page_id, "chat") == []
    assert (await _asked(visit, page_id)).history == []
