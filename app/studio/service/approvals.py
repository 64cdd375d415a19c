"""An owner's word before a version goes live, where the workspace asks for it. Nobody answers their own request."""

from uuid import UUID

from app import config, events, mail
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound
from app.runs.queries import VersionView
from app.studio.service import store
from app.studio.service.approving import ask_for, one_line
from app.studio.service.versions import go_live, published
from app.studio.version_forms import AnswerForm
from app.web import Actor

GONE = "This request does not exist, or somebody has answered it."


async def set_rule(actor: Actor, *, approval: bool) -> None:
    """Whether anything new needs an owner's word before it goes live. Owners only; what is live stays live."""
    _owners_only(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            """insert into publishing_rule (workspace_id, approval, set_by) values ($1, $2, $3)
               on conflict (workspace_id)
               do update set approval = excluded.approval, set_by = excluded.set_by, set_at = now()""",
            actor.workspace_id, approval, actor.user_id,
        )  # fmt: skip
        told = {"approval": approval, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "publishing.ruled", told)


async def ask(actor: Actor, flow_id: UUID, version_id: UUID, words: str) -> UUID:
    """Ask the owners whether this version may go live. Raises NotFound, and Conflict for one that was live before."""
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        version = await published(tx, flow_id, version_id)
        if version.live_at is not None:
            raise Conflict(f"Version {version.number} was live before: it needs no approval.", code="unchanged")
        return await ask_for(tx, actor, version, words.strip())


async def answer(actor: Actor, request_id: UUID, form: AnswerForm) -> int:
    """Agree (and make it live at once) or reject. Returns the version's number.

    Owners only, and not who asked. Raises NotAllowed, and NotFound for a request that is answered or not there.
    """
    _owners_only(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select flow_id, version_id, asked_by from publish_request where id = $1 and decision = '' for update",
            request_id,
        )
        if row is None:
            raise NotFound(GONE)
        if row["asked_by"] == actor.user_id:
            raise NotAllowed("Somebody else has to answer your own request.", remedy="Ask another owner.")
        await store.locked(row["flow_id"])
        version = await published(tx, row["flow_id"], row["version_id"])
        decision = "rejected" if form.decision == "reject" else "approved"
        await tx.execute(
            "update publish_request set decision = $2, answer = $3, decided_by = $4, decided_at = now() where id = $1",
            request_id, decision, form.answer.strip(), actor.user_id,
        )  # fmt: skip
        told = {
            "flow": str(row["flow_id"]), "version": str(row["version_id"]), "request": str(request_id),
            "by": actor.name, "answer": form.answer.strip(),
        }  # fmt: skip
        await events.publish(tx, actor.workspace_id, f"flow:{row['flow_id']}", f"approval.{decision}", told)
        await events.publish(tx, actor.workspace_id, "workspace", f"approval.{decision}", told)
        if form.decision == "live":
            if await tx.fetchval("select archived_at is not null from flow where id = $1", row["flow_id"]):
                raise Conflict("This flow is in the archive.", remedy="Approve only, or bring it back first.")
            await go_live(tx, actor, row["flow_id"], row["version_id"])
        await _write_to_asker(tx, actor, row["flow_id"], version, request_id, row["asked_by"], decision, form.answer)
    return version.number


async def withdraw(actor: Actor, request_id: UUID) -> None:
    """Whoever asked needs no answer any more; owners may do it, too. Raises NotFound, NotAllowed."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select flow_id, version_id, asked_by from publish_request where id = $1 and decision = '' for update",
            request_id,
        )
        if row is None:
            raise NotFound(GONE)
        if row["asked_by"] != actor.user_id and not actor.is_owner:
            raise NotAllowed("Only who asked can take this back.")
        await tx.execute(
            """update publish_request set decision = 'withdrawn', decided_by = $2, decided_at = now() where id = $1""",
            request_id, actor.user_id,
        )  # fmt: skip
        told = {"flow": str(row["flow_id"]), "version": str(row["version_id"]), "by": actor.name}
        await events.publish(tx, actor.workspace_id, f"flow:{row['flow_id']}", "approval.withdrawn", told)
        await events.publish(tx, actor.workspace_id, "workspace", "approval.withdrawn", told)


async def _write_to_asker(
    tx: Tx, actor: Actor, flow_id: UUID, version: VersionView, request: UUID, asker: UUID, decision: str, words: str
) -> None:
    email = await tx.fetchval("select email from user_account where id = $1", asker) if mail.available() else None
    if email:
        name = one_line(version.document.name)
        text = f"{words.strip()}\n\n{config.settings().base_url}/flows/{flow_id}/history\n"
        by = one_line(actor.name or actor.email)
        done = f"Version {version.number} of “{name}” was approved by {by}"
        refused = f"Version {version.number} of “{name}” was rejected by {by}"
        subject = done if decision == "approved" else refused
        await mail.post(tx, actor.workspace_id, email, subject, text, dedupe_key=f"approval-answer:{request}")


def _owners_only(actor: Actor) -> None:
    if not actor.is_owner:
        raise NotAllowed("This is up to the owners of this workspace.", remedy="Ask an owner to do it for you.")
