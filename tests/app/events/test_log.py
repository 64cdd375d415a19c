import anyio
import pytest

from app import events
from app.db import site_tx, system_tx, tenant_tx
from app.events import log as stored
from app.events import publish
from tests.factories.kernel import a_workspace


@pytest.fixture
async def workspace(db):
    return await a_workspace()


async def all_of(workspace) -> list[events.Event]:
    async with tenant_tx(workspace) as tx:
        return await events.read(tx, workspace)


async def test_numbers_have_no_gaps_though_many_write_at_once_and_some_roll_back(workspace):
    async def write(number: int) -> None:
        try:
            async with tenant_tx(workspace) as tx:
                for part in range(3):
                    await publish(tx, workspace, "workspace", "step.started", {"number": number, "part": part})
                if number % 3 == 0:
                    raise ValueError
        except ValueError:
            pass

    async with anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(write, number)
    found = await all_of(workspace)
    assert [event.seq for event in found] == list(range(1, 61))
    # and those of one transaction lie together, in the order they were published
    assert [event.data["part"] for event in found] == [0, 1, 2] * 20


async def test_who_sees_an_event_can_see_all_before_it(workspace):
    """Order of numbers is the order of becoming visible: a reader that goes on from the last number misses nothing."""
    seen: list[int] = []
    done = anyio.Event()

    async def reader() -> None:
        while not done.is_set() or len(seen) < 200:
            async with tenant_tx(workspace) as tx:
                seen.extend(event.seq for event in await events.read(tx, workspace, seen[-1] if seen else 0))

    async def writer() -> None:
        for _ in range(20):
            async with tenant_tx(workspace) as tx:
                await publish(tx, workspace, "workspace", "step.started")
                await anyio.sleep(0)

    async with anyio.create_task_group() as group:
        group.start_soon(reader)
        async with anyio.create_task_group() as writers:
            for _ in range(10):
                writers.start_soon(writer)
        done.set()
    assert seen == list(range(1, 201))


async def test_two_transactions_over_two_workspaces_in_opposite_order_do_not_deadlock(db):
    one, two = await a_workspace(), await a_workspace()

    async def write(first, second) -> None:
        for _ in range(20):
            async with system_tx("test") as tx:
                await publish(tx, first, "workspace", "a.b")
                await anyio.sleep(0)
                await publish(tx, second, "workspace", "a.b")

    async with anyio.create_task_group() as group:
        group.start_soon(write, one, two)
        group.start_soon(write, two, one)
    assert len(await all_of(one)) == len(await all_of(two)) == 40


async def test_an_event_of_a_swallowed_failure_is_not_told(workspace):
    async with tenant_tx(workspace) as tx:
        await publish(tx, workspace, "workspace", "kept")
        with pytest.raises(ValueError):
            async with tenant_tx(workspace) as inner:
                await publish(inner, workspace, "workspace", "dropped")
                raise ValueError
    assert [event.type for event in await all_of(workspace)] == ["kept"]


async def test_nobody_may_change_or_delete_the_log_and_a_site_may_only_write(workspace):
    import asyncpg

    async with tenant_tx(workspace) as tx:
        await publish(tx, workspace, "workspace", "made")
    for statement in ("update event set type = 'x'", "delete from event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant_tx(workspace) as tx:
                await tx.execute(statement)
    async with site_tx(workspace) as tx:
        await publish(tx, workspace, "workspace", "visited")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with site_tx(workspace) as tx:
            await tx.fetch("select * from event")
    assert [event.type for event in await all_of(workspace)] == ["made", "visited"]


async def test_text_that_postgresql_refuses_in_json_is_kept_readable(workspace):
    text = 'a\0b \\u0000 "ü" \U0001f600'
    async with tenant_tx(workspace) as tx:
        await publish(tx, workspace, "workspace", "said", {"text": text, "k\0": [text]})
    (event,) = await all_of(workspace)
    assert event.data["text"] == text.replace("\0", "\ufffd")


REFUSED = [("", "x"), ("workspace", ""), ("workspace", "resync"), ("workspace", "a\nid: 7"), ("t" * 201, "x")]


@pytest.mark.parametrize(("topic", "type"), REFUSED)
async def test_words_of_the_stream_and_empty_ones_are_refused(workspace, topic, type):
    async with tenant_tx(workspace) as tx:
        with pytest.raises(ValueError):
            await publish(tx, workspace, topic, type)


async def test_publishing_on_a_connection_of_ones_own_points_to_append(workspace):
    from app.db import pools

    async with pools["app"].acquire() as connection, connection.transaction():
        with pytest.raises(RuntimeError, match="append"):
            await publish(connection, workspace, "workspace", "x")
        await connection.execute("select set_config('app.workspace_id', $1, true)", str(workspace))
        tell = await events.append(connection, [stored.draft(workspace, "workspace", "by.hand")])
    tell()
    assert [event.type for event in await all_of(workspace)] == ["by.hand"]
