"""Pictures of flows are drawn once and drawn anew when the flow changed."""

from app.db import tenant_tx
from app.studio import home_queries as queries
from app.studio import pictures
from app.studio import service as studio
from app.studio.home_queries import Wanted
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_flow, adding


async def test_a_list_reads_the_documents_of_changed_flows_only(db, statements):
    actor = await an_actor()
    one, _ = await a_flow(actor), await a_flow(actor)

    async def read() -> int:
        statements.clear()
        cards = {card.id: card for card in await queries.cards(actor)}
        assert all(card.picture.spots for card in cards.values())
        return sum("document from flow" in text for text in statements)

    assert await read() == 1
    assert await read() == 0
    await studio.apply_ops(actor, one, a_batch(0, adding("more", "data.set", x=840)))
    assert await read() == 1
    shown = {card.id: card.picture for card in await queries.cards(actor)}
    assert len(shown[one].spots) == 4


async def test_looking_for_words_reads_the_documents_it_shows(db):
    actor = await an_actor()
    await a_flow(actor)
    await queries.cards(actor)
    found = await queries.cards(actor, Wanted(search="question"))
    assert found[0].inside is not None and "question" in found[0].inside.said


async def test_what_is_remembered_shows_nobody_what_row_security_hides(db):
    ada, eve = await an_actor(), await an_actor()
    flow = await a_flow(ada)
    await queries.cards(ada)
    assert await queries.cards(eve) == []
    async with tenant_tx(eve.workspace_id) as tx:
        assert await pictures.pictures(tx, []) == ({}, {})
    assert flow in pictures._kept
