"""Pages of drafting: describe, watch it being made, look at what would change, take it over or throw it away."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Meta

from app.drafting import queries, service
from app.drafting.forms import MOST_LETTERS, WishForm
from app.drafting.searching import search
from app.drafting.shapes import ProposalView
from app.errors import DomainError, NotAllowed, NotFound
from app.gateway import queries as gateway
from app.studio import queries as studio
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

NAV = "flows"
HERE = "/drafting"
Wish = Annotated[str, Meta(max_length=MOST_LETTERS)]


class DraftingController(Controller):
    path = HERE

    @get("/", name="drafting:describe")
    async def describe(
        self, request: Request, actor: NamedDependency[Actor], wish: FromQuery[Wish] = "", model: FromQuery[Wish] = ""
    ) -> Response[Any]:
        return await _form(request, actor, None, wish, model)

    @post("/", name="drafting:begin", status_code=303)
    async def begin(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[WishForm]
    ) -> Response[Any]:
        return await _begun(request, actor, None, data)

    @get("/{proposal_id:uuid}", name="drafting:proposal")
    async def show(self, request: Request, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> Response[Any]:
        view = await queries.proposal(actor, proposal_id)
        if request.htmx.partial:
            return fragment(request, "drafting/_proposal.html", view=view)
        return page(request, "drafting/proposal.html", nav=NAV, view=view)

    @post("/{proposal_id:uuid}/cancellation", name="drafting:cancel", status_code=303)
    async def cancel(
        self, request: Request, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.cancel(actor, proposal_id)
        flash(request, "Stopped. Nothing was changed.", "info")
        return go(request, f"{HERE}/{proposal_id}")

    @post("/{proposal_id:uuid}/acceptance", name="drafting:accept", status_code=303)
    async def accept(
        self, request: Request, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            flow_id = await service.accept(actor, proposal_id)
        except (NotFound, NotAllowed):
            raise
        except DomainError as problem:
            flash(request, str(problem), "warning")
            return go(request, f"{HERE}/{proposal_id}")
        flash(request, "Taken over. Undo (Ctrl Z) takes it back.")
        return go(request, f"/flows/{flow_id}")

    @post("/{proposal_id:uuid}/rejection", name="drafting:reject", status_code=303)
    async def reject(
        self, request: Request, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]
    ) -> Response[Any]:
        view = await queries.proposal(actor, proposal_id)
        await service.reject(actor, proposal_id)
        flash(request, "Thrown away. Nothing was changed.", "info", undo=f"{HERE}/{proposal_id}/return")
        return go(request, f"/flows/{view.flow_id}/drafting" if view.flow_id else HERE)

    @post("/{proposal_id:uuid}/return", name="drafting:bring-back", status_code=303)
    async def bring_back(
        self, request: Request, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.bring_back(actor, proposal_id)
        return go(request, f"{HERE}/{proposal_id}")


class FlowDraftingController(Controller):
    path = "/flows/{flow_id:uuid}/drafting"

    @get("/", name="drafting:change")
    async def describe(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        wish: FromQuery[Wish] = "",
        model: FromQuery[Wish] = "",
    ) -> Response[Any]:
        return await _form(request, actor, flow_id, wish, model)

    @post("/", name="drafting:begin-change", status_code=303)
    async def begin(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[WishForm],
    ) -> Response[Any]:
        return await _begun(request, actor, flow_id, data)


async def _begun(request: Request, actor: Actor, flow_id: UUID | None, form: WishForm) -> Response[Any]:
    try:
        proposal_id = await service.begin(actor, form, flow_id)
    except (NotFound, NotAllowed):
        raise
    except DomainError as problem:
        return await _form(request, actor, flow_id, form.wish, form.model, problem)
    return go(request, f"{HERE}/{proposal_id}")


async def _form(
    request: Request, actor: Actor, flow_id: UUID | None, wish: str, model: str, refused: DomainError | None = None
) -> Response[Any]:
    """Describe a flow, or the change of one. Without a model that can draft: what fits among templates and steps."""
    flow = (await studio.draft(actor, flow_id))[0] if flow_id is not None else None
    able = await gateway.capable(actor)
    recent: list[ProposalView] = (
        await queries.of_flow(actor, flow_id) if flow_id is not None else await queries.recent(actor)
    )
    found = await search(actor.workspace_id, wish) if wish.strip() and not able else None
    return page(
        request,
        "drafting/describe.html",
        status_code=refused.status if refused is not None and able else 200,
        nav=NAV,
        flow_id=flow_id,
        flow=flow.name if flow is not None else "",
        here=f"/flows/{flow_id}/drafting" if flow_id else HERE,
        models=able,
        wish=wish,
        model=model,
        found=found,
        recent=recent,
        refused=refused if able else None,
    )


routes: list[Any] = [DraftingController, FlowDraftingController]
