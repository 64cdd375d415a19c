"""What must happen once, killed at each of its awaits in turn: every database answer may be the one nobody hears.

One await after the other: `make fault F=awaits`. With the other tests a few, others each time.
"""

from itertools import count
from uuid import UUID

import pytest

from app.db import system_tx, tenant_tx
from app.runs import announcing, news, service
from app.triggers.arrivals import take_mails
from app.triggers.following import fire_events
from flows.model import Edge, Flow, NodeUse
from tests.factories.runs import a_chain, a_version, a_worker, wait_for
from tests.factories.triggers import a_trigger, firings, token_of
from tests.fault.dying import deathbed

pytestmark = pytest.mark.fault

ENDED = """
with ended as (
    update run set status = 'succeeded', finished_at = clock_timestamp(), next_event_seq = next_event_seq + 1
     where id = $1 returning id, workspace_id, next_event_seq - 1 as seq
)
insert into run_event (run_id, seq, workspace_id, type, payload)
select id, seq, workspace_id, 'run.succeeded', json_build_object('type', 'run.succeeded', 'run', id) from ended
"""
TOLD = "select data->>'run' as run from event where workspace_id = $1 and type = 'run.succeeded' order by seq"


@pytest.fixture
async def host(db):
    from app.runs import running

    yield await running.start("cli")
    await running.stop()


@pytest.fixture
def each(full, chance):
    """`each(n)`: at which of its awaits the next one dies, n apart; at full size at every one."""
    return lambda n: count(1) if full else count(chance.randint(1, n), n)


async def an_ended_run(workspace: UUID, version: UUID) -> UUID:
    """As its worker leaves it when it is killed right after the commit."""
    run = await service.start(workspace, version, {"n": 1}, trigger="api")
    async with system_tx("test") as tx:
        await tx.execute(ENDED, run)
    return run


async def told_of(workspace: UUID) -> list[str]:
    async with tenant_tx(workspace) as tx:
        return [row["run"] for row in await tx.fetch(TOLD, workspace)]


async def test_the_end_of_a_run_is_told_once_wherever_its_teller_is_killed(host, each):
    workspace, _, version = await a_version(a_chain(3, start="start.api"))
    ended, killed = [], 0
    async with deathbed("app.runs.news") as bed:
        for at in each(4):
            ended.append(await an_ended_run(workspace, version))
            if await bed.survives(at, "app.runs.news:tell", workspace):
                break
            killed += 1
    await news.tell(workspace)
    assert await told_of(workspace) == [str(run) for run in ended]
    assert killed >= 1 and at >= 6, "begin, workspace, taking, storing and commit are at least so many awaits"


async def test_what_follows_the_end_of_a_run_begins_once_wherever_its_starter_is_killed(host, each):
    made = await a_trigger("start.event", kinds=["run.succeeded"])
    workspace, _, version = await a_version(a_chain(3, start="start.api"), made.workspace_id)
    killed = 0
    async with deathbed("app.triggers.following") as bed:
        for at in each(8):
            await an_ended_run(workspace, version)
            await news.tell(workspace)
            if await bed.survives(at, "app.triggers.following:fire_events"):
                break
            await fire_events()  # the next worker
            killed += 1
    await fire_events()
    rows = await firings(made.id)
    async with system_tx("test") as tx:
        started = await tx.fetchval("select count(*) from run where trigger_id = $1", made.id)
    assert [row["result"] for row in rows] == ["started"] * (killed + 1) and started == killed + 1
    assert killed >= 2 and at >= 16


async def test_news_of_a_worker_that_died_before_it_told_them_are_told_by_another(host, monkeypatch):
    """Ends of all kinds: of the engine, of the sweeper, by a person; each in its run's order."""
    monkeypatch.setattr(announcing.Announcer, "_tell", lambda *_: None)
    made = await a_trigger("start.event", kinds=["run.*"])
    workspace, _, version = await a_version(a_chain(3, start="start.api"), made.workspace_id)
    asks = Flow(
        [NodeUse("start", "start.api"), NodeUse("ask", "people.approval"), NodeUse("answer", "show.answer")],
        [Edge("start.input", "ask.value"), Edge("ask.approved", "answer.data")],
    )
    _, _, asking = await a_version(asks, workspace)
    async with a_worker():
        good = await service.start(workspace, version, {}, trigger="api")
        waits = await service.start(workspace, asking, {}, trigger="api")
        await wait_for(workspace, good, "succeeded")
        await wait_for(workspace, waits, "waiting")
        async with system_tx("test") as tx:
            assert await tx.fetchval("select count(*) from event where workspace_id = $1", workspace) == 0
        await service.cancel(workspace, waits)
    async with system_tx("a second later") as tx:
        await tx.execute("update run_news set at = at - interval '2 seconds'")
    await news.tell_untold()
    await news.tell_untold()
    async with tenant_tx(workspace) as tx:
        rows = await tx.fetch("select type, data->>'run' as run from event where type like 'run.%' order by seq")
    assert sorted(row["type"] for row in rows if row["run"] == str(good)) == ["run.succeeded"]
    assert [row["type"] for row in rows if row["run"] == str(waits)] == ["run.waiting", "run.cancelled"]
    await fire_events()
    await fire_events()
    assert len(await firings(made.id)) == 3


MAIL = b"From: mara@fernhill.example\r\nTo: %s\r\nSubject: An order\r\n\r\nThree ferns, please.\r\n"


async def test_a_mail_to_several_addresses_is_taken_once_by_each_wherever_its_taker_is_killed(host, each):
    """It has no number of its own, and every server on its way writes a line at its head: it is the same mail."""
    first, killed = await a_trigger("start.email"), 0
    others = [await a_trigger("start.email", workspace_id=where) for where in (first.workspace_id, None)]
    tokens = [await token_of(made, "email") for made in (first, *others)]
    async with deathbed("app.triggers.arrivals") as bed:
        for at in each(16):
            mail = MAIL % f"number-{at}@fernhill.example".encode()
            done = await bed.survives(at, "app.triggers.arrivals:take_mails", tokens, f"bytes:{mail.decode()}")
            for hop in ("one", "two"):  # its sender heard nothing, and comes again by other ways
                assert await take_mails(tokens, f"Received: from {hop}\r\n".encode() + mail) == 3
            if done:
                break
            killed += 1
    for made in (first, *others):
        rows = await firings(made.id)
        assert [row["result"] for row in rows] == ["started"] * (killed + 1)
        assert len({row["run_id"] for row in rows}) == killed + 1
    assert killed >= 2 and at >= 30
