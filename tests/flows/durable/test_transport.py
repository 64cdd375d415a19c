"""What every transport must do, and what arq must do when Redis dies."""

import asyncio
import time

import pytest

from flows.transport import arq
from flows.transport.arq import Arq
from flows.transport.poll import Poll, Several
from tests.servers import Valkey


@pytest.fixture(params=["poll", "arq", "both"])
async def transport(request, redis):
    made = {"poll": lambda: Poll(0.3), "arq": lambda: Arq(redis), "both": lambda: Several(Poll(0.3), Arq(redis))}
    transport = made[request.param]()
    yield transport
    await transport.close()


async def heard(transport, lanes, act, *, until, seconds=3.0):
    """Lanes that were woken from `act()` on, until `until(lanes)` holds."""
    woken, news = [], asyncio.Event()

    def wake(lane):
        woken.append(lane)
        news.set()

    task = asyncio.create_task(transport.listen(lanes, wake))
    try:
        await asyncio.sleep(0.1)
        woken.clear()
        await act()
        async with asyncio.timeout(seconds):
            while not until(woken):
                news.clear()
                await news.wait()
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.done()
    return woken


async def test_a_nudge_wakes_its_lane(transport):
    await heard(transport, ["normal"], lambda: transport.nudge("normal"), until=lambda woken: "normal" in woken)


async def test_many_nudges_at_once_wake_at_least_once(transport):
    async def storm():
        await asyncio.gather(*(transport.nudge("interactive") for _ in range(50)))

    await heard(transport, ["interactive", "normal"], storm, until=lambda woken: "interactive" in woken)


async def test_listening_ends_when_it_is_cancelled_even_in_the_middle_of_a_nudge(transport):
    for _ in range(5):
        await heard(transport, ["normal"], lambda: transport.nudge("normal"), until=lambda woken: True)


async def test_a_nudge_that_expired_is_dropped_without_an_error(redis, caplog):
    """As after an outage: its number is still in the queue, its text is gone."""
    transport = Arq(redis)

    async def expired() -> None:
        queue = transport._queue("normal")
        await transport._redis().zadd(queue, {"normal:long-ago": 1})
        await transport.nudge("normal")
        async with asyncio.timeout(3):
            while await transport._redis().zscore(queue, "normal:long-ago"):
                await asyncio.sleep(0.02)

    await heard(transport, ["normal"], expired, until=lambda woken: bool(woken))
    assert "long-ago expired" in caplog.text and "serializing" not in caplog.text
    await transport.close()


async def test_a_listener_is_woken_by_the_bell_and_need_not_look_by_itself(redis, monkeypatch):
    monkeypatch.setattr(arq, "LOOK", 4.0)
    transport = Arq(redis)
    began = time.monotonic()
    await heard(transport, ["normal"], lambda: transport.nudge("normal"), until=lambda woken: bool(woken))
    assert time.monotonic() - began < 2
    await transport.close()


async def test_a_nudge_without_a_bell_is_found_by_looking(redis, monkeypatch):
    """A process of an older release puts its nudge into the queue and rings nothing."""
    monkeypatch.setattr(arq, "LOOK", 0.1)
    transport = Arq(redis)
    monkeypatch.setattr(transport, "_ring", lambda lane: asyncio.sleep(0))
    await heard(transport, ["normal"], lambda: transport.nudge("normal"), until=lambda woken: bool(woken))
    await transport.close()


async def test_bells_nobody_hears_do_not_pile_up(redis):
    transport = Arq(redis, prefix="unheard")
    for _ in range(2 * arq.BELLS):
        await transport.nudge("normal")
    kept = transport._redis()
    assert await kept.llen("unheard:wake:normal:bell") == arq.BELLS
    assert 0 < await kept.pttl("unheard:wake:normal:bell") <= arq.EXPIRES_MS
    await transport.close()


async def test_without_redis_a_nudge_says_no_quickly_and_listening_comes_back_with_it(tmp_path):
    valkey = Valkey(tmp_path / "valkey")
    transport = Arq(valkey.start())
    woken = asyncio.Event()
    task = asyncio.create_task(transport.listen(["normal"], lambda lane: woken.set()))
    try:
        await asyncio.sleep(0.2)
        valkey.stop()
        for _ in range(3):
            began = time.monotonic()
            assert not await transport.nudge("normal")
            assert time.monotonic() - began < 1.5
        valkey.start()
        async with asyncio.timeout(15):
            while not woken.is_set():
                await transport.nudge("normal")
                await asyncio.sleep(0.2)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        await transport.close()
        valkey.stop()
