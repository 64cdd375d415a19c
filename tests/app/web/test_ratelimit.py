import asyncio
from uuid import uuid4

import pytest

from app import config
from app.errors import TooMany
from app.web import ratelimit
from app.web.ratelimit import Limit, address_key, ask, take
from tests.servers import Valkey

LIMIT = Limit("test", per_minute=60, burst=10)


@pytest.fixture(autouse=True)
async def closed(settings):
    yield
    await ratelimit.stop()


@pytest.fixture
def key():
    return uuid4().hex


async def test_of_500_at_once_exactly_the_burst_passes(key, monkeypatch):
    monkeypatch.setattr(ratelimit, "ANSWER", 10)  # a busy test machine is not a dead Redis
    decisions = await asyncio.gather(*(ask(LIMIT, key) for _ in range(500)))
    allowed = [decision for decision in decisions if decision.allowed]
    assert len(allowed) == 10 and sorted(decision.left for decision in allowed) == list(range(10))
    assert all(0 < decision.wait <= 1 for decision in decisions if not decision.allowed)


async def test_what_is_used_up_comes_back_at_the_rate_and_a_refusal_costs_nothing(key):
    quick = Limit("quick", per_minute=60, burst=2)  # one each second: a busy machine gets through the refusals in time
    for _ in range(2):
        await take(quick, key)
    for _ in range(20):
        with pytest.raises(TooMany) as refused:
            await take(quick, key)
    assert refused.value.retry_after == 1 and "Try again in 1 second" in refused.value.remedy
    await asyncio.sleep(1.02)
    await take(quick, key)
    assert not (await ask(quick, key)).allowed


async def test_costs_are_weighed_and_an_impossible_one_is_a_mistake_of_ours(key):
    await take(LIMIT, key, cost=8)
    assert not (await ask(LIMIT, key, cost=3)).allowed
    assert (await ask(LIMIT, key, cost=2)).left == 0
    with pytest.raises(ValueError, match="never pass"):
        await ask(LIMIT, key, cost=11)


async def test_limits_and_people_are_counted_apart(key):
    for _ in range(10):
        await take(LIMIT, key)
    assert (await ask(LIMIT, key + "x")).allowed
    assert (await ask(Limit("other", 60, 10), key)).allowed


async def test_without_redis_each_process_counts_half_and_nobody_waits(key, tmp_path):
    valkey = Valkey(tmp_path / "valkey")
    with config.using(redis_url=config.Secret(valkey.start())):
        await ratelimit.stop()
        assert (await ask(LIMIT, key)).left == 9
        valkey.stop()
        began = asyncio.get_running_loop().time()
        decisions = [await ask(LIMIT, key) for _ in range(20)]
        assert asyncio.get_running_loop().time() - began < 1
        assert sum(decision.allowed for decision in decisions) == 5
        assert decisions[-1].wait > 1
        valkey.start()
        await asyncio.sleep(ratelimit.AWAY + 0.1)
        assert (await ask(LIMIT, key)).left >= 8  # Redis started empty and counts again
        await ratelimit.stop()
        valkey.stop()


async def test_a_limit_works_on_an_instance_that_has_no_redis_at_all(key):
    with config.using(redis_url=config.Secret("")):
        await ratelimit.stop()
        assert sum([(await ask(LIMIT, key)).allowed for _ in range(20)]) == 5
        await ratelimit.stop()


async def test_the_key_itself_is_not_in_redis(settings):
    from redis.asyncio import Redis

    await take(LIMIT, "mara@example.com")
    async with Redis.from_url(settings.redis_url) as client:
        keys = [key.decode() async for key in client.scan_iter(f"*{LIMIT.name}:*")]
        assert keys and not [key for key in keys if "mara" in key]
        assert min([await client.pttl(key) for key in keys]) > 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_counts_as_the_one_who_has_it(address, key):
    assert address_key(address) == key
