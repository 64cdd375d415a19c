"""A flow as it is given to strangers: without what belongs to its workspace, and with what whoever takes it has to do.
Pure.
"""

from typing import Any

import msgspec
from msgspec import Struct

from app.runs.queries import redacted
from app.studio.ports import field_title
from app.studio.service.fragments import without_secrets
from app.web.flow_settings import DROP, changed
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

OWN = frozenset({"secret", "connection", "flow", "file", "model"})
"""Widgets whose values name what one workspace has: a stranger neither sees nor could use them."""
WHAT = {
    "secret": "enter the secret", "connection": "choose a connection", "flow": "choose a flow",
    "file": "choose a file", "model": "choose a model, or leave it to the usual one",
}  # fmt: skip
TYPE_MISSING = "its component is not installed here; its settings did not come along"


class Todo(Struct, frozen=True):
    """What is left to do in a copy. `title`: the step; `field`: the setting, "" = the whole step.

    `kind`: what was left out: secret, connection, flow, file, model, keys (texts that look like keys) or component.
    """

    node: str
    title: str
    field: str
    what: str
    kind: str


class Given(Struct, frozen=True):
    flow: Flow
    todo: list[Todo]


def given(flow: Flow, kinds: Catalogue) -> Given:
    """The document without secrets, connections, models, files and other flows, and without texts that look like keys.

    Steps of a type that is not known here lose all their settings: nobody can say which of them are private.
    """
    todo: list[Todo] = []
    nodes = [_given(node, kinds, todo) for node in flow.nodes]
    return Given(
        Flow(nodes=nodes, edges=flow.edges, name=redacted(flow.name), description=redacted(flow.description)), todo
    )


def _given(node: NodeUse, kinds: Catalogue, todo: list[Todo]) -> NodeUse:
    kind = kinds.get(node.type)
    title = node.label or (kind.title if kind is not None else node.type)
    more = {"label": redacted(node.label), "default": redacted(node.default)}
    if kind is None:
        todo.append(Todo(node.id, title, "", TYPE_MISSING, "component"))
        return msgspec.structs.replace(node, settings={}, exposed={}, **more)
    lost: list[tuple[str, str]] = []

    def keep(place: str, widget: str, value: Any) -> Any:
        if widget not in OWN:
            return value
        if value:
            lost.append((place, widget))
        return DROP

    stripped = changed(node.settings, kind, keep)
    for field, widget in lost:
        top = field.partition(".")[0]
        todo.append(Todo(node.id, title, field_title(kind, top), WHAT[widget], widget))
    kept, keys = without_secrets(msgspec.structs.replace(node, settings=stripped), kinds)
    if keys:
        todo.append(Todo(node.id, title, "", "enter the keys again", "keys"))
    return msgspec.structs.replace(node, settings=redacted(kept), **more)
