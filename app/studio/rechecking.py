"""What is wrong with a flow after a small edit, from what was wrong before it.

Reading a thousand steps and laying all their wires takes a tenth of a second; somebody who types waits for it at every
letter. Wires, loops and missing inputs depend on a step's ports, name and place among the others, never on what else
its settings say (flows/wiring.py). So where those stayed, only the step's own problems are found anew.
"""

import msgspec

from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse
from flows.problems import Problem
from flows.reading import read_card

MOST_CHANGED = 16
"""Steps that may differ. More than that is no typing: the whole flow is checked."""


def rechecked(before: Flow, found: list[Problem], after: Flow, catalogue: Catalogue) -> list[Problem] | None:
    """The problems of `after`, given those of `before` (errors first, then in the order of the steps).

    None when the edit may have changed more than the problems of the steps themselves: check the whole flow then.
    """
    if len(before.nodes) != len(after.nodes) or before.edges != after.edges:
        return None
    changed = [(old, new) for old, new in zip(before.nodes, after.nodes, strict=True) if old != new]
    if len(changed) > MOST_CHANGED:
        return None
    known = list(found)
    order = {node.id: i for i, node in enumerate(after.nodes)}
    for old, new in changed:
        own = _own(old, new, catalogue)
        if own is None:
            return None
        was, now = own
        if was == now:
            continue
        for problem in was:
            if problem not in known:
                return None
            known.remove(problem)
        place = order[new.id]
        at = next(
            (i for i, p in enumerate(known) if p.severity != "error" or order.get(p.node, -1) >= place), len(known)
        )
        known[at:at] = now
    return known


def _own(old: NodeUse, new: NodeUse, catalogue: Catalogue) -> tuple[list[Problem], list[Problem]] | None:
    """The step's own problems before and after; None when its wires may be judged differently now."""
    same = msgspec.structs.replace(old, settings=new.settings, x=new.x, y=new.y, w=new.w, h=new.h, retry=new.retry)
    if same != new:
        return None
    card, was = read_card(old, catalogue)
    fresh, now = read_card(new, catalogue)
    if fresh.ports != card.ports or (fresh.settings is None) != (card.settings is None):
        return None
    if any(problem.severity != "error" for problem in (*was, *now)):
        return None
    return was, now
