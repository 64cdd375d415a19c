"""Everything the outline's page shows: the list, and beside it one step, or what else was asked for."""

from typing import Any, Literal, get_args
from uuid import UUID

from app.language.sentences import say
from app.studio import breakpoints, choices, comments, queries, tries
from app.studio.changes import changes
from app.studio.comments_page import panel_of
from app.studio.outline.ends import ends_of
from app.studio.outline.posted import Unreadable, with_what_was_typed
from app.studio.outline.rows import outline
from app.studio.outline.trying import Tried, offered
from app.studio.palette import FAMILIES, palette
from app.studio.ports import ports_of
from app.studio.rendering import script_json
from app.studio.scope import last_values, variables_of
from app.studio.settings_form import form_of
from app.web import Actor
from flows import catalogue
from flows.model import Flow, NodeUse

Panel = Literal["step", "add", "try", "publish", "about", "versions", "comments", ""]


async def page_of(
    actor: Actor,
    flow_id: UUID,
    *,
    step: str = "",
    panel: str = "",
    about: str = "",
    resolved: bool = False,
    faults: list[Unreadable] | None = None,
    tried: Tried | None = None,
) -> dict[str, Any]:
    """The context of templates/studio/outline/. `step` opens that step; a step that is gone opens nothing.

    `about`, `resolved`: which comments, where they are asked for.
    `faults`, `tried`: what a form sent that could not be read; it is shown again with its reason.
    At most 16 statements. Raises NotFound.
    """
    flow = await queries.editor(actor, flow_id)
    last = await tries.latest(actor, flow_id)
    found = queries.problems_at(flow_id, flow.rev, flow.flow)
    rows = outline(flow.flow, found)
    use = next((node for node in flow.flow.nodes if node.id == step), None)
    shown: Panel = "step" if use is not None else (panel if panel in get_args(Panel) and panel != "step" else "")  # type: ignore[assignment]
    context: dict[str, Any] = {
        "flow": flow,
        "rows": rows,
        "states": last.states if last else {},
        "last_run": last.id if last else None,
        "counts": await comments.open_counts(actor, flow_id),
        "panel": shown,
        "step": step if use is not None else "",
        "kinds": kinds_by_family(),
        "spots": [(row.id, row.title) for row in rows],
    }
    if use is not None:
        context |= await _step(actor, flow, use, found, faults or [], str(last.id) if last else "")
        context["breakpoint"] = (await breakpoints.at(actor, flow_id)).get(use.id)
        context["can_break"] = not breakpoints.why_not(use)
        context["ran"] = await tries.step(actor, str(last.id) if last else "", use.id)
    elif shown == "try":
        context["face"] = face = tries.face_of(flow.flow, found)
        context["tried"], context["files"] = tried or Tried(), await offered(actor, face)
    elif shown == "publish":
        context["listed"] = changes(flow.live_flow, flow.flow, catalogue.load())
        context["faults"] = [problem for problem in found if problem.severity == "error"]
    elif shown == "versions":
        context["versions"] = await queries.versions(actor, flow_id)
    elif shown == "comments":
        context |= await panel_of(actor, flow_id, about=about, resolved=resolved)
    return context


def kinds_by_family() -> list[tuple[str, list[tuple[str, str]]]]:
    """("Logic", [("logic.if", "If"), …]) for a list to choose a new step from; notes are for the canvas."""
    return [
        (words, [(kind.name, kind.title) for kind in palette() if kind.family == family])
        for family, _, words in FAMILIES
        if family != "note" and any(kind.family == family for kind in palette())
    ]


async def _step(
    actor: Actor, flow: queries.Editor, use: NodeUse, found: list[Any], faults: list[Unreadable], run_id: str
) -> dict[str, Any]:
    kinds = catalogue.load()
    kind = kinds.get(use.type)
    fields = form_of(use, kind, found) if kind is not None else []
    ports = {node.id: ports_of(node, kinds) for node in flow.flow.nodes}
    known = variables_of(flow.flow, use, kinds, await last_values(actor, run_id, flow.flow, use))
    return {
        "use": use,
        "node": queries.views(flow.flow, found, {use.id})[0],
        "fields": with_what_was_typed(fields, faults),
        "variables": known,
        "variables_json": script_json(known),
        "docs": kind.description if kind is not None else "",
        "offers": await choices.for_fields(actor, flow.id, fields),
        "ends": ends_of(flow.flow, use.id, kinds, ports, _titles(flow.flow)),
        "containers": _containers(flow.flow, use),
    }


def _titles(flow: Flow) -> dict[str, str]:
    kinds = catalogue.load()
    return {
        node.id: node.label or (say(kinds[node.type].title) if node.type in kinds else node.type) for node in flow.nodes
    }


def _containers(flow: Flow, use: NodeUse) -> list[tuple[str, str]]:
    """Where the step may lie: containers that are neither itself nor inside it."""
    kinds, titles = catalogue.load(), _titles(flow)
    parents = {node.id: node.parent for node in flow.nodes}

    def inside(id: str) -> bool:
        while id:
            if id == use.id:
                return True
            id = parents.get(id, "")
        return False

    return [
        (node.id, titles[node.id])
        for node in flow.nodes
        if node.type in kinds and kinds[node.type].container and not inside(node.id)
    ]
