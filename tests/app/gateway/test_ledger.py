"""The brake on money: reservations under concurrency, settling, crashes, and the walls between workspaces."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app.db import system_tx, tenant_tx
from app.gateway.ledger import Closing, PostgresLedger, Purpose
from tests.factories.gateway import a_budget, an_opening, settings_of, spending
from tests.factories.kernel import a_workspace

pytestmark = pytest.mark.anyio
ledger = PostgresLedger()


async def test_fifty_calls_at_once_never_spend_more_than_the_budget(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 1_000)
    purpose, costs = Purpose(workspace), []

    async def call() -> str:
        opening = an_opening(100)
        verdict = await ledger.reserve(purpose, rev, opening)
        spent, held = await spending(workspace)
        assert spent + held <= 1_000
        if verdict.verdict == "held":
            await asyncio.sleep(0.01)
            costs.append(90)
            await ledger.settle(purpose, opening.call_id, Closing("ok", cost_micros=90))
        return verdict.verdict

    verdicts = await asyncio.gather(*(call() for _ in range(50)))
    assert "refused" in verdicts, "the budget was never reached: this test would prove nothing"
    assert sum(costs) <= 1_000
    assert await spending(workspace) == (sum(costs), 0)


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 100)), min_size=1, max_size=12))
async def test_whatever_the_amounts_what_is_spent_and_held_stays_under_the_limit(db, calls):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 500)
    purpose, open_calls = Purpose(workspace), []
    for amount, percent in calls:
        opening = an_opening(amount)
        if (await ledger.reserve(purpose, rev, opening)).verdict == "held":
            open_calls.append((opening, amount * percent // 100))
        assert sum(await spending(workspace)) <= 500
    for opening, cost in open_calls:
        await ledger.settle(purpose, opening.call_id, Closing("ok", cost_micros=cost))
    assert await spending(workspace) == (sum(cost for _, cost in open_calls), 0)


async def test_a_refusal_says_which_limit_and_holds_nothing(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 10_000)
    await a_budget(workspace, 150, scope="run", period="total")
    purpose = Purpose(workspace, run_id=uuid4())
    first = an_opening(100)
    assert (await ledger.reserve(purpose, rev, first)).verdict == "held"
    refused = await ledger.reserve(purpose, rev, an_opening(100))
    assert (refused.verdict, refused.scope, refused.limit_micros, refused.used_micros) == ("refused", "run", 150, 100)
    assert await spending(workspace) == (0, 200)  # the first call, in both budgets
    assert (await ledger.reserve(Purpose(workspace, run_id=uuid4()), rev, an_opening(100))).verdict == "held"


async def test_each_visitor_has_the_visitor_limit_of_their_own(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 100, scope="visitor", period="day")
    verdicts = [
        (await ledger.reserve(Purpose(workspace, visitor=visitor), rev, an_opening(60))).verdict
        for visitor in ("ann", "ann", "bea", "")
    ]
    assert verdicts == ["held", "refused", "held", "held"]  # nobody in particular is not a visitor


async def test_the_reservation_of_a_dead_process_is_given_back_and_a_late_answer_still_counts(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 100)
    purpose, opening = Purpose(workspace), an_opening(100)
    assert (await ledger.reserve(purpose, rev, opening)).verdict == "held"
    async with tenant_tx(workspace) as tx:
        await tx.execute(
            "update model_call set expires_at = now() - interval '1 second' where id = $1", opening.call_id
        )
    async with system_tx("sweep") as tx:
        assert await tx.fetchval("select gateway_release_expired(100)") >= 1
    assert await spending(workspace) == (0, 0)
    await ledger.settle(purpose, opening.call_id, Closing("ok", cost_micros=70))
    assert await spending(workspace) == (70, 0)


async def test_a_call_is_settled_once(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    await a_budget(workspace, 100)
    purpose, opening = Purpose(workspace), an_opening(50)
    await ledger.reserve(purpose, rev, opening)
    for _ in range(3):
        await ledger.settle(purpose, opening.call_id, Closing("ok", cost_micros=40, prompt_tokens=5))
    assert await spending(workspace) == (40, 0)


async def test_another_revision_is_told_before_anything_is_held(db):
    workspace = await a_workspace()
    rev = await settings_of(workspace)
    verdict = await ledger.reserve(Purpose(workspace), rev + 1, an_opening())
    assert (verdict.verdict, verdict.rev) == ("changed", rev)
    assert (await ledger.reserve(Purpose(uuid4()), 1, an_opening())).verdict == "changed"


async def test_every_change_of_a_connection_raises_the_revision(db):
    workspace = await a_workspace()
    before = await settings_of(workspace)
    async with tenant_tx(workspace) as tx:
        await tx.execute(
            "insert into connection (workspace_id, slug, provider, name) values ($1, 'a', 'openai', 'A')", workspace
        )
        await tx.execute("update connection set status = 'ready' where slug = 'a'")
        assert await tx.fetchval("select rev from gateway_setting") == before + 1
        await tx.execute("update connection set removed_at = now()")
        assert await tx.fetchval("select rev from gateway_setting") == before + 2


async def test_one_workspace_can_neither_see_nor_settle_the_calls_of_another(db):
    mine, theirs = await a_workspace(), await a_workspace()
    rev = await settings_of(theirs)
    await a_budget(theirs, 100)
    opening = an_opening(50)
    await ledger.reserve(Purpose(theirs), rev, opening)
    await ledger.settle(Purpose(mine), opening.call_id, Closing("ok", cost_micros=1))
    assert await spending(theirs) == (0, 50)
    async with tenant_tx(mine) as tx:
        assert await tx.fetchval("select count(*) from model_call where id = $1", opening.call_id) == 0
