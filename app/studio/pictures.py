"""The small pictures of flows, remembered: a list of flows reads and draws only the documents that changed."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from app.db import Tx
from app.studio.diagram import Diagram, diagram
from app.studio.service import store
from flows import catalogue
from flows.model import Flow

MOST = 2_000
"""Flows whose picture a process keeps; one is 2 to 4 KB."""

State = tuple[int, datetime]
"""Revision and time of the last change: another one, another document."""

_kept: OrderedDict[UUID, tuple[State, Diagram]] = OrderedDict()


async def pictures(
    tx: Tx, wanted: Iterable[tuple[UUID, State]], documents: bool = False
) -> tuple[dict[UUID, Diagram], dict[UUID, Flow]]:
    """Pictures of these flows, and the documents that were read for them (`documents`: read them all).

    1 statement when something has to be read, else none. `tx` decides which flows may be seen.
    """
    states = dict(wanted)
    known = {id: kept[1] for id, state in states.items() if (kept := _kept.get(id)) is not None and kept[0] == state}
    missing = [id for id in states if documents or id not in known]
    if not missing:
        return known, {}
    rows = await tx.fetch("select id, rev, updated_at, document from flow where id = any($1)", missing)
    kinds, read = catalogue.load(), {}
    for row in rows:
        id, flow = row["id"], store.decode_flow(row["document"])
        read[id] = flow
        if id not in known:
            known[id] = diagram(flow, kinds)
            _kept[id] = ((row["rev"], row["updated_at"]), known[id])
            _kept.move_to_end(id)
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    return known, read
