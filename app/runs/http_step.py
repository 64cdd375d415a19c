"""The `http` capability of a step: flows.sdk's Http on top of the one way out (app.egress)."""

from urllib.parse import urlsplit
from uuid import UUID

from app import clock, egress
from app.db import tenant_tx
from app.errors import DomainError
from app.gateway import service as gateway
from app.runs import http_secrets
from app.vault import service as vault
from flows.sdk.capabilities import HttpReply, HttpRequest
from flows.sdk.context import Context
from flows.sdk.errors import NodeError

LONGEST = 300.0
"""Seconds one request may take at most."""
ONCE = frozenset({"POST", "PATCH"})
"""What the other side may have done although no answer came: not asked again by itself."""


class StepHttp:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def send(self, request: HttpRequest) -> HttpReply:
        """Raises NodeError: with `retry` when the other side may answer next time."""
        headers = dict(request.headers)
        if request.connection:
            try:
                signs = await gateway.signed(UUID(self._ctx.workspace_id), request.connection, request.url)
            except (DomainError, ValueError) as problem:
                raise NodeError(str(problem), field=getattr(problem, "field", "") or "connection") from None
            given = {name.lower() for name in signs}
            headers = {name: value for name, value in headers.items() if name.lower() not in given} | signs
        hidden: list[str] = []
        redirects = egress.Limits().redirects
        if request.secrets or request.parts:
            values = await self._secrets(request)
            hidden = http_secrets.shapes(request, values)
            # A redirect would take the address or the body along; of headers it takes no secret to another server.
            redirects = 0 if any(part.where != "basic" for part in request.parts) else redirects
            request = http_secrets.filled(request, headers, values)
            headers = dict(request.headers)
        seconds = min(request.timeout, LONGEST)
        if self._ctx.deadline is not None:
            seconds = min(seconds, self._ctx.deadline - clock.epoch())
            if seconds <= 0:
                raise NodeError("The time of this run is up: no more requests are sent.")
        limits = egress.Limits(seconds=seconds, redirects=redirects)
        try:
            reply = await egress.send(request.method, request.url, headers=headers, body=request.body, limits=limits)
        except egress.EgressError as problem:
            again = problem.retry and not (problem.sent and request.method in ONCE)
            said = http_secrets.without(str(problem), hidden)
            raise NodeError(said, field="url", retry=again, kind=f"http_{problem.code}") from None
        told = {name: http_secrets.without(value, hidden) for name, value in reply.headers.items()}
        return HttpReply(reply.status, told, http_secrets.bytes_without(reply.body, hidden))

    async def _secrets(self, request: HttpRequest) -> dict[str, str]:
        """Their values by name. Raises NodeError that names one that is missing or may not go there."""
        workspace, host = UUID(self._ctx.workspace_id), urlsplit(request.url).hostname or ""
        found: dict[str, str] = {}
        async with tenant_tx(workspace) as tx:
            for name in [name for name, _ in request.secrets.values()] + [part.secret for part in request.parts]:
                try:
                    found[name] = str(await vault.secret_for(tx, workspace, name, host))
                except (DomainError, vault.CannotOpen) as problem:
                    raise NodeError(str(problem), field="secrets") from None
        return found


def http_for(ctx: Context) -> StepHttp:
    return StepHttp(ctx)
