"""The `http` capability of a step: flows.sdk's Http on top of the one way out (app.egress)."""

from app import clock, egress
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
        if request.connection:
            raise NodeError(
                "Requests can't be signed with a connection yet. Choose none and set the header yourself.",
                field="connection",
            )
        seconds = min(request.timeout, LONGEST)
        if self._ctx.deadline is not None:
            seconds = min(seconds, self._ctx.deadline - clock.epoch())
            if seconds <= 0:
                raise NodeError("The time of this run is up: no more requests are sent.")
        limits = egress.Limits(seconds=seconds)
        try:
            reply = await egress.send(
                request.method, request.url, headers=request.headers, body=request.body, limits=limits
            )
        except egress.EgressError as problem:
            again = problem.retry and not (problem.sent and request.method in ONCE)
            raise NodeError(str(problem), field="url", retry=again) from None
        return HttpReply(reply.status, reply.headers, reply.body)


def http_for(ctx: Context) -> StepHttp:
    return StepHttp(ctx)
