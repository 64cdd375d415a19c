"""The canvas of one flow, and the head that all views of it share."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.db import page_tx
from app.language.sentences import say
from app.studio import comments, queries, tries
from app.studio.changes import changes
from app.studio.palette import FAMILIES, catalogue_json, palette
from app.studio.rendering import script_json
from app.studio.shapes import node_view
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import page
from flows import catalogue
from flows.model import NodeUse

NAV = "flows"


class EditorController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/", name="studio:canvas")
    async def canvas(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        async with page_tx(actor.workspace_id):
            flow = await queries.editor(actor, flow_id)
            last = await tries.shown(actor, flow_id, request.query_params.get("run", ""))
            counts = await comments.open_counts(actor, flow_id)
        types = palette()
        found = queries.problems_at(flow_id, flow.rev, flow.flow)
        return page(
            request,
            "studio/editor.html",
            nav=NAV,
            tab="canvas",
            flow=flow,
            nodes=queries.views(flow.flow, found),
            **bar(actor, flow),
            palette=types,
            families=[family for family in FAMILIES if any(t.family == family[0] for t in types)],
            unknown=node_view(NodeUse(id="new", type="unknown"), {}),
            catalogue=script_json(catalogue_json(types)),
            edges=script_json(flow.edges),
            counts=counts,
            last_run=last.id if last else None,
            last_steps=script_json(last.states) if last else None,
        )


def bar(actor: Actor, flow: queries.Editor) -> dict[str, Any]:
    """What the head of every view of a flow shows."""
    found = queries.problems_at(flow.id, flow.rev, flow.flow)
    kinds = catalogue.load()
    return {
        "editable": actor.can_edit and not flow.archived,
        "changed": len(changes(flow.live_flow, flow.flow, kinds)) if flow.live_flow is not None else None,
        "problems": found,
        "titles": {n.id: n.label or (say(kinds[n.type].title) if n.type in kinds else n.type) for n in flow.flow.nodes},
    }
