"""The address that a git server calls when something was pushed. Its token is the proof; what it sends is not read."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from app.gitsync import service


@post("/git-hooks/{token:str}", name="git:called", opt={"public": True}, include_in_schema=False)
async def called(token: FromPath[str]) -> Response[Any]:
    """202: a worker looks at the repository within seconds. Called often, it still looks once."""
    await service.called(token[:100])
    return Response({"result": "noted"}, status_code=202)


open_routes: list[Any] = [called]
