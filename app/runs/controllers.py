"""Pages of runs: the list, one run with its timeline, and what a person does with it: cancel, answer, decide."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.runs import queries, service
from app.runs.forms import AnswerForm, DecisionForm
from app.runs.reading import RunView, StepView
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

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


class RunController(Controller):
    path = "/runs/{run_id:uuid}"

    @get("/", name="runs:run")
    async def show(
        self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID], step: FromQuery[str] = ""
    ) -> Response[str]:
        run = await queries.run(actor, run_id)
        context: dict[str, Any] = {"run": run, "chosen": chosen(run, step), "words": STARTED_BY}
        if request.headers.get("hx-request-type") == "partial":
            return fragment(request, "runs/_run.html", **context)
        return page(request, "runs/run.html", nav="runs", **context)

    @post("/cancellation", name="runs:cancel")
    async def cancel(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        done = await service.cancel(actor, run_id)
        words = {"cancelled": "The run is cancelled.", "asked": "The run ends after its present step."}
        flash(request, words.get(done, "The run had ended already."))
        return go(request, f"/runs/{run_id}")

    @post("/answer", name="runs:answer")
    async def answer(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        data: URLEncodedBody[AnswerForm],
    ) -> Response[Any]:
        said = {"choice": data.choice, "comment": data.comment}
        await service.signal(actor, run_id, data.name, said)
        flash(request, "Thank you. The run goes on.")
        return go(request, f"/runs/{run_id}")

    @post("/decision", name="runs:decide")
    async def decide(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        data: URLEncodedBody[DecisionForm],
    ) -> Response[Any]:
        await service.decide(actor, run_id, data.node, data.iter, happened=data.happened == "yes")
        flash(request, "Noted. The run goes on." if data.happened == "yes" else "Noted. The step is tried again.")
        return go(request, f"/runs/{run_id}")

    @post("/again", name="runs:again")
    async def again(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        await service.again(actor, run_id)
        flash(request, "The run is taken up again.")
        return go(request, f"/runs/{run_id}")


def chosen(run: RunView, key: str) -> StepView | None:
    """The step the panel shows: the one asked for, else the one that needs somebody, failed, works, or came last."""
    by_key = {step.key: step for step in run.steps}
    if key in by_key:
        return by_key[key]
    for status in ("waiting", "in_doubt", "failed", "running"):
        found = next((step for step in run.steps if step.status == status), None)
        if found is not None:
            return found
    return run.steps[-1] if run.steps else None


routes: list[Any] = [RunsController, RunController]
