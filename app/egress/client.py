"""One request out, with its redirects and limits. Read app/egress/__init__.py first."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from msgspec import Struct
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from app.egress import connect
from app.egress.address import PUBLIC, Reach, Rules, check_all, literal, parsed, rules
from app.egress.errors import Blocked, EgressError, NoAnswer, OverLimit
from app.egress.inflate import ACCEPTED, Inflater

AGENT = "Agentbase/0.1"
HARMLESS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that go along when a redirect leads to another origin. Any other may be a credential."""
FORBIDDEN = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "proxy-authorization", "te", "upgrade"}
)
"""Headers that are ours to write: by them a request could say one thing to the check and another to the server."""


class Limits(Struct, frozen=True):
    """`seconds`: for all of it, redirects and body too. `silence`: between two pieces. `size`: of the unpacked body."""

    seconds: float = 30.0
    connect: float = 10.0
    silence: float = 30.0
    size: int = 10_000_000
    redirects: int = 5


DEFAULTS = Limits()


class Reply(Struct, frozen=True):
    """`url` is where the answer came from, after redirects. Header names are lower case; repeated ones are joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class StreamingReply:
    """An answer whose body is still coming."""

    def __init__(self, answer: aiohttp.ClientResponse, limits: Limits) -> None:
        self.status = answer.status
        self.headers = plain(answer.headers)
        self.url = str(answer.url)
        self._answer, self._limits = answer, limits

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, unpacked. Raises OverLimit past the size, NoAnswer when it stops in the middle."""
        inflater = Inflater(self.headers.get("content-encoding", ""), self._limits.size)
        try:
            async for data in self._answer.content.iter_any():
                for piece in inflater.feed(data):
                    yield piece
        except (aiohttp.ClientError, OSError) as problem:
            raise explained(problem, self._answer.url, sent=True) from None

    async def read(self) -> bytes:
        """The whole body."""
        if not self._fits():
            return b"".join([piece async for piece in self.pieces()])
        try:
            return await self._answer.read()
        except (aiohttp.ClientError, OSError) as problem:
            raise explained(problem, self._answer.url, sent=True) from None

    def _fits(self) -> bool:
        """Its size is announced, so no more can come, and there is nothing to unpack: it need not be counted."""
        size = self.headers.get("content-length", "")
        if "content-encoding" in self.headers or "transfer-encoding" in self.headers:
            return False
        return size.isascii() and size.isdigit() and int(size) <= self._limits.size


async def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    reach: Reach = PUBLIC,
    limits: Limits = DEFAULTS,
    trust: ssl.SSLContext | None = None,
) -> Reply:
    """Ask, and read the whole answer. Any HTTP status is an answer; raises EgressError when there is none."""
    async with stream(method, url, headers=headers, body=body, reach=reach, limits=limits, trust=trust) as reply:
        return Reply(reply.status, reply.headers, await reply.read(), reply.url)


@asynccontextmanager
async def stream(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    reach: Reach = PUBLIC,
    limits: Limits = DEFAULTS,
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator[StreamingReply]:
    """Ask, and get the answer when its headers are there. Leaving the block closes what was not read to the end.

    `trust`: a TLS context of the caller's own (a workspace's own CA), instead of the system's.
    """
    allowed = rules(reach)
    own = CIMultiDict(headers or {})
    if wrong := FORBIDDEN.intersection(name.lower() for name in own):
        raise Blocked(f"The header {sorted(wrong)[0]!r} can't be set on an outgoing request.", remedy="Leave it out.")
    own.setdefault("User-Agent", AGENT)
    own["Accept-Encoding"] = ACCEPTED
    answer: aiohttp.ClientResponse | None = None
    limit = asyncio.timeout(limits.seconds)
    try:
        async with limit:
            answer = await _follow(method.upper(), parsed(url), own, body, allowed, limits, trust)
            yield StreamingReply(answer, limits)
    except TimeoutError:
        if not limit.expired():
            raise
        host = answer.url.host if answer is not None else parsed(url).host
        raise OverLimit(
            f"{host} took longer than {limits.seconds:g} seconds.", code="too_slow", retry=True, sent=True
        ) from None
    finally:
        if answer is not None:
            answer.close()  # a connection that was read to the end is already back in the pool


async def stop() -> None:
    """Close all connections of this process. In each lifespan, after everything that uses them."""
    await connect.close_all()


async def _follow(
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    body: bytes,
    allowed: Rules,
    limits: Limits,
    trust: ssl.SSLContext | None,
) -> aiohttp.ClientResponse:
    for _ in range(limits.redirects + 1):
        answer = await _ask(method, url, headers, body, allowed, limits, trust)
        place = answer.headers.get("Location")
        if answer.status not in {301, 302, 303, 307, 308} or place is None:
            return answer
        answer.close()
        try:
            there = parsed(str(url.join(URL(place, encoded=True))))
        except ValueError:
            raise Blocked(f"{url.host} sends us on to {place[:200]!r}, which is no web address.") from None
        if url.scheme == "https" and there.scheme == "http":
            raise Blocked(f"{url.host} sends us on from https to http, where others could read along.")
        if there.origin() != url.origin():
            headers = CIMultiDict((name, value) for name, value in headers.items() if name.lower() in HARMLESS)
            headers["Accept-Encoding"] = ACCEPTED
        if answer.status == 303 or (answer.status in {301, 302} and method == "POST"):
            method, body = ("HEAD" if method == "HEAD" else "GET"), b""
            headers.popall("Content-Type", None)
        url = there
    raise OverLimit(f"{url.host} sent us on more than {limits.redirects} times.", code="too_many_redirects", sent=True)


async def _ask(
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    body: bytes,
    allowed: Rules,
    limits: Limits,
    trust: ssl.SSLContext | None,
) -> aiohttp.ClientResponse:
    host, port = url.raw_host or "", url.port or 0
    session = connect.session(allowed, trust)
    address = literal(host)
    if address is not None:  # aiohttp does not ask the resolver about these
        check_all(host, [str(address)], port, allowed)
    try:
        return await session.request(
            method,
            url,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=limits.connect, sock_read=limits.silence
            ),
        )
    except EgressError:
        raise
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        raise explained(problem, url, sent=not isinstance(problem, aiohttp.ClientConnectorError)) from None


def explained(problem: Exception, url: URL, *, sent: bool) -> EgressError:
    """aiohttp's and the system's words → ours. A Blocked from the resolver or the gate comes through as it is."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, EgressError):
            return cause
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "os_error", None)
    where = f"{url.host}:{url.port}"
    if isinstance(problem, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return NoAnswer(
            f"The certificate of {where} is not trusted: {problem.args[-1] if problem.args else ''}.",
            remedy="Check the address; a server with its own certificate authority must be made known to this machine.",
            code="certificate",
        )
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return NoAnswer(
            f"There is no server named {url.host}.", remedy="Check the address.", code="unknown_host", retry=True
        )
    if isinstance(problem, TimeoutError):  # sock_connect, sock_read
        kind = "connection" if "connect" in str(problem).lower() else "answer"
        return NoAnswer(f"{where} gave no {kind} in time.", code="too_slow", retry=True, sent=sent and kind == "answer")
    if isinstance(problem, aiohttp.ClientConnectorError):
        return NoAnswer(
            f"{where} does not accept connections.", remedy="Is it running?", code="no_connection", retry=True
        )
    if isinstance(problem, ValueError | aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return NoAnswer(
            f"{where} answered in a way that is not HTTP as we know it.", code="bad_http", retry=True, sent=True
        )
    return NoAnswer(f"The connection to {where} was lost.", code="lost", retry=True, sent=sent)


def plain(headers: CIMultiDictProxy[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
