"""Routes that carry their proof in the address: webhooks, and calls that one run waits for."""

from typing import Any

from litestar import Response, asgi, post
from litestar.params import FromPath

from app.runs import calls
from app.runs.hooks import hook
from app.web.htmx import Request


@asgi("/hooks", is_mount=True, opt={"public": True}, copy_scope=False)
async def hooks(scope: Any, receive: Any, send: Any) -> None:
    """For servers without the dispatcher in front (tests). A mount shortens the path and adds a slash: put it right."""
    path = scope["path"].strip("/")
    await hook({**scope, "path": "/hooks/" + path.removeprefix("hooks/")}, receive, send)


@post(
    "/calls/{token:str}",
    name="runs:call",
    opt={"public": True},
    request_max_body_size=calls.MOST_BODY,
    include_in_schema=False,
)
async def call(request: Request, token: FromPath[str]) -> Response[Any]:
    """202 once it is stored, 200 for the same call again, 409 for another one, 410 when nothing waits any more."""
    headers = dict(request.scope["headers"])
    done = await calls.take(token, headers, dict(request.query_params), await request.body())
    if done.answer is not None:
        return Response(done.answer, status_code=200, media_type="text/plain")
    return Response({"status": "seen before" if done.again else "taken"}, status_code=200 if done.again else 202)


open_routes: list[Any] = [hooks, call]
