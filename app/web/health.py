"""Is this process alive, and can it do its work? For supervisors and load balancers: no session, no secrets."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from litestar import Response, get

from app import db
from app.web.closing import closing

Check = Callable[[], Awaitable[str]]
"""Returns "" when all is well, else a short reason without secrets."""


async def database() -> str:
    try:
        with anyio.fail_after(2):
            await db.pools["system"].fetchval("select 1")
    except Exception as problem:
        return f"the database does not answer ({type(problem).__name__})"
    return ""


checks: dict[str, Check] = {"database": database}
"""What /health/ready asks. A domain's check is added by app.main."""


@get("/health/live", name="health:live", opt={"public": True}, include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    """This process runs its event loop."""
    return {"status": "live"}


@get("/health/ready", name="health:ready", opt={"public": True}, include_in_schema=False)
async def ready() -> Response[dict[str, Any]]:
    """200 when requests and runs can be served now, else 503 with what is missing."""
    missing = {name: reason for name, check in checks.items() if (reason := await check())}
    if closing().is_set():
        missing["process"] = "closing"
    body = {"status": "not ready" if missing else "ready", "missing": missing}
    return Response(body, status_code=503 if missing else 200)


routes = [live, ready]
