"""One HTTP request to a model server, through app.egress, with its failures as Faults.

A server on this machine is reached only by a connection whose address says so (http://127.0.0.1:…); every other address
must be public or allowed by the operator, and a redirect does not change that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from app import clock, egress
from app.egress import address, connect
from app.gateway import faults
from app.gateway.calls import Target
from app.gateway.faults import Fault

LONGEST_SILENCE = 180.0
"""Seconds between two pieces. Models that think first say nothing for minutes."""
LARGEST = 50_000_000
"""Bytes of one answer."""
_LOADING = 30.0
"""Seconds that the model on this machine may take to come back from sleep or from a restart."""


class Lost(Exception):
    """The answer stopped in the middle."""


class Got(Struct, frozen=True):
    body: bytes
    media_type: str


class Opened:
    """An answer with status 2xx whose body is still coming."""

    def __init__(self, reply: egress.StreamingReply, target: Target, limit: float, ends: float) -> None:
        self.media_type = _media_type(reply.headers.get("content-type", ""))
        self._reply, self._target, self._limit, self._ends = reply, target, limit, ends

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Raises Lost when it stops in the middle, Fault("timeout") past the limit of the call."""
        pieces = aiter(self._reply.pieces())
        while True:
            try:
                # Around each piece, not around the whole: a timeout must not strike while the caller is busy elsewhere.
                async with asyncio.timeout(max(0.0, self._ends - clock.monotonic())):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise faults.timed_out(self._target.where, self._limit) from None
            except egress.EgressError as problem:
                raise _lost(self._target, problem, self._limit) from None
            if piece is None:
                return
            yield piece

    async def read(self) -> bytes:
        """The whole of it. Raises as `chunks`."""
        try:
            async with asyncio.timeout(max(0.0, self._ends - clock.monotonic())):
                return await self._reply.read()
        except TimeoutError:
            raise faults.timed_out(self._target.where, self._limit) from None
        except egress.EgressError as problem:
            raise _lost(self._target, problem, self._limit) from None


async def post(target: Target, path: str, body: bytes, limit: float) -> Got:
    return await _whole(target, "POST", path, body, limit)


async def get(target: Target, path: str, limit: float) -> Got:
    return await _whole(target, "GET", path, b"", limit)


async def _whole(target: Target, method: str, path: str, body: bytes, limit: float) -> Got:
    async with opened(target, path, body, limit, method) as answer:
        try:
            return Got(await answer.read(), answer.media_type)
        except Lost:
            raise faults.broken_off(target.where, 0) from None


@asynccontextmanager
async def opened(target: Target, path: str, body: bytes, limit: float, method: str = "POST") -> AsyncIterator[Opened]:
    """The answer, once its headers are there with a 2xx status. `limit`: seconds for the whole call. Raises Fault."""
    ends = clock.monotonic() + limit
    limits = egress.Limits(
        seconds=limit + 60, connect=min(10.0, limit), silence=min(LONGEST_SILENCE, limit + 5), size=LARGEST, redirects=3
    )
    url = f"{target.base_url.rstrip('/')}{path}"
    headers = {"Content-Type": "application/json"}
    if target.key:
        headers["Authorization"] = f"Bearer {target.key}"
    patient_until = clock.monotonic() + (_LOADING if target.local else 0)
    while True:
        stream = egress.stream(method, url, headers=headers, body=body, reach=reach(target.base_url), limits=limits)
        try:
            async with asyncio.timeout(max(0.0, ends - clock.monotonic())):
                reply = await stream.__aenter__()
        except TimeoutError:
            raise faults.timed_out(target.where, limit) from None
        except egress.EgressError as problem:
            raise _failed(target, problem, limit) from None
        if reply.status == 503 and clock.monotonic() < patient_until:
            await stream.__aexit__(None, None, None)
            await asyncio.sleep(0.15)
            continue
        break
    try:
        if not 200 <= reply.status < 300:
            raise faults.from_status(target.where, reply.status, await _some(reply), reply.headers.get("retry-after"))
        yield Opened(reply, target, limit, ends)
    finally:
        await stream.__aexit__(None, None, None)


def reach(base_url: str) -> egress.Reach:
    """This machine for an address that names it, else the public internet and what the operator allows."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return egress.LOCAL_MODELS
    try:
        return egress.LOCAL_MODELS if ip_address(host).is_loopback else egress.PUBLIC
    except ValueError:
        return egress.PUBLIC


async def check_address(target: Target, url: str) -> None:
    """For libraries that make the request themselves: the address must be one we would call. Raises Fault("policy").

    It is checked here and looked up again there, so a name that changes its address in between is not caught.
    """
    try:
        place = address.parsed(url)
        host, port, allowed = place.raw_host or "", place.port or 0, address.rules(reach(url))
        literal = address.literal(host)
        found = [str(literal)] if literal is not None else [each for _, each in await connect.lookup(host, port)]
        address.check_all(host, found, port, allowed)
    except egress.EgressError as problem:
        raise _failed(target, problem, 0) from None
    except (OSError, TimeoutError):
        raise faults.unreachable(target.where, url, "there is no such server") from None


async def _some(reply: egress.StreamingReply) -> bytes:
    """The first 64 KB of an error's body; what can't be read says nothing."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(10):
            async for piece in reply.pieces():
                parts.append(piece)
                size += len(piece)
                if size > 65_536:
                    break
    except (egress.EgressError, TimeoutError):
        pass
    return b"".join(parts)


def _failed(target: Target, problem: egress.EgressError, limit: float) -> Fault:
    if problem.code == "too_slow":
        return faults.timed_out(target.where, limit)
    if problem.code in ("bad_http", "too_large"):
        return faults.malformed(target.where, "something that is not HTTP as we know it")
    if isinstance(problem, egress.Blocked):
        return Fault("policy", f"Connection '{target.name}' can't be used: {problem.message} {problem.remedy}".rstrip())
    reasons = {"no_connection": "nothing listens there", "unknown_host": "there is no such server"}
    return faults.unreachable(target.where, target.base_url, reasons.get(problem.code, problem.message.rstrip(".")))


def _lost(target: Target, problem: egress.EgressError, limit: float) -> Exception:
    if problem.code == "too_slow":
        return faults.timed_out(target.where, limit)
    if problem.code == "too_large":
        return faults.malformed(target.where, f"more than {LARGEST // 1_000_000} MB")
    return Lost()


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()
