"""How often somebody may do something: GCRA in one Lua script, by Redis' own clock, so that all processes agree.

    await ratelimit.take(ratelimit.Limit("sign-in", per_minute=10, burst=5), address_key(ip))

With Redis dead every process counts by itself, and more strictly: half as much, since it can't see the others.
500 calls at once against burst 10 let exactly 10 through.
"""

import asyncio
import hashlib
import ipaddress
import math
from collections import OrderedDict
from contextlib import suppress
from typing import TypeAlias
from weakref import WeakKeyDictionary

from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app import config
from app.clock import monotonic
from app.errors import TooMany
from app.logs import logger

log = logger(__name__)

ANSWER = 0.5
"""Seconds Redis has to answer; a page does not wait longer for permission."""
AWAY = 2.0
"""Seconds during which Redis is not asked again after it failed."""
REMEMBERED = 50_000
"""Keys a process counts by itself at most."""

# tat: the "theoretical arrival time" up to which everything already allowed is paid for, in ms of Redis' clock.
_GCRA = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local step, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local paid = tat + step * cost
local wait = paid - step * burst - now
if wait > 0 then
  return {0, tostring(wait), tostring(0)}
end
redis.call('SET', KEYS[1], string.format('%.3f', paid), 'PX', math.ceil(paid - now) + 1000)
return {1, '0', tostring(math.floor((step * burst - (paid - now)) / step + 1e-6))}
"""


class Limit(Struct, frozen=True):
    """`per_minute` in the long run; `burst` at once after a pause. `name` keeps two limits on one key apart."""

    name: str
    per_minute: float
    burst: int


class Decision(Struct, frozen=True):
    """`wait`: seconds until it would be allowed (0 when it is). `left`: how many more at this moment."""

    allowed: bool
    wait: float
    left: int


async def take(limit: Limit, key: str, cost: float = 1) -> Decision:
    """Count one (or `cost`) against the limit. Raises TooMany, with the seconds to wait, when it is used up.

    A refused try costs nothing. Raises ValueError when `cost` is above the burst: it could never be allowed.
    """
    decision = await ask(limit, key, cost)
    if not decision.allowed:
        wait = math.ceil(decision.wait)
        raise TooMany("That was too often.", remedy=f"Try again in {_duration(wait)}.", retry_after=wait)
    return decision


async def ask(limit: Limit, key: str, cost: float = 1) -> Decision:
    """As `take`, but gives the decision instead of raising."""
    if cost > limit.burst:
        raise ValueError(f"A cost of {cost:g} can never pass the limit {limit.name!r}: its burst is {limit.burst}.")
    # the key may be an address or an e-mail: Redis keeps only its hash
    hashed = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    state = _states.setdefault(asyncio.get_running_loop(), _State())
    if state.url and monotonic() >= state.away_until:
        answer = await state.shared(f"{limit.name}:{hashed}", [60_000 / limit.per_minute, limit.burst, cost])
        if answer is not None:
            allowed, wait, left = answer
            return Decision(bool(allowed), float(wait) / 1000, int(float(left)))
    return state.local(f"{limit.name}:{hashed}", limit, cost)


def address_key(address: str) -> str:
    """One key per person, as far as an address tells: an IPv4 address, or the /64 network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


async def stop() -> None:
    """Close this loop's connection to Redis. In the lifespan, last."""
    state = _states.pop(asyncio.get_running_loop(), None)
    if state is not None and state.url:
        if state.flushing is not None:
            await state.flushing
        with suppress(RedisError, OSError):
            await state.client.aclose()


_Question: TypeAlias = "tuple[str, list[float], asyncio.Future[list[bytes] | None]]"


class _State:
    """Per event loop: the connection, and the counts of this process for when there is none."""

    def __init__(self) -> None:
        settings = config.settings()
        self.url = settings.redis_url
        self.prefix = f"{settings.instance}:limit:"
        self.away_until = 0.0
        self.paid: OrderedDict[str, float] = OrderedDict()
        self.waiting: list[_Question] = []
        self.flushing: asyncio.Task[None] | None = None
        if self.url:
            self.client: Redis = Redis.from_url(
                self.url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0)
            )

    async def shared(self, key: str, arguments: list[float]) -> list[bytes] | None:
        """Redis' answer, or None when it gave none. Questions asked at the same time go in one trip."""
        answer: asyncio.Future[list[bytes] | None] = asyncio.get_running_loop().create_future()
        self.waiting.append((self.prefix + key, arguments, answer))
        if self.flushing is None or self.flushing.done():
            self.flushing = asyncio.create_task(self._flush())
        return await answer

    async def _flush(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:500], self.waiting[500:]
            answers: list[list[bytes] | None] = [None] * len(batch)
            try:
                async with asyncio.timeout(ANSWER):
                    pipe = self.client.pipeline(transaction=False)
                    for key, arguments, _ in batch:
                        pipe.eval(_GCRA, 1, key, *map(str, arguments))
                    answers = await pipe.execute()
            except Exception as problem:  # whatever it is, those who wait must get an answer
                self.away_until = monotonic() + AWAY
                log.warning("redis does not answer: limits are counted per process", problem=repr(problem))
                await self.client.connection_pool.disconnect()
                batch += self.waiting
                self.waiting, answers = [], [None] * len(batch)
            for (_, _, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # whoever asked may have left
                    future.set_result(answer)

    def local(self, key: str, limit: Limit, cost: float) -> Decision:
        now, step, burst = monotonic(), 120 / limit.per_minute, max(limit.burst / 2, cost)
        tat = max(self.paid.get(key, now), now)
        wait = tat + step * cost - step * burst - now
        if wait > 1e-9:
            return Decision(False, wait, 0)
        self.paid[key] = tat + step * cost
        self.paid.move_to_end(key)
        while len(self.paid) > REMEMBERED:
            self.paid.popitem(last=False)
        return Decision(True, 0, int((step * burst - (self.paid[key] - now)) / step + 1e-6))


_states: "WeakKeyDictionary[asyncio.AbstractEventLoop, _State]" = WeakKeyDictionary()


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"
