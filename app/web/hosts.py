"""Which of the two apps answers: the dashboard on its own host, published sites on theirs, nobody else.

One ASGI app in front of both. They share no cookie (different hosts), no CSP and no database role. A foreign Host is
refused before any of our code sees it, so a page that rebinds its DNS name to this machine reaches nothing.
"""

import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar.types import Receive, Scope, Send

from app import config
from app.errors import DomainError
from app.logs import logger
from app.web.scopes import header

log = logger(__name__)


class App(Protocol):
    """What both apps are: an ASGI app that also says how it starts and stops (a Litestar)."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...
    def lifespan(self) -> AbstractAsyncContextManager[None]: ...


Services = Callable[[], AbstractAsyncContextManager[None]]
"""What must run before either app does: database pools, hub, engine."""


class Dispatcher:
    """ASGI entry. `sites` is None where published sites are served by other processes.

    `knows` says whether a host outside the sites domain (a custom domain) belongs to a published site; it must not
    do I/O.
    """

    def __init__(
        self,
        dashboard: App,
        sites: App | None,
        services: Services,
        knows: Callable[[str], bool] = lambda host: False,
        hooks: Any = None,
    ) -> None:
        """`hooks`: a plain ASGI app for /hooks/ on the dashboard's host, in front of the framework (app.runs.hooks)."""
        self.dashboard, self.sites, self.services, self.knows, self.hooks = dashboard, sites, services, knows, hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind: str = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
            return
        app = self.choose(host_of(scope))
        if app is None:
            await _misdirected(scope, send)
            return
        if self.hooks is not None and app is self.dashboard and kind == "http" and scope["path"].startswith("/hooks/"):
            await self.hooks(scope, receive, send)
            return
        scope["state"] = dict(scope.get("state") or {})  # of this request alone, whatever the server does
        await app(scope, receive, send)

    def choose(self, host: str) -> App | None:
        """The app for a host (lower case, no port); None for one that is not ours."""
        if is_dashboard(host):
            return self.dashboard
        domain = config.settings().sites_domain.lower()
        if self.sites is not None and ((domain and host.endswith("." + domain)) or self.knows(host)):
            return self.sites
        return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Services first, then both apps; stopped in the opposite order. Servers reach it by the lifespan messages."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.services())
            for app in (self.dashboard, self.sites):
                if app is not None:
                    await stack.enter_async_context(app.lifespan())
            yield

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        started = False
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except Exception as problem:
            what = "the web process stopped badly" if started else "the web process could not start"
            if isinstance(problem, DomainError | config.SettingError):  # for the operator, who needs no traceback
                log.error(f"{what}: {problem}")
            else:
                log.error(what, exc_info=problem)
            word = "shutdown" if started else "startup"
            await send({"type": f"lifespan.{word}.failed", "message": str(problem)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def is_dashboard(host: str) -> bool:
    """Whether the dashboard answers under this host: this machine's own names, any bare IP address, or
    AGENTBASE_PUBLIC_URL's.

    An address can't be rebound (the browser compares the address itself), so all of them are fine.
    """
    if host == "localhost" or host in _configured():
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def host_of(scope: Scope) -> str:
    """The Host without port, lower case; "" when there is none or it is malformed."""
    raw = header(scope, b"host").lower().rstrip(".")
    if raw.startswith("["):
        return raw.partition("]")[0] + "]" if "]" in raw else ""
    name, _, port = raw.partition(":")
    return name.rstrip(".") if not port or port.isdigit() else ""


def _configured() -> set[str]:
    settings = config.settings()
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    return {name.lower() for name in (public, settings.host) if name}


async def _misdirected(scope: Scope, send: Send) -> None:
    kind: str = scope["type"]
    if kind != "http":
        await send({"type": "websocket.close", "code": 4421, "reason": "unknown host"})
        return
    body = b"This host is not served here. Set AGENTBASE_PUBLIC_URL to the dashboard's address, or open it by that.\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
