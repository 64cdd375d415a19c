"""Selected steps become a flow of their own, and come back. The rules are in app/studio/subflows.py."""

from uuid import UUID

from app import events
from app.db import Tx, tenant_tx
from app.errors import NotFound, Refused
from app.runs import service as runs
from app.studio.forms import CollapseForm, InlineForm, Op
from app.studio.inlining import inlined
from app.studio.ops import OpRefused
from app.studio.service import store
from app.studio.service.editing import Answer, answer, repeated
from app.studio.service.store import Draft
from app.studio.service.versions import NotReady, ready
from app.studio.subflows import CALL, cut, replacing
from app.studio.wiring import edit
from app.web import Actor
from flows import catalogue
from flows.model import Flow


async def collapse(actor: Actor, flow_id: UUID, form: CollapseForm) -> Answer:
    """Make a published flow of these steps and put one step that runs it in their place, as one undoable edit.

    Undo brings the steps back; the flow that was made stays among the flows. Raises Refused with the reason.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if (again := await repeated(tx, actor, draft, form.batch)) is not None:
            return again
        kinds = catalogue.load()
        name = form.name or f"Part of {draft.flow.name}"[:120]
        part = cut(draft.flow, form.ids, name, kinds)
        try:
            ready(part.inner)
        except NotReady as fault:
            raise Refused(f"These steps can't run yet: {fault.message}", remedy="Put that right first.") from None
        version_id = await _published(tx, actor, part.inner)
        taken = {node.id for node in draft.flow.nodes}
        new_id = f"n{form.batch[-12:].replace('-', '')}"
        ops = replacing(part, version_id, name, new_id, kinds, taken)
        said = f"“{name}” is a flow of its own now. It stays among your flows."
        return await _done(tx, actor, draft, form, ops, said)


async def inline(actor: Actor, flow_id: UUID, form: InlineForm) -> Answer:
    """Put the steps of the flow that a step runs back in its place, as one undoable edit. The other flow stays."""
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if (again := await repeated(tx, actor, draft, form.batch)) is not None:
            return again
        call = next((node for node in draft.flow.nodes if node.id == form.id and node.type == CALL), None)
        if call is None:
            raise NotFound("This step was deleted.")
        document = await _document(tx, str(call.settings.get("flow", "")))
        taken = {node.id for node in draft.flow.nodes}
        ops = inlined(draft.flow, call, document, catalogue.load(), taken)
        return await _done(tx, actor, draft, form, ops, "The steps of this flow are here again.")


async def _published(tx: Tx, actor: Actor, flow: Flow) -> UUID:
    flow_id: UUID = await tx.fetchval(
        "insert into flow (workspace_id, name, description, document, step_count, created_by) "
        "values ($1, $2, '', $3, $4, $5) returning id",
        actor.workspace_id,
        flow.name,
        store.to_json(flow),
        len(flow.nodes),
        actor.user_id,
    )
    version_id = await runs.save_version(tx, actor.workspace_id, flow_id, flow, "", actor.user_id)
    await tx.execute("update flow set live_version_id = $2 where id = $1", flow_id, version_id)
    await events.publish(tx, actor.workspace_id, "workspace", "flow.created", {"flow": str(flow_id)})
    return version_id


async def _document(tx: Tx, version_id: str) -> Flow:
    try:
        version = await runs.version(tx, UUID(version_id))
    except ValueError:
        version = None
    if version is None:
        raise Refused("No flow is chosen here.", remedy="Choose one under “Flow” in this step's settings.")
    return version.document


async def _done(
    tx: Tx, actor: Actor, draft: Draft, form: CollapseForm | InlineForm, ops: list[Op], said: str
) -> Answer:
    missed = await store.since(tx, draft.id, form.base) if form.base < draft.rev else []
    try:
        done = edit(draft.flow, ops, catalogue.load(), lenient=False)
    except OpRefused as refused:
        raise Refused(refused.why, code="op_refused") from None
    rev = await store.save(
        tx, actor, draft, done.flow, ops=done.done, inverse=done.inverse, batch=form.batch, client=form.client
    )
    return await answer(tx, actor, draft, done.flow, rev, missed, extra=done.done, said=said)
