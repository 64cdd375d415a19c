from uuid import uuid4

import pytest

from app.db import tenant_tx
from app.studio import home_queries as queries
from app.studio import service, starters
from app.studio.faces import NoFaces, use
from app.studio.home_queries import Wanted
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow


async def _ran(actor, flow_id, status, *, awaits=(), ago="1 minute", cost=0):
    async with tenant_tx(actor.workspace_id) as tx:
        version = await tx.fetchval(
            "insert into flow_version (workspace_id, flow_id, kind, document, content_hash) "
            "values ($1, $2, 'draft', '{}', $3) returning id",
            actor.workspace_id, flow_id, uuid4().bytes,
        )  # fmt: skip
        run_id = await tx.fetchval(
            f"""insert into run (workspace_id, flow_id, version_id, status, trigger, awaits, cost_micros, created_at,
                                 started_at, finished_at)
                values ($1, $2, $3, $4, 'api', $5, $6, now() - interval '{ago}', now() - interval '{ago}',
                        case when $4 in ('succeeded', 'failed') then now() - interval '{ago}' + interval '2 s' end)
                returning id""",
            actor.workspace_id, flow_id, version, status, list(awaits), cost,
        )  # fmt: skip
        for signal in awaits:
            await tx.execute(
                "insert into node_exec (run_id, node_id, workspace_id, status, epoch, effect_class, idem_key, wait) "
                "values ($1, 'ask', $2, 'waiting', 1, 'pure', gen_random_uuid(), "
                "        json_build_object('signal', $3::text))",
                run_id, actor.workspace_id, signal,
            )  # fmt: skip


async def test_a_card_shows_the_state_that_needs_somebody_before_any_other(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    assert [card.state for card in await queries.cards(actor)] == ["draft"]
    await _ran(actor, flow_id, "failed", ago="5 minutes")
    assert (await queries.cards(actor))[0].state == "failed"
    await _ran(actor, flow_id, "waiting", awaits=["approval"])
    card = (await queries.cards(actor))[0]
    assert card.state == "waiting" and card.last.needs_you
    assert [spot.title for spot in card.picture.spots][-1]


async def test_waiting_for_a_clock_is_not_waiting_for_a_person(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await _ran(actor, flow_id, "waiting")
    waiting, _ = await queries.waiting(actor)
    assert waiting.count == 0
    await _ran(actor, flow_id, "in_doubt", ago="3 hours")
    await _ran(actor, flow_id, "waiting", awaits=["approval"])
    waiting, oldest = await queries.waiting(actor)
    assert (waiting.count, waiting.oldest.status, oldest) == (2, "in_doubt", "Garden helper")


async def test_tabs_search_and_order_choose_among_the_workspaces_own_flows(db):
    actor, stranger = await an_actor(), await an_actor()
    first = await service.create_flow(actor, "Order mailbox", a_document())
    second = await service.create_flow(actor, "100% wool", a_document())
    await service.create_flow(stranger, "Order mailbox", a_document())
    await service.archive(actor, second)
    assert [card.id for card in await queries.cards(actor)] == [first]
    assert [card.id for card in await queries.cards(actor, Wanted("archived"))] == [second]
    assert [card.id for card in await queries.cards(actor, Wanted(search="MAIL"))] == [first]
    assert await queries.cards(actor, Wanted(search="100_")) == []
    assert (await queries.counts(actor)).archived == 1
    assert [hit.id for hit in await queries.found(actor, "order")] == [first]


async def test_the_flow_that_ran_last_comes_first(db):
    actor = await an_actor()
    older = await service.create_flow(actor, "Older", a_document())
    newer = await service.create_flow(actor, "Newer", a_document())
    await _ran(actor, older, "succeeded")
    assert [card.id for card in await queries.cards(actor)] == [older, newer]
    assert [card.id for card in await queries.cards(actor, Wanted(sort="name"))] == [newer, older]


async def test_the_weeks_figures_leave_out_what_is_older(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await _ran(actor, flow_id, "succeeded", cost=1_000)
    await _ran(actor, flow_id, "failed", ago="2 days")
    await _ran(actor, flow_id, "succeeded", ago="9 days", cost=5_000)
    week = await queries.week(actor)
    assert (week.runs, week.before, week.done_share, week.cost_micros) == (2, 1, 0.5, 1_000)
    assert sum(week.by_day) == 2 and week.by_day[-1] == 1
    assert week.median_ms == pytest.approx(2_000, abs=50)


class OnePage(NoFaces):
    async def show(self, actor, flow_id, *, face, title, text):
        return f"http://{face}.localhost/"


async def test_every_starter_that_ships_makes_a_flow_and_those_with_a_face_get_their_page(db):
    actor = await an_actor()
    use(OnePage())
    try:
        for starter in starters.starters():
            flow_id, address = await starters.begin(actor, starter.name)
            assert address == (f"http://{starter.face}.localhost/" if starter.face else "")
            card = next(card for card in await queries.cards(actor) if card.id == flow_id)
            assert card.state == ("live" if starter.face else "draft")
    finally:
        use(NoFaces())
    assert {"chat-assistant", "form-to-text", "daily-digest", "empty"} <= {s.name for s in starters.starters()}
