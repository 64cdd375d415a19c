"""A long For each through PostgreSQL: taken up after a crash without holding or repeating what is finished."""

from typing import Any

import pytest

from app import db as database
from flows.ledger import Claim
from flows.ledger.postgres import PostgresLedger
from flows.model import NodeUse
from flows.run import Engine
from tests.factories.runs import a_chain, a_version
from tests.flows.durable.test_postgres_ledger import PostgresBench
from tests.flows.nodes import Log, flow, nodes, plan_of

ITEMS = 1_700
MADE = flow(
    NodeUse("items", "list", settings={"items": list(range(ITEMS))}),
    NodeUse("each", "logic.each", settings={"at_once": 8, "limit": ITEMS}),
    NodeUse("a", "ask", parent="each"),
    NodeUse("b", "double", parent="each"),
    NodeUse("sizes", "say", settings={"text": "{{ size(value) }}"}),
    wires="items.items>each.items each.item>a.value a.text>b.value b.value>each.result each.results>sizes.value",
)


class Dies(PostgresLedger):
    """The worker is gone in the middle of a write, which had come through or had not."""

    left = 1_000

    async def write(self, claim: Claim, *args: Any, **more: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise ConnectionAbortedError("killed")
        await super().write(claim, *args, **more)


@pytest.fixture
async def bench(db):
    pool = await database.open_pool("system", "worker", least=0, most=5)
    made = PostgresBench(pool, await a_version(a_chain(3)))
    await made.queue.register()
    yield made
    pool.terminate()


async def test_rounds_that_are_on_record_are_read_some_hundreds_at_a_time_and_not_done_again(bench):
    log, asked = Log(), []
    run = await bench.open()
    dying = Dies(bench.pool)
    with pytest.raises(ConnectionAbortedError):
        await Engine(nodes(log), dying).advance(await bench.claim(run), plan_of(MADE, log))
    before = len(log.calls)
    assert 500 < before < 2 * ITEMS

    class Counting(PostgresLedger):
        async def rounds(self, claim: Claim, iters: Any) -> Any:
            found = await super().rounds(claim, iters)
            asked.append((len(iters), len(found)))
            return found

    bench.ledger = Counting(bench.pool)
    claim = await bench.claim(run)
    assert len((await bench.ledger.load(claim)).steps) < 30, "only what is open"
    outcome = await Engine(nodes(log), bench.ledger).advance(claim, plan_of(MADE, log))
    assert outcome.status == "succeeded", outcome.fault
    assert outcome.outputs["each"].results == ["HelloHello"] * ITEMS and outcome.outputs["sizes"].text == str(ITEMS)
    assert [number for number, _ in asked] == [500] * 4 and all(found <= 1_000 for _, found in asked)
    calls = [call for call in log.calls if call.startswith("a:")]
    assert ITEMS <= len(calls) <= ITEMS + 8, "at most those that were under way are done again"
