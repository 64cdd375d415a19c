"""Copy and paste of steps: what the clipboard carries, and how it lands in a flow."""

import re
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.db import tenant_tx
from app.errors import NotFound, Refused
from app.studio.forms import EdgeAdd, Fragment, NodeAdd, Op, PasteForm
from app.studio.ops import node_of, port_of
from app.studio.service import store
from app.studio.tables import FlowDraft
from app.web import Actor
from flows import catalogue
from flows.catalogue import AnyNode, Catalogue
from flows.model import Flow, NodeUse

FRAGMENT = 1
"""The number of the clipboard's format."""
PRIVATE = {"secret", "connection"}
"""Widgets whose values name what belongs to one workspace: they do not travel."""
_LIKE_A_KEY = re.compile(r"(?i)authorization|api[-_]?key|token|password|secret|cookie")


async def copy_fragment(actor: Actor, flow_id: UUID, ids: list[str]) -> tuple[Fragment, int]:
    """These steps with what lies in them and the wires among them; and how many private values were left out.

    Positions become relative to the upper left of what was copied.
    """
    async with tenant_tx(actor.workspace_id):
        row = await FlowDraft.select(FlowDraft.document).where(FlowDraft.id == flow_id).first()
    if row is None:
        raise NotFound(store.GONE)
    return cut_out(store.decode_flow(row["document"]), ids, catalogue.load())


def cut_out(flow: Flow, ids: list[str], kinds: Catalogue) -> tuple[Fragment, int]:
    """Pure part of `copy_fragment`. Raises NotFound when none of the steps is there any more."""
    wanted = set(ids)
    wanted |= {id for node in flow.nodes if node.id in wanted for id in members_of(node)}
    while more := {n.id for n in flow.nodes if n.parent in wanted} - wanted:
        wanted |= more
    nodes = [node for node in flow.nodes if node.id in wanted]
    if not nodes:
        raise NotFound("These steps were deleted.")
    tops = [node for node in nodes if node.parent not in wanted]
    left, top = min(node.x for node in tops), min(node.y for node in tops)
    copied, removed = [], 0
    for node in nodes:
        settings, count = without_secrets(node, kinds)
        removed += count
        place = {"parent": "", "x": node.x - left, "y": node.y - top} if node.parent not in wanted else {}
        copied.append(msgspec.structs.replace(node, settings=settings, **place))
    edges = [e for e in flow.edges if node_of(e.source) in wanted and node_of(e.target) in wanted]
    return Fragment(FRAGMENT, copied, edges), removed


def members_of(node: NodeUse) -> list[str]:
    """The steps a group holds; none for any other step."""
    members = node.settings.get("members") if node.type == "note.group" else None
    return [id for id in members if isinstance(id, str)] if isinstance(members, list) else []


def without_secrets(node: NodeUse, kinds: Catalogue) -> tuple[dict[str, Any], int]:
    """The settings without secrets, connections, and header-like values whose name says they are a key."""
    kind = kinds.get(node.type)
    private = _private_fields(kind) if kind is not None else frozenset[str]()
    kept, removed = {}, 0
    for name, value in node.settings.items():
        if value and name in private:
            removed += 1
            continue
        kept[name], count = _scrubbed(value)
        removed += count
    return kept, removed


@lru_cache(maxsize=512)
def _private_fields(kind: AnyNode) -> frozenset[str]:
    """Of a kind of step, the settings that do not travel. Remembered: making a schema takes 0.1 ms."""
    schema = kind.settings_schema()
    shape = schema.get("$defs", {}).get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    return frozenset(name for name, field in shape.get("properties", {}).items() if field.get("x-widget") in PRIVATE)


def _scrubbed(value: Any) -> tuple[Any, int]:
    """Pairs such as {"name": "Authorization", "value": "…"} or {"Authorization": "…"} lose their value."""
    if isinstance(value, list):
        parts = [_scrubbed(each) for each in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if not isinstance(value, dict):
        return value, 0
    if _LIKE_A_KEY.search(str(value.get("name", ""))) and value.get("value"):
        return {**value, "value": ""}, 1
    result, removed = {}, 0
    for key, each in value.items():
        if isinstance(each, str) and each and _LIKE_A_KEY.search(key):
            result[key], count = "", 1
        else:
            result[key], count = _scrubbed(each)
        removed += count
    return result, removed


def landed(form: PasteForm, taken: set[str], kinds: Catalogue) -> tuple[list[Op], int]:
    """The operations that paste a fragment, and how many private values were left out of it.

    Parents come before children. Wires follow their steps' new ids, and groups hold what came with them.
    """
    fragment = form.fragment
    if fragment.agentbase != FRAGMENT:
        raise Refused("This was copied from a newer Agentbase.", remedy="Update this one, then paste again.")
    if not fragment.nodes:
        raise Refused("There is no step in what you pasted.")
    names: dict[str, str] = {}
    for node in fragment.nodes:
        name = node.id if node.id not in taken and len(fragment.nodes) == 1 else f"n{uuid4().hex[:8]}"
        names[node.id] = name
    ops: list[Op] = []
    todo = list(fragment.nodes)
    placed: set[str] = set()
    left_out = 0
    while todo:
        ready = [node for node in todo if node.parent not in names or node.parent in placed]
        if not ready:
            raise Refused("The steps you pasted lie inside each other in a circle.")
        for node in ready:
            inside = node.parent in names
            settings, count = without_secrets(node, kinds)
            left_out += count
            if members := members_of(node):
                settings["members"] = [names[id] for id in members if id in names]
            ops.append(
                NodeAdd(
                    msgspec.structs.replace(
                        node,
                        id=names[node.id],
                        settings=settings,
                        parent=names[node.parent] if inside else form.parent,
                        x=node.x if inside else node.x + form.x,
                        y=node.y if inside else node.y + form.y,
                    )
                )
            )
            placed.add(node.id)
        todo = [node for node in todo if node.id not in placed]
    for edge in fragment.edges:
        if node_of(edge.source) in names and node_of(edge.target) in names:
            ops.append(EdgeAdd(_renamed(edge.source, names), _renamed(edge.target, names)))
    return ops, left_out


def _renamed(end: str, names: dict[str, str]) -> str:
    return f"{names[node_of(end)]}.{port_of(end)}"


def exported(flow: Flow, kinds: Catalogue) -> Flow:
    """The document as a file to give away: without what belongs to this workspace."""
    nodes = [msgspec.structs.replace(node, settings=without_secrets(node, kinds)[0]) for node in flow.nodes]
    return msgspec.structs.replace(flow, nodes=nodes)
