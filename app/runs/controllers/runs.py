"""The list of runs, and how many need somebody."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.runs import queries
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import fragment, page

STATES = (
    ("", "All"),
    ("waiting", "Needs you"),
    ("running", "Running"),
    ("succeeded", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
)
STARTED_BY = {
    "api": "API",
    "webhook": "Webhook",
    "site": "Visitor",
    "editor": "Try in the editor",
    "chat": "Chat",
    "form": "Form",
    "schedule": "Schedule",
    "event": "Event",
    "after": "Another flow",
    "email": "E-mail",
    "drop": "Dropped file",
}
"""Words for `run.trigger`."""


class RunsController(Controller):
    path = "/"

    @get("/runs", name="runs:list")
    async def index(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow: FromQuery[UUID | None] = None,
        before: FromQuery[datetime | None] = None,
    ) -> Response[str]:
        asked = request.query_params.get("state", "")  # as a parameter, "state" is a word of the framework
        wanted = asked if asked in dict(STATES) else ""
        listed = await queries.runs(actor, flow_id=flow, state=wanted, before=before)
        nav = "needs-you" if wanted == "waiting" else "runs"
        context: dict[str, Any] = {
            "listed": listed,
            "state": wanted,
            "flow": flow,
            "words": STARTED_BY,
            "first": before is None,
        }
        if request.headers.get("hx-request-type") == "partial":
            return fragment(request, "runs/_list.html", **context)
        return page(request, "runs/list.html", nav=nav, states=STATES, **context)

    @get("/needs-you/count", name="runs:needs-you-count")
    async def needs_you(self, request: Request, actor: NamedDependency[Actor]) -> Response[str]:
        return fragment(request, "runs/_needs_you_count.html", number=await queries.needing(actor))
