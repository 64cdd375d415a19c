"""Addresses that carry their proof: where mail and files come in over HTTP."""

from typing import Any

from litestar import Response, post, put
from litestar.params import FromPath

from app.triggers import arrivals
from app.triggers.firing import Fired
from app.web.htmx import Request


@post(
    "/mail-in/{token:str}",
    name="triggers:mail-in",
    opt={"public": True},
    request_max_body_size=arrivals.MOST_MAIL,
    include_in_schema=False,
)
async def mail_in(request: Request, token: FromPath[str]) -> Response[Any]:
    """A mail as it is (message/rfc822), from the mail server or service that received it. 202 once it is stored."""
    return _said(await arrivals.take_mail(token, await request.body()))


@put(
    "/drop/{token:str}/{name:str}",
    name="triggers:drop",
    opt={"public": True},
    request_max_body_size=arrivals.MOST_FILE + 1,
    include_in_schema=False,
)
async def drop(request: Request, token: FromPath[str], name: FromPath[str]) -> Response[Any]:
    """A file. With an Idempotency-Key the same one again starts nothing. 202 once it is stored."""
    key = request.headers.get("idempotency-key", "")[:200]
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return _said(await arrivals.take_file(token, name, await request.body(), key=key, type=kind))


def _said(done: Fired | None) -> Response[Any]:
    if done is None:
        return Response({"result": "seen before"}, status_code=200)
    told = {"result": done.result, **({"run": str(done.run_id)} if done.run_id else {})}
    return Response(told, status_code=202)


open_routes: list[Any] = [mail_in, drop]
