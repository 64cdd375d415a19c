"""What people say about a flow: threads, replies, mentions. Viewers may talk, too; each changes only own words."""

from uuid import UUID

from app import config, events, mail
from app.accounts import queries as accounts
from app.accounts.queries import Person
from app.db import Tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.studio.mentioning import mentioned
from app.studio.service import store
from app.web import Actor
from flows import catalogue
from flows.model import Flow

MOST_THREADS = 500
MOST_REPLIES = 200
"""Comments of one thread."""
MOST_NAMED = 20
"""People mentioned in one comment."""

NO_COMMENT = "This comment does not exist, or you have no access to it."
NOT_YOURS = "This comment is somebody else's."


async def comment(actor: Actor, flow_id: UUID, text: str, *, step: str = "", thread: UUID | None = None) -> UUID:
    """Say something: about the flow, about a step, or in a thread. A reply opens a resolved thread again.

    Whoever is mentioned gets it under "Needs you", and by mail where mail is set up. What was waiting in this thread
    for the writer is done by answering. Returns the comment's id. Raises NotFound, Refused.
    """
    text = _words(text)
    people = await _named(actor, text)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select name, document from flow where id = $1 for update", flow_id)
        if row is None:
            raise NotFound(store.GONE)
        title = ""
        if thread is not None:
            step = ""
            await _reply(tx, flow_id, thread)
            await _done(tx, actor, thread)
        else:
            begun = "select count(*) from flow_comment where flow_id = $1 and thread_id is null"
            if await tx.fetchval(begun, flow_id) >= MOST_THREADS:
                raise Refused(f"A flow has at most {MOST_THREADS} threads.", remedy="Go on in one of them.")
            if step:
                title = _title(store.decode_flow(row["document"]), step)
                if not title:
                    raise NotFound("This step was deleted.", remedy="Comment on the flow instead.")
        comment_id: UUID = await tx.fetchval(
            """insert into flow_comment (workspace_id, flow_id, thread_id, node_id, node_title, text, user_id)
               values ($1, $2, $3, $4, $5, $6, $7) returning id""",
            actor.workspace_id, flow_id, thread, step, title[:200], text, actor.user_id,
        )  # fmt: skip
        await _tell(tx, actor, flow_id, thread or comment_id, "comment.written")
        await _mention(tx, actor, flow_id, row["name"], thread or comment_id, comment_id, text, people)
    return comment_id


async def edit_comment(actor: Actor, flow_id: UUID, comment_id: UUID, text: str) -> None:
    """Only its writer. People mentioned anew are told; those no longer mentioned have nothing waiting."""
    text = _words(text)
    people = await _named(actor, text)
    async with tenant_tx(actor.workspace_id) as tx:
        thread = await _own(tx, actor, flow_id, comment_id)
        name = await tx.fetchval("select name from flow where id = $1", flow_id)
        await tx.execute("update flow_comment set text = $2, edited_at = now() where id = $1", comment_id, text)
        known = await tx.fetch(
            "select user_id from comment_mention where comment_id = $1 and user_id = any($2)",
            comment_id, [person.id for person in people],
        )  # fmt: skip
        await tx.execute(
            "delete from comment_mention where comment_id = $1 and user_id <> all($2)",
            comment_id, [person.id for person in people],
        )  # fmt: skip
        fresh = [person for person in people if person.id not in {row["user_id"] for row in known}]
        await _tell(tx, actor, flow_id, thread, "comment.changed")
        await _mention(tx, actor, flow_id, name, thread, comment_id, text, fresh)


async def remove_comment(actor: Actor, flow_id: UUID, comment_id: UUID) -> None:
    """Only its writer. It can be taken back for an hour; after a day its words are erased by the next removal."""
    async with tenant_tx(actor.workspace_id) as tx:
        thread = await _own(tx, actor, flow_id, comment_id)
        await tx.execute("update flow_comment set removed_at = now() where id = $1", comment_id)
        await tx.execute(
            """update flow_comment set text = ''
                where flow_id = $1 and text <> '' and removed_at < now() - interval '1 day'""",
            flow_id,
        )
        await _tell(tx, actor, flow_id, thread, "comment.changed")


async def return_comment(actor: Actor, flow_id: UUID, comment_id: UUID) -> None:
    """Undo of removing, by its writer within an hour. Raises NotFound when it is too late."""
    async with tenant_tx(actor.workspace_id) as tx:
        thread = await tx.fetchval(
            """update flow_comment set removed_at = null
                where id = $1 and flow_id = $2 and user_id = $3 and removed_at > now() - interval '1 hour'
               returning coalesce(thread_id, id)""",
            comment_id, flow_id, actor.user_id,
        )  # fmt: skip
        if thread is None:
            raise NotFound(NO_COMMENT)
        await _tell(tx, actor, flow_id, thread, "comment.changed")


async def resolve(actor: Actor, flow_id: UUID, thread: UUID, *, over: bool = True) -> None:
    """Settle a thread, or open it again. Doing it twice is the same as once. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        found = await tx.fetchval(
            """update flow_comment
                  set resolved_at = case when $3 then coalesce(resolved_at, now()) end,
                      resolved_by = case when $3 then coalesce(resolved_by, $4) end
                where id = $1 and flow_id = $2 and thread_id is null returning true""",
            thread, flow_id, over, actor.user_id,
        )  # fmt: skip
        if not found:
            raise NotFound(NO_COMMENT)
        await _done(tx, actor, thread)
        await _tell(tx, actor, flow_id, thread, "comment.resolved" if over else "comment.reopened")


async def see_mention(actor: Actor, comment_id: UUID) -> None:
    """It no longer waits for this person. Raises NotFound for a comment that does not mention them."""
    async with tenant_tx(actor.workspace_id) as tx:
        seen = await tx.fetchval(
            """update comment_mention set seen_at = coalesce(seen_at, now())
                where comment_id = $1 and user_id = $2 returning true""",
            comment_id, actor.user_id,
        )  # fmt: skip
        if not seen:
            raise NotFound(NO_COMMENT)
        await events.publish(tx, actor.workspace_id, "workspace", "comment.seen", {"by": str(actor.user_id)})


def _words(text: str) -> str:
    text = text.strip()
    if not text:
        raise Refused("A comment needs words.", field="text")
    return text


def _title(flow: Flow, step: str) -> str:
    """What people call a step; "" when there is none of that id."""
    kinds = catalogue.load()
    for node in flow.nodes:
        if node.id == step:
            return node.label or (kinds[node.type].title if node.type in kinds else node.type)
    return ""


async def _named(actor: Actor, text: str) -> list[Person]:
    """Members this text mentions, the writer left out. 1 statement when there is an @ at all."""
    if "@" not in text:
        return []
    found = [person for person in mentioned(text, await accounts.people(actor)) if person.id != actor.user_id]
    if len(found) > MOST_NAMED:
        raise Refused(f"A comment mentions at most {MOST_NAMED} people.", field="text")
    return found


async def _reply(tx: Tx, flow_id: UUID, thread: UUID) -> None:
    """The thread is there, has room, and is open from now on."""
    found = await tx.fetchval(
        """update flow_comment set resolved_at = null, resolved_by = null
            where id = $1 and flow_id = $2 and thread_id is null returning true""",
        thread, flow_id,
    )  # fmt: skip
    if not found:
        raise NotFound(NO_COMMENT)
    if await tx.fetchval("select count(*) from flow_comment where thread_id = $1", thread) >= MOST_REPLIES - 1:
        raise Refused(f"A thread has at most {MOST_REPLIES} comments.", remedy="Begin a new one.")


async def _own(tx: Tx, actor: Actor, flow_id: UUID, comment_id: UUID) -> UUID:
    """The thread of a comment that this person wrote; it is locked. Raises NotFound, NotAllowed."""
    row = await tx.fetchrow(
        """select user_id, coalesce(thread_id, id) as thread from flow_comment
            where id = $1 and flow_id = $2 and removed_at is null for update""",
        comment_id, flow_id,
    )  # fmt: skip
    if row is None:
        raise NotFound(NO_COMMENT)
    if row["user_id"] != actor.user_id:
        raise NotAllowed(NOT_YOURS, remedy="Only its writer can change it.")
    thread: UUID = row["thread"]
    return thread


async def _done(tx: Tx, actor: Actor, thread: UUID) -> None:
    await tx.execute(
        """update comment_mention m set seen_at = now() from flow_comment c
            where c.id = m.comment_id and coalesce(c.thread_id, c.id) = $1 and m.user_id = $2 and m.seen_at is null""",
        thread, actor.user_id,
    )  # fmt: skip


async def _tell(tx: Tx, actor: Actor, flow_id: UUID, thread: UUID, what: str) -> None:
    told = {"flow": str(flow_id), "thread": str(thread), "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", what, told)


async def _mention(
    tx: Tx, actor: Actor, flow_id: UUID, flow: str, thread: UUID, comment_id: UUID, text: str, people: list[Person]
) -> None:
    """Note who is mentioned, and tell them: in the log, and by mail where mail leaves this instance."""
    if not people:
        return
    await tx.executemany(
        """insert into comment_mention (workspace_id, comment_id, user_id) values ($1, $2, $3)
           on conflict (comment_id, user_id) do nothing""",
        [(actor.workspace_id, comment_id, person.id) for person in people],
    )
    told = {
        "flow": str(flow_id), "thread": str(thread), "comment": str(comment_id), "by": actor.name,
        "to": [str(person.id) for person in people],
    }  # fmt: skip
    await events.publish(tx, actor.workspace_id, "workspace", "comment.mentioned", told)
    if not mail.available():
        return
    who, name = " ".join((actor.name or actor.email).split()), " ".join(flow.split()) or "a flow"
    place = f"{config.settings().base_url}/flows/{flow_id}/outline?panel=comments#thread-{thread}"
    for person in people:
        await mail.post(
            tx, actor.workspace_id, person.email, f"{who} mentioned you in “{name}”", f"{text}\n\nAnswer: {place}\n",
            dedupe_key=f"mention:{comment_id}:{person.id}",
        )  # fmt: skip
