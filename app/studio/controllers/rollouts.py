"""Rolling a version out step by step, and asking the owners first where the workspace wants that."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.studio import approvals, service
from app.studio.version_forms import AnswerForm, AskForm, RolloutForm, RuleForm
from app.web import asks
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page

asks.offer(approvals.waiting, "Approvals", "/needs-you/approvals")
PLACE = "/needs-you/approvals"


class RolloutController(Controller):
    path = "/flows/{flow_id:uuid}"

    @post("/rollout", name="studio:rollout", status_code=303)
    async def begin(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[RolloutForm],
    ) -> Response[Any]:
        await service.roll_out(actor, flow_id, data)
        flash(request, f"{data.percent} % get the new version from now on.")
        return go(request, f"/flows/{flow_id}/history")

    @post("/rollout/finish", name="studio:rollout-finish", status_code=303)
    async def finish(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        number = await service.finish_rollout(actor, flow_id)
        flash(request, f"Version {number} is live for everybody.")
        return go(request, f"/flows/{flow_id}/history")

    @post("/rollout/stop", name="studio:rollout-stop", status_code=303)
    async def stop(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        await service.stop_rollout(actor, flow_id)
        flash(request, "Stopped. Everybody gets the live version again.")
        return go(request, f"/flows/{flow_id}/history")

    @post("/versions/{version_id:uuid}/approvals", name="studio:approval-ask", status_code=303)
    async def ask(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        version_id: FromPath[UUID],
        data: URLEncodedBody[AskForm],
    ) -> Response[Any]:
        await service.ask(actor, flow_id, version_id, data.words)
        flash(request, "The owners of this workspace were asked.")
        return go(request, f"/flows/{flow_id}/history")


class ApprovalsController(Controller):
    @get(PLACE, name="studio:approvals")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        waiting = await approvals.open_requests(actor)
        return page(
            request, "studio/versions/approvals.html", nav="needs-you", waiting=waiting, others=await asks.listed(actor)
        )

    @post("/needs-you/approvals/{request_id:uuid}/answer", name="studio:approval-answer", status_code=303)
    async def answer(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        request_id: FromPath[UUID],
        data: URLEncodedBody[AnswerForm],
    ) -> Response[Any]:
        number = await service.answer(actor, request_id, data)
        words = {
            "live": f"Version {number} is live from now on.",
            "approve": f"Version {number} may go live.",
            "reject": f"Version {number} was rejected.",
        }
        flash(request, words[data.decision])
        return go(request, PLACE)

    @post("/needs-you/approvals/{request_id:uuid}/withdrawal", name="studio:approval-withdraw", status_code=303)
    async def withdraw(
        self, request: Request, actor: NamedDependency[Actor], request_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.withdraw(actor, request_id)
        flash(request, "Taken back: nobody is asked any more.")
        return go(request, PLACE)

    @get("/settings/publishing", name="studio:publishing")
    async def rule(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        wanted = await approvals.wanted(actor)
        return page(request, "studio/versions/publishing.html", nav="settings", tab="publishing", wanted=wanted)

    @post("/settings/publishing", name="studio:publishing-rule", status_code=303)
    async def set_rule(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[RuleForm]
    ) -> Response[Any]:
        await service.set_rule(actor, approval=data.approval)
        flash(request, "New versions need an owner's word." if data.approval else "Editors publish by themselves.")
        return go(request, "/settings/publishing")
