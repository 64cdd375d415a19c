"""Whether a version needs an owner's word before it goes live, and asking for it. The answers: approvals.py."""

from uuid import UUID

from app import config, events, mail
from app.db import Tx
from app.errors import Refused
from app.runs.queries import VersionView
from app.web import Actor


async def wants_approval(tx: Tx) -> bool:
    """Whether this workspace wants an owner's word before anything new goes live."""
    return bool(await tx.fetchval("select approval from publishing_rule"))


async def may_go_live(tx: Tx, actor: Actor, version: VersionView) -> None:
    """What was live before may be live again: going back must not take long. Everything else may need an approval.

    Raises Refused.
    """
    if version.live_at is not None or not await wants_approval(tx):
        return
    approved = await tx.fetchval(
        "select true from publish_request where version_id = $1 and decision = 'approved'", version.id
    )
    if not approved:
        raise Refused(
            f"Version {version.number} needs the approval of an owner before it goes live.",
            remedy="Ask for it on the page of versions.", code="approval_needed",
        )  # fmt: skip


async def ask_for(tx: Tx, actor: Actor, version: VersionView, words: str) -> UUID:
    """Ask the owners whether this version may go live. One open request a version; asking again gives that one."""
    made: UUID = await tx.fetchval(
        """insert into publish_request (workspace_id, flow_id, version_id, asked_by, words) values ($1, $2, $3, $4, $5)
           on conflict (version_id) where decision = '' do update set words = excluded.words returning id""",
        actor.workspace_id, version.flow_id, version.id, actor.user_id, words[:2_000],
    )  # fmt: skip
    told = {"flow": str(version.flow_id), "version": str(version.id), "request": str(made), "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{version.flow_id}", "approval.asked", told)
    await events.publish(tx, actor.workspace_id, "workspace", "approval.asked", told)
    await _write_to_owners(tx, actor, version, made, words)
    return made


async def _write_to_owners(tx: Tx, actor: Actor, version: VersionView, request: UUID, words: str) -> None:
    """By mail where mail leaves this instance; they see it under "Needs you" in any case."""
    if not mail.available():
        return
    rows = await tx.fetch(
        """select u.id, u.email from membership m join user_account u on u.id = m.user_id
            where m.workspace_id = $1 and m.role = 'owner' and u.id <> $2 limit 50""",
        actor.workspace_id, actor.user_id,
    )  # fmt: skip
    subject = f"{one_line(actor.name or actor.email)} asks to publish “{one_line(version.document.name)}”"
    place = f"{config.settings().base_url}/needs-you/approvals"
    what = f"Version {version.number} of “{one_line(version.document.name)}” waits for an owner's word."
    text = f"{what}\n\n{words}\n\nAnswer: {place}\n"
    for row in rows:
        await mail.post(
            tx, actor.workspace_id, row["email"], subject, text, dedupe_key=f"approval:{request}:{row['id']}"
        )


def one_line(text: str) -> str:
    """A name within a line of a letter."""
    return " ".join(text.split()) or "a flow"
