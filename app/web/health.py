"""Is this process alive, and can it do its work? For supervisors and load balancers: no session, no secrets."""

from typing import Any

from litestar import Response, get

from app import health
from app.web.closing import closing

CHECKS = {"database": health.database, "workers": health.workers}


@get("/health/live", name="health:live", opt={"public": True}, include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    """This process runs its event loop."""
    return {"status": "live"}


@get("/health/ready", name="health:ready", opt={"public": True}, include_in_schema=False)
async def ready() -> Response[dict[str, Any]]:
    """200 when requests and durable runs can be served now, else 503 with what is missing."""
    missing = {name: reason for name, check in CHECKS.items() if (reason := await check())}
    if closing().is_set():
        missing["process"] = "closing"
    body = {"status": "not ready" if missing else "ready", "missing": missing}
    return Response(body, status_code=503 if missing else 200)


routes = [live, ready]
