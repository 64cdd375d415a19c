"""A document from outside in the place of a draft: what exports leave out comes back from the draft. Pure."""

from typing import Any

import msgspec

from app.studio.service.fragments import without_secrets
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse


def refilled(document: Flow, draft: Flow, kinds: Catalogue) -> Flow:
    """`document` with the secrets, connections and keys in headers that the same steps of `draft` hold.

    The same step: equal id and type. What the document says of itself stays as it says.
    """
    there = {(node.id, node.type): node for node in draft.nodes}
    nodes = [_refilled(node, there.get((node.id, node.type)), kinds) for node in document.nodes]
    return msgspec.structs.replace(document, nodes=nodes)


def _refilled(node: NodeUse, old: NodeUse | None, kinds: Catalogue) -> NodeUse:
    if old is None:
        return node
    shown, removed = without_secrets(old, kinds)
    if not removed:
        return node
    settings = dict(node.settings)
    for name, value in old.settings.items():
        if name not in shown and name not in settings:
            settings[name] = value
        elif name in shown and name in settings and shown[name] != value:
            settings[name] = _filled(settings[name], shown[name], value)
    return msgspec.structs.replace(node, settings=settings)


def _filled(new: Any, shown: Any, full: Any) -> Any:
    """Where `new` still is what was shown of `full`, the full value."""
    if new == shown:
        return full
    if isinstance(new, dict) and isinstance(shown, dict) and isinstance(full, dict):
        return {key: _filled(value, shown[key], full[key]) if key in shown else value for key, value in new.items()}
    if isinstance(new, list) and isinstance(shown, list) and isinstance(full, list):
        by_name = {each["name"]: i for i, each in enumerate(shown) if isinstance(each, dict) and "name" in each}
        return [
            _filled(each, shown[i], full[i])
            if isinstance(each, dict) and (i := by_name.get(each.get("name"), -1)) >= 0
            else each
            for each in new
        ]
    return new
