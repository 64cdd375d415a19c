import asyncio
from uuid import uuid4

import pytest

from app.db import site_tx, system_tx, tenant_tx
from app.events import outbox
from tests.factories.kernel import a_workspace


@pytest.fixture
async def workspace(db):
    return await a_workspace()


@pytest.fixture
def kind():
    return f"test.{uuid4().hex}"  # the outbox is read across workspaces: other tests' letters are not ours


async def row(kind):
    async with system_tx("test") as tx:
        return await tx.fetchrow("select * from outbox where kind = $1", kind)


async def post(workspace, kind, times: int = 1, key: str = "once") -> None:
    for _ in range(times):
        async with tenant_tx(workspace) as tx:
            await outbox.add(tx, workspace, kind, {"to": "mara"}, dedupe_key=key)


async def make_due(kind) -> None:
    async with system_tx("test") as tx:
        await tx.execute("update outbox set next_at = now() - interval '1 s' where kind = $1", kind)


async def test_a_letter_is_sent_once_though_it_was_asked_for_twice_and_many_deliver_at_once(workspace, kind):
    sent = []

    async def handler(letter):
        sent.append(letter)
        await asyncio.sleep(0.05)

    await post(workspace, kind, times=2)
    async with site_tx(workspace) as tx:  # a visitor's form may send mail, too
        await outbox.add(tx, workspace, kind, {}, dedupe_key="other")
    await asyncio.gather(*(outbox.deliver({kind: handler}) for _ in range(4)))
    assert sorted(len(letter.payload) for letter in sent) == [0, 1]
    assert (await row(kind))["done_at"]
    assert await outbox.deliver({kind: handler}) == 0


async def test_a_rolled_back_change_sends_nothing(workspace, kind):
    with pytest.raises(ValueError):
        async with tenant_tx(workspace) as tx:
            await outbox.add(tx, workspace, kind, {}, dedupe_key="x")
            raise ValueError
    assert await row(kind) is None


async def test_a_failure_waits_longer_each_time_and_the_eighth_is_the_last(workspace, kind):
    async def handler(letter):
        raise ConnectionError("mail server away")

    await post(workspace, kind)
    waits = []
    for _ in range(outbox.TRIES):
        await make_due(kind)
        assert await outbox.deliver({kind: handler}) == 1
        async with system_tx("test") as tx:
            waits.append(
                await tx.fetchval("select extract(epoch from next_at - now())::float from outbox where kind = $1", kind)
            )
    assert 3 < waits[0] < 7 and 16 < waits[1] < 34 and waits[6] > 40_000
    found = await row(kind)
    assert found["dead_at"] and found["error"] == "mail server away"
    await make_due(kind)
    assert await outbox.deliver({kind: handler}) == 0


async def test_what_can_never_arrive_is_not_tried_again(workspace, kind):
    async def handler(letter):
        raise outbox.Undeliverable("no such mailbox")

    await post(workspace, kind)
    await outbox.deliver({kind: handler})
    assert (await row(kind))["dead_at"] and (await row(kind))["attempts"] == 1


async def test_a_worker_that_died_while_sending_is_replaced_and_can_no_longer_note_anything(
    workspace, kind, monkeypatch
):
    sent = []

    async def dies(letter):
        sent.append("first")
        async with system_tx("test") as tx:  # its lease runs out while it hangs
            await tx.execute("update outbox set claimed_until = now() - interval '1 s' where kind = $1", kind)
        await outbox.deliver({kind: works})
        raise ConnectionError("woke up too late")

    async def works(letter):
        sent.append("second")

    await post(workspace, kind)
    await outbox.deliver({kind: dies})
    found = await row(kind)
    assert sent == ["first", "second"] and found["done_at"] and found["error"] == ""


async def test_the_loop_stops_when_told(db, kind):
    stopping = asyncio.Event()
    task = asyncio.create_task(outbox.run({kind: None}, stopping))
    await asyncio.sleep(0.1)
    stopping.set()
    await asyncio.wait_for(task, 1)
