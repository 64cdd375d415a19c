"""Pages of the right panel: a step's settings, publishing, versions, the flow itself."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.runs import queries as runs
from app.studio import choices, queries, tries
from app.studio.changes import changes
from app.studio.picking import tree_of
from app.studio.previewing import Preview, PreviewForm, preview
from app.studio.rendering import script_json
from app.studio.scope import last_values, variables_of
from app.studio.settings_form import form_of, takes_values
from app.triggers import queries as triggers
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import fragment, go
from flows import catalogue
from flows.model import NodeUse


class PanelController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/nodes/{node_id:str}/panel", name="studio:panel")
    async def step(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
    ) -> Response[Any]:
        flow, rev = await queries.draft(actor, flow_id)
        use = queries.step(flow, node_id)
        kinds = catalogue.load()
        kind = kinds.get(use.type)
        found = queries.problems_at(flow_id, rev, flow)
        fields = form_of(use, kind, found) if kind is not None else []
        run_id = request.query_params.get("run", "")
        values = await last_values(actor, run_id, flow, use)
        ran = await tries.step(actor, run_id, node_id)
        return fragment(
            request,
            "studio/_panel.html",
            flow_id=flow_id,
            run=run_id,
            node=queries.views(flow, found, {node_id})[0],
            use=use,
            fields=fields,
            variables=script_json(variables_of(flow, use, kinds, values)),
            docs=kind.description if kind is not None else "",
            tree=tree_of(values),
            pickable=takes_values(fields),
            ran=ran,
            pause=await tries.pause(actor, run_id, ran, node_id),
            given=tries.fields_of(use, ran),
            offers=await choices.for_fields(actor, flow_id, fields),
            webhook=await _webhook(request, actor, flow_id, use),
            planned=triggers.planned(use) if use.type == "start.schedule" else None,
            editable=actor.can_edit,
        )

    @get("/nodes/{node_id:str}/comparison", name="studio:step-compared")
    async def compared(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
        run: FromQuery[UUID],
    ) -> Response[Any]:
        """What this step got and gave in a run, against the run before."""
        pairs, other = await tries.compared(actor, flow_id, run, node_id)
        return fragment(request, "studio/_compared.html", pairs=pairs, other=other)

    @post("/nodes/{node_id:str}/preview", name="studio:preview", status_code=200, opt={"viewer": True})
    async def preview(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
        data: JSONBody[PreviewForm],
    ) -> Preview:
        return await preview(actor, flow_id, node_id, data)

    @get("/publication", name="studio:publication")
    async def publication(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]
    ) -> Response[Any]:
        flow = await queries.editor(actor, flow_id)
        found = [
            problem for problem in queries.problems_at(flow_id, flow.rev, flow.flow) if problem.severity == "error"
        ]
        listed = changes(flow.live_flow, flow.flow, catalogue.load())
        return fragment(request, "studio/_publication.html", flow=flow, changes=listed, problems=found)

    @get("/versions", name="studio:versions")
    async def versions(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        """The list beside the canvas; who comes by the address gets the page of versions."""
        listed = await queries.versions(actor, flow_id)
        if not request.htmx.partial:
            return go(request, f"/flows/{flow_id}/history")
        return fragment(request, "studio/_versions.html", flow_id=flow_id, versions=listed, editable=actor.can_edit)

    @get("/about", name="studio:about")
    async def about(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        flow, _ = await queries.draft(actor, flow_id)
        return fragment(request, "studio/_about.html", flow=flow)


async def _webhook(request: Request, actor: Actor, flow_id: UUID, use: NodeUse) -> str | None:
    """The address that starts the flow at this step; "" before the first publication, None for other steps."""
    if use.type != "start.webhook":
        return None
    found = [hook for hook in await runs.webhooks(actor, flow_id) if hook.node == use.id and hook.enabled]
    return str(request.base_url).rstrip("/") + found[0].path if found else ""
