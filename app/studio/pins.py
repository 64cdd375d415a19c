"""Pins: what a step gives in tries of the draft, instead of being called. They lie beside the flow, not in it:
a published version never has any, and neither has a copy or an export.
"""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import events
from app.db import Tx, tenant_tx
from app.errors import Refused
from app.studio import queries
from app.studio.service import store
from app.web import Actor
from flows import catalogue
from flows.model import Flow, NodeUse
from flows.stored import MARK

MOST = 1_000_000
"""Bytes of one pinned output, as JSON."""
NOTHING = "this kind of step gives nothing"
SAVE = """
insert into flow_pin (workspace_id, flow_id, node_id, output, by_user) values ($1, $2, $3, $4, $5)
on conflict (flow_id, node_id) do update set output = excluded.output, by_user = excluded.by_user, at = now()
"""


class PinForm(Struct, forbid_unknown_fields=True):
    """The step's outputs by name, as its record has them."""

    output: dict[str, Any]


class Pin(Struct, frozen=True):
    node: str
    output: Any

    @property
    def text(self) -> str:
        """As JSON to edit."""
        return msgspec.json.format(msgspec.json.encode(self.output), indent=2).decode()


async def pins(actor: Actor, flow_id: UUID) -> list[Pin]:
    """2 statements. Raises NotFound."""
    await queries.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select node_id, output::text as output from flow_pin where flow_id = $1 order by node_id", flow_id
        )
    return [Pin(row["node_id"], msgspec.json.decode(row["output"])) for row in rows]


async def pin(actor: Actor, flow_id: UUID, node_id: str, form: PinForm) -> Pin:
    """Set or change what this step gives in tries.

    Raises NotFound, Refused for a step that can't be pinned, and an output that is none of it or too large.
    """
    flow, _ = await queries.draft(actor, flow_id)
    use = queries.step(flow, node_id)
    text = msgspec.json.encode(form.output).decode()
    if MARK in text:
        raise Refused(
            "This output holds a value that is too large to be pinned.",
            remedy="Put a shorter one in its place.",
            field="output",
        )
    if len(text) > MOST:
        raise Refused(f"A pinned output may have {MOST:,} bytes.", remedy="Shorten it.", field="output")
    if use.parent:
        raise Refused("A step in a container runs many times.", remedy="Pin the container itself.", field="output")
    if wrong := misfit(use, text):
        raise Refused(f"This is no output of the step: {wrong}.", remedy="Change it, then pin it.", field="output")
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        await tx.execute(SAVE, actor.workspace_id, flow_id, node_id, text, actor.user_id)
        await _tell(tx, actor, flow_id)
    return Pin(node_id, form.output)


async def unpin(actor: Actor, flow_id: UUID, node_id: str) -> Pin | None:
    """The step is called again. Gives what was pinned, so that it can be put back. Raises NotFound."""
    await queries.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        gone = await tx.fetchval(
            "delete from flow_pin where flow_id = $1 and node_id = $2 returning output::text", flow_id, node_id
        )
        await _tell(tx, actor, flow_id)
    return Pin(node_id, msgspec.json.decode(gone)) if gone is not None else None


async def given(tx: Tx, flow_id: UUID, flow: Flow, *, besides: str = "") -> dict[str, str]:
    """What a try of this document takes: step -> JSON text. `besides`: a step that is to be called all the same.

    Raises Refused naming a step whose pinned output is none of it any more.
    """
    rows = await tx.fetch("select node_id, output::text as output from flow_pin where flow_id = $1", flow_id)
    pinned = {row["node_id"]: row["output"] for row in rows}
    found = {}
    for use in flow.nodes:
        if use.id not in pinned or use.id == besides or use.parent or use.disabled:
            continue
        if wrong := misfit(use, pinned[use.id]):
            name = use.label or use.id
            raise Refused(
                f"The pinned output of '{name}' is none of it any more: {wrong}.", remedy="Change or unpin it."
            )
        found[use.id] = pinned[use.id]
    return found


def misfit(use: NodeUse, text: str) -> str:
    """Why this JSON is no output of the step; "" when it is one."""
    kind = catalogue.load().get(use.type)
    if kind is None or kind.family == "note" or kind.undo:
        return NOTHING
    try:
        msgspec.json.decode(text, type=kind.outputs)
    except msgspec.ValidationError as wrong:
        return str(wrong)
    return ""


async def _tell(tx: Tx, actor: Actor, flow_id: UUID) -> None:
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "flow.pins", {"flow": str(flow_id)})
