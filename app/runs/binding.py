"""A version as another environment runs it: what the workspace said for it stands in the place of what the flow says.
Pure.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.web.flow_settings import changed
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

Kind = Literal["text", "connection", "secret", "model"]
KINDS: tuple[Kind, ...] = ("text", "connection", "secret", "model")


class Instead(Struct, frozen=True):
    """Where a flow says `given`, this environment says `instead`. A text is replaced wherever it stands in a setting;
    a connection, a secret and a model only as a whole, where the setting is one.
    """

    kind: Kind
    given: str
    instead: str


def bound(flow: Flow, values: Sequence[Instead], kinds: Catalogue) -> Flow:
    """The document with these in place. Longer texts first, so that one does not eat into another; each place once.

    Steps of a type that is not installed stay as they are: they do not run anyway.
    """
    exact = {(each.kind, each.given): each.instead for each in values if each.kind != "text"}
    texts = sorted(((v.given, v.instead) for v in values if v.kind == "text"), key=lambda pair: -len(pair[0]))

    def change(place: str, widget: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if widget in KINDS:
            return exact.get((widget, value), value)  # type: ignore[arg-type]
        return _once(value, texts)

    def of(node: NodeUse) -> NodeUse:
        kind = kinds.get(node.type)
        return msgspec.structs.replace(node, settings=changed(node.settings, kind, change)) if kind else node

    return msgspec.structs.replace(flow, nodes=[of(node) for node in flow.nodes]) if values else flow


def _once(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """What was put in is not looked at again."""
    for i, (given, instead) in enumerate(pairs):
        if given in text:
            return instead.join(_once(part, pairs[i + 1 :]) for part in text.split(given))
    return text
