"""Which model answers when a step names none, and who is asked when it fails."""

from uuid import UUID

import msgspec

from app.db import Tx, tenant_tx
from app.errors import NotFound, Refused
from app.gateway.directory import offer_local
from app.gateway.forms import DefaultForm
from app.gateway.providers import LOCAL, LOCAL_EMBEDDING
from app.gateway.service.connections import must_edit
from app.web.actor import Actor

MOST_FALLBACKS = 20


async def choose_default(actor: Actor, form: DefaultForm) -> None:
    """The workspace's default models; "" = the automatic choice. Raises Refused for an unknown connection."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        for field, model in (("model", form.model), ("embedding_model", form.embedding_model or "")):
            await _must_exist(tx, model, field)
        await tx.execute(
            "update gateway_setting set default_model = $1, embedding_model = coalesce($2, embedding_model), "
            "rev = rev + 1, updated_at = now()",
            form.model,
            form.embedding_model,
        )


async def add_fallback(actor: Actor, model: str) -> None:
    """At the end. One that is there already moves there."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _must_exist(tx, model, "model")
        models = [each for each in await _locked(tx, actor.workspace_id) if each != model]
        await _save(tx, [*models, model])


async def remove_fallback(actor: Actor, model: str) -> None:
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        models = await _locked(tx, actor.workspace_id)
        if model not in models:
            raise NotFound("This model is not in the list any more.")
        await _save(tx, [each for each in models if each != model])


async def move_fallback(actor: Actor, model: str, place: int) -> None:
    """0 = first; past the end = last."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        models = await _locked(tx, actor.workspace_id)
        if model not in models:
            raise NotFound("This model is not in the list any more.")
        models.remove(model)
        models.insert(min(place, len(models)), model)
        await _save(tx, models)


async def order_fallbacks(actor: Actor, models: list[str]) -> None:
    """The whole list anew."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        for model in models:
            await _must_exist(tx, model, "models")
        await _locked(tx, actor.workspace_id)
        await _save(tx, list(dict.fromkeys(models)))


async def _locked(tx: Tx, workspace_id: UUID) -> list[str]:
    await offer_local(workspace_id)
    text = await tx.fetchval("select fallbacks from gateway_setting for update")
    return msgspec.json.decode(text, type=list[str])


async def _save(tx: Tx, models: list[str]) -> None:
    if len(models) > MOST_FALLBACKS:
        raise Refused(f"At most {MOST_FALLBACKS} models can stand in line.", remedy="Remove one first.", field="model")
    await tx.execute(
        "update gateway_setting set fallbacks = $1, rev = rev + 1, updated_at = now()",
        msgspec.json.encode(models).decode(),
    )


async def _must_exist(tx: Tx, model: str, field: str) -> None:
    """The connection in "connection/model" must be there. Whether it has the model shows when it is called."""
    slug, _, name = model.partition("/")
    if not model or model == f"{LOCAL}/{LOCAL_EMBEDDING}":
        return
    known = await tx.fetchval("select exists (select from connection where slug = $1 and removed_at is null)", slug)
    if not name or not known:
        raise Refused(f"There is no connection for '{model}'.", remedy="Choose a model of the list.", field=field)
