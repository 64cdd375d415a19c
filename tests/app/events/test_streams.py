import asyncio
from contextlib import AsyncExitStack

import pytest

from app import config, events
from app.db import tenant_tx
from app.events import publish, streams
from app.events import subscription as module
from app.events.streams import Hub
from tests.factories.kernel import a_workspace
from tests.servers import Valkey


@pytest.fixture
async def workspace(db):
    return await a_workspace()


@pytest.fixture
async def hubs(db):
    """Two hubs as in two processes: `one` hears what this process commits, `two` only what Redis or the log say."""
    one, two = Hub(), Hub()
    events.log._listeners[:] = [one._written]
    await one.start()
    await two.start()
    yield one, two
    await one.stop()
    await two.stop()
    events.log._listeners[:] = [events.hub._written]


async def say(workspace, *types: str, topic: str = "workspace") -> None:
    async with tenant_tx(workspace) as tx:
        for type in types:
            await publish(tx, workspace, topic, type, {"type": type})


async def types_of(stream, count: int, seconds: float = 5) -> list[str]:
    found = []
    while len(found) < count and (event := await stream.next(seconds)) is not None:
        found.append(event.type)
    return found


@pytest.mark.parametrize("which", [0, 1])
async def test_a_subscriber_hears_its_topics_of_its_workspace_in_order_in_this_process_and_in_another(
    hubs, workspace, which
):
    other = await a_workspace()
    async with hubs[which].subscribe(workspace, ["workspace", "run:1"]) as stream:
        await say(other, "of.another.workspace")
        await say(workspace, "a", "b")
        await say(workspace, "not.asked.for", topic="run:2")
        await say(workspace, "c", topic="run:1")
        assert await types_of(stream, 4, 1) == ["a", "b", "c"]
        assert stream.position == 4


@pytest.mark.parametrize("which", [0, 1])
async def test_nothing_is_missed_or_told_twice_between_replay_and_live(hubs, workspace, which):
    await say(workspace, *"ab")
    async with AsyncExitStack() as stack:
        stop = asyncio.Event()

        async def keep_saying() -> None:
            number = 0
            while not stop.is_set():
                await say(workspace, f"n{number}")
                number += 1

        task = asyncio.create_task(keep_saying())
        seen = []
        for _ in range(15):  # subscribe in the middle of it, again and again, from the start
            stream = await stack.enter_async_context(hubs[which].subscribe(workspace, ["workspace"], 1))
            seqs = []
            while len(seqs) < 20:
                event = await stream.next(5)
                assert event is not None
                seqs.append(event.seq)
            seen.append(seqs)
        stop.set()
        await task
    assert all(seqs == list(range(2, 22)) for seqs in seen)


async def test_whispers_reach_other_processes_without_a_number_and_are_not_stored(hubs, workspace):
    one, two = hubs
    async with one.subscribe(workspace, ["run:1"]) as near, two.subscribe(workspace, ["run:1"]) as far:
        await asyncio.sleep(0.2)  # a whisper is lost before Redis knows that we listen
        one.whisper(workspace, "run:1", "step.token", {"text": "Hel"})
        for stream in (near, far):
            event = await stream.next(5)
            assert (event.seq, event.type, event.data) == (None, "step.token", {"text": "Hel"})
    async with tenant_tx(workspace) as tx:
        assert await events.read(tx, workspace) == []


async def test_who_does_not_read_reads_on_in_the_log_where_it_stopped(hubs, workspace, monkeypatch):
    """Only whispers are lost. What is kept for it has a bound, in events and in bytes."""
    monkeypatch.setattr(module, "BACKLOG", 10)
    monkeypatch.setattr(module, "PAGE", 7)
    async with hubs[0].subscribe(workspace, ["workspace"]) as stream:
        for _ in range(5):
            hubs[0].whisper(workspace, "workspace", "token")
        await say(workspace, *"abcdefghijklmnopqrstuvwxyz")
        assert await types_of(stream, 20, 1) == list("abcdefghijklmnopqrst")
        await say(workspace, "meanwhile")
        assert await types_of(stream, 7, 1) == [*"uvwxyz", "meanwhile"]
        await say(workspace, "new")
        hubs[0].whisper(workspace, "workspace", "token")
        assert await types_of(stream, 3, 0.3) == ["new", "token"]


async def test_of_large_events_not_many_more_are_read_than_fit(hubs, workspace, monkeypatch):
    """Else most of what the database gives is thrown away, page after page, for each reader that came back."""
    read, really = [], hubs[0].missed

    async def missed(subscriber):
        found = await really(subscriber)
        read.append(len(found))
        return found

    monkeypatch.setattr(hubs[0], "missed", missed)
    async with tenant_tx(workspace) as tx:
        for n in range(400):
            await publish(tx, workspace, "workspace", "garden.grew", {"n": n, "text": "x" * 4000})
    async with hubs[0].subscribe(workspace, ["workspace"], 0) as stream:
        heard = [(await stream.next(5)).data["n"] for _ in range(400)]
    assert heard == list(range(400))
    assert sum(read) <= 3 * 400, read


async def test_what_is_at_hand_is_told_in_order_and_no_more_than_was_asked_for(hubs, workspace):
    async with hubs[0].subscribe(workspace, ["workspace"]) as stream:
        async with tenant_tx(workspace) as tx:
            for n in range(10):
                await publish(tx, workspace, "workspace", "garden.grew", {"n": n, "text": "x" * 900})
        first = await stream.next(5)
        more = stream.at_hand(3000)
        assert [event.data["n"] for event in (first, *more)] == [0, 1, 2, 3]
        assert stream.at_hand(500) == []
        assert [event.data["n"] for event in stream.at_hand(100_000)] == [4, 5, 6, 7, 8, 9]
        assert stream.at_hand(100_000) == []


@pytest.mark.parametrize("size", [90_000, 20_000, 300])
async def test_little_is_kept_for_a_reader_however_large_the_events_are(hubs, workspace, size):
    text = "x" * size
    async with hubs[0].subscribe(workspace, ["workspace"]) as stream:
        held = 0
        for n in range(700_000 // size):
            async with tenant_tx(workspace) as tx:
                await publish(tx, workspace, "workspace", "garden.grew", {"n": n, "text": text})
            held = max(held, stream.held)
        heard = []
        while (event := await stream.next(0.5)) is not None:
            heard.append(event.data["n"])
            held = max(held, stream.held)
        assert heard == list(range(700_000 // size))
        assert size < held < 256 << 10


async def test_a_reader_that_is_behind_goes_on_when_the_log_can_be_read_again(hubs, workspace, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 1)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    really, broken = hubs[0].missed, [True, True]

    async def missed(subscriber):
        if broken:
            broken.pop()
            raise ConnectionResetError("the database is away")
        return await really(subscriber)

    monkeypatch.setattr(hubs[0], "missed", missed)
    async with hubs[0].subscribe(workspace, ["workspace"]) as stream:
        await say(workspace, *"abc")
        assert await types_of(stream, 3, 5) == list("abc")


async def test_who_comes_back_after_too_much_gets_one_resync(hubs, workspace, monkeypatch):
    monkeypatch.setattr(streams, "REPLAY", 5)
    await say(workspace, *"abcdefg")
    for after, wanted in ((2, list("cdefg")), (1, ["resync"])):
        async with hubs[0].subscribe(workspace, ["workspace"], after) as stream:
            assert await types_of(stream, len(wanted), 2) == wanted


@pytest.mark.parametrize("after", [999_999, -50_000])
async def test_an_id_that_is_not_ours_or_too_old_gets_a_resync(hubs, workspace, after):
    await say(workspace, *"abc")
    async with hubs[0].subscribe(workspace, ["workspace"], after) as stream:
        event = await stream.next(2)
        assert (event.type, event.seq) == ("resync", 3)
        await say(workspace, "d")
        assert await types_of(stream, 1) == ["d"]


async def test_with_redis_dead_streams_go_on_by_polling_and_a_restart_brings_it_back(db, workspace, tmp_path):
    valkey = Valkey(tmp_path / "valkey")
    with config.using(redis_url=config.Secret(valkey.start())):
        one, two = Hub(), Hub()
        events.log._listeners[:] = [one._written]
        await one.start()
        await two.start()
        try:
            async with two.subscribe(workspace, ["workspace"]) as stream:
                await say(workspace, "before")
                assert await types_of(stream, 1) == ["before"]
                valkey.stop()
                await say(workspace, "without.redis")
                assert await types_of(stream, 1, 3) == ["without.redis"]
                valkey.start()
                async with asyncio.timeout(5):
                    while not (two._line.connected and one._line.connected):
                        await asyncio.sleep(0.05)
                await asyncio.sleep(0.3)
                await say(workspace, "again")
                async with asyncio.timeout(0.7):  # by Redis, not by a poll
                    assert await types_of(stream, 1) == ["again"]
                one.whisper(workspace, "workspace", "token")
                assert await types_of(stream, 1) == ["token"]
        finally:
            await one.stop()
            await two.stop()
            valkey.stop()
            events.log._listeners[:] = [events.hub._written]


async def test_a_hub_without_redis_at_all_polls(db, workspace):
    with config.using(redis_url=config.Secret("")):
        hub = Hub()
        events.log._listeners[:] = []
        await hub.start()
        async with hub.subscribe(workspace, ["workspace"]) as stream:
            await say(workspace, "a")
            assert await types_of(stream, 1, 3) == ["a"]
        await hub.stop()
        events.log._listeners[:] = [events.hub._written]


async def test_closing_ends_every_stream_at_once(db, workspace):
    closing = asyncio.Event()
    hub = Hub()
    await hub.start(closing)
    async with hub.subscribe(workspace, ["workspace"]) as stream:
        asyncio.get_running_loop().call_later(0.1, closing.set)
        async with asyncio.timeout(1):
            assert await stream.next(None) is None
        assert stream.ended
    await hub.stop()


async def test_leaving_forgets_the_workspace_and_coming_back_at_once_still_hears(hubs, workspace):
    two = hubs[1]
    for _ in range(20):
        async with two.subscribe(workspace, ["workspace"]):
            pass
        async with two.subscribe(workspace, ["workspace"]) as stream:
            await say(workspace, "a")
            async with asyncio.timeout(0.8):  # by Redis: a lost channel would take the slow poll
                assert await types_of(stream, 1) == ["a"]
    await asyncio.sleep(0.05)
    assert two._feeds == {} and two._line._wanted == set()
    assert two.listening == 0
