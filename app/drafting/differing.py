"""What a proposal changes, in words and as a picture of the canvas, and what to look at before taking it over. Pure."""

from app.drafting.shapes import Proposed
from app.studio.service.proposals import compared, picture
from flows import catalogue
from flows.catalogue import AnyNode
from flows.model import Flow, NodeUse


def proposed(before: Flow, after: Flow) -> Proposed:
    """Everything that would change."""
    kinds = catalogue.load()
    found = compared(before, after, kinds)
    old = {node.id: node for node in before.nodes}
    watch = [words for node in after.nodes if (words := _watch(old.get(node.id), node, kinds.get(node.type)))]
    return Proposed(found, picture(before, after, found, kinds), watch)


def _watch(old: NodeUse | None, new: NodeUse, kind: AnyNode | None) -> str:
    """What could do harm if nobody looked: addresses that are called, and code; "" = neither is new."""
    if kind is None:
        return ""
    was, title = old.settings if old is not None else {}, new.label or kind.title
    if "http" in kind.needs and new.settings.get("url") and was.get("url") != new.settings.get("url"):
        return f"{title} sends data to {str(new.settings['url'])[:200]}"
    if kind.sources is not None and new.settings != was:
        return f"{title} runs code that the model wrote"
    return ""
