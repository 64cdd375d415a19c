"""What the pickers of a settings form offer: models, connections, flows to call. Read only when a field needs it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.db import tenant_tx
from app.gateway import queries as gateway
from app.studio.settings_form import Field, Option
from app.web import Actor
from app.web.words import money


async def for_fields(actor: Actor, flow_id: UUID, fields: Sequence[Field]) -> dict[str, list[Option]]:
    """{"models", "connections", "flows_to_call"}: lists of Option; empty where no field asks."""
    wanted = {field.control for field in fields} | {inner.control for field in fields for inner in field.row}
    found: dict[str, list[Option]] = {"models": [], "connections": [], "flows_to_call": []}
    if wanted & {"model", "connection"}:
        overview = await gateway.overview(actor)
        if "model" in wanted:
            found["models"] = _models(overview)
        if "connection" in wanted:
            listed = [Option(str(each.id), each.name) for each in overview.connections if not each.bundled]
            found["connections"] = [Option("", "None"), *listed]
    if "flow" in wanted:
        found["flows_to_call"] = [Option("", "Choose a flow"), *await _flows(actor, flow_id)]
    return found


def _models(overview: gateway.Overview) -> list[Option]:
    usual = overview.effective
    first = Option("", f"This workspace’s model: {usual.title}" if usual else "This workspace’s model: none yet")
    return [first, *(Option(each.id, _priced(each)) for each in overview.models if not each.embeds)]


def _priced(model: gateway.ModelView) -> str:
    """ "mistral-small, about 0.20 ct an answer"."""
    if model.free or model.answer_micros == 0:
        return f"{model.title}, free"
    price: Any = model.answer_micros
    return f"{model.title}, about {money(price)} an answer" if price is not None else f"{model.title}, price unknown"


async def _flows(actor: Actor, flow_id: UUID) -> list[Option]:
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select name, live_version_id from flow where live_version_id is not null and archived_at is null "
            "and id <> $1 order by name limit 500",
            flow_id,
        )
    return [Option(str(row["live_version_id"]), row["name"]) for row in rows]
