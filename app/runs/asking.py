# ruff: noqa: E501 -- SQL keeps its own shape
"""Links by which one person answers a step that waits, without an account (docs/runs.md, Approvals).

A link is open while its step waits and nothing that was sent answers it yet. So it is dead once anybody has answered,
in whatever way, and nothing has to be switched off.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock, config, events, mail
from app.db import Tx, system_tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs.filling import filled
from app.runs.redacting import redacted
from app.runs.running import host
from app.runs.service import may_run
from app.web import Actor
from flows.ledger import postgres_verbs as verbs
from flows.sdk.context import Wait

GONE = "There is nothing at this address."
ANSWERED = "This question has been answered."
DAYS = 30
"""Days a link works after its last mail, or after it was copied."""
MOST = 100
"""Links to one question."""
Standing = Literal["open", "answered", "over", "expired"]

INSERT = """
insert into run_ask (id, workspace_id, run_id, node_id, iter_path, email, token_hash, created_by, expires_at, next_at, every, most)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (run_id, node_id, iter_path, email) where email <> '' do nothing returning id
"""
FOUND = "select * from run_ask where token_hash = $1"
QUESTION = """
select r.status as run_status, r.flow_id, v.document->>'name' as flow, n.status, n.wait, n.next_at, w.name as workspace,
       clock_timestamp() as now,
       exists (select from run_signal g where g.run_id = r.id and g.taken_by is null and g.name = n.wait->>'signal'
                  and g.step in ('', case when $3 = '' then $2 else $2 || ':' || $3 end)) as answered
  from run r join flow_version v on v.id = r.version_id join node_exec n on n.run_id = r.id
  join workspace w on w.id = r.workspace_id
 where r.id = $1 and n.node_id = $2 and n.iter_path = $3
"""
LINKS = "select * from run_ask where run_id = $1 order by asked_at, email"


class Link(Struct, frozen=True):
    """One way to answer. `email` "": a member copied it. `path` goes behind the dashboard's address.

    `sent`: mails so far, the first included. `next_at`: when the next one is due. To know `path` is to be able to answer.
    """

    path: str
    email: str
    step: str
    asked_at: datetime
    expires_at: datetime
    sent: int = 0
    sent_at: datetime | None = None
    next_at: datetime | None = None


class Question(Struct, frozen=True):
    """What a person sees who opens a link. `until`: when it is decided without them. `wait`: without secrets."""

    standing: Standing
    flow: str
    workspace: str
    email: str
    path: str
    wait: Wait
    until: datetime | None = None
    expires_at: datetime | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        return self.wait.choices


async def ask(actor: Actor, run_id: UUID, step: str, email: str = "") -> Link:
    """A link to a question that waits: mailed to somebody, or only made to be copied.

    `step`: "node" or "node:round". Who has a link to it already is mailed again at once.
    Raises NotFound, Conflict for a step that waits for nobody, Refused for no address and more than MOST links.
    """
    may_run(actor)
    node, _, iter = step.partition(":")
    if email:
        mail.checked(email)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(QUESTION, run_id, node, iter)
        if row is None:
            raise NotFound("This step does not exist.", remedy="Look for its run in the list of runs.")
        if standing(row) != "open":
            raise Conflict("This step waits for nobody.", remedy="Reload the page.")
        if (
            await tx.fetchval(
                "select count(*) from run_ask where run_id = $1 and node_id = $2 and iter_path = $3", run_id, node, iter
            )
            >= MOST
        ):
            raise Refused(f"There are {MOST} links to this question already.", remedy="Use one of them.")
        place = (run_id, node, iter)
        made = await put(tx, actor.workspace_id, place, email, by=actor.user_id, due=row["now"] if email else None)
        if made is None:
            again = "update run_ask set next_at = $5, expires_at = $6 where run_id = $1 and node_id = $2 and iter_path = $3 and email = $4 returning id"
            made = await tx.fetchval(again, *place, email, row["now"], clock.now() + timedelta(days=DAYS))
        told = {"run": str(run_id), "step": step, "to": email, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.asked", told)
        return link(await tx.fetchrow("select * from run_ask where id = $1", made))


async def links(actor: Actor, run_id: UUID) -> list[Link]:
    """Who was asked what in a run, in order. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        return [link(row) for row in await tx.fetch(LINKS, run_id)]


async def opened(token: str) -> Question:
    """What a link asks, or that it asks nothing any more. Decides nothing. Raises NotFound for an unknown one."""
    row = await _found(token)
    async with tenant_tx(row["workspace_id"]) as tx:
        asked = await tx.fetchrow(QUESTION, row["run_id"], row["node_id"], row["iter_path"])
    if asked is None:
        raise NotFound(GONE)
    return _question(row, asked, token)


async def answer(token: str, choice: str, comment: str, fields: dict[str, str]) -> None:
    """Decide. Of two people who do at the same moment the first one counts, the other is told so.

    Raises NotFound, Conflict for a question that is not open any more, Refused naming the field that does not fit.
    """
    row = await _found(token)
    step = f"{row['node_id']}:{row['iter_path']}" if row["iter_path"] else row["node_id"]
    async with tenant_tx(row["workspace_id"]) as tx:
        await tx.execute("select from run where id = $1 for update", row["run_id"])
        asked = await tx.fetchrow(QUESTION, row["run_id"], row["node_id"], row["iter_path"])
        if asked is None:
            raise NotFound(GONE)
        question = _question(row, asked, token)
        if question.standing != "open":
            raise Conflict(ANSWERED if question.standing == "answered" else "This link works no more.")
        if question.choices and choice not in question.choices:
            raise Refused("Choose one of the buttons.", field="choice")
        said: dict[str, Any] = {"choice": choice, "comment": comment}
        if not question.choices or choice == question.choices[0]:
            said["fields"] = filled(question.wait.form, fields)
        text = msgspec.json.encode(said).decode()
        by = row["email"] or "somebody with a link"
        lane = await verbs.signal_run(tx, row["run_id"], question.wait.signal, text, sender=by, step=step)
        told = {"run": str(row["run_id"]), "step": step, "choice": choice, "by": by}
        await events.publish(tx, row["workspace_id"], "workspace", "run.answered-by-link", told)
    if lane is not None:
        await host().nudge(lane)


async def put(
    tx: Tx,
    workspace_id: UUID,
    place: tuple[UUID, str, str],
    email: str,
    *,
    by: UUID | None = None,
    due: datetime | None = None,
    every: float = 0,
    most: int = 0,
) -> UUID | None:
    """A link's row; None when this person has one to this question. `place`: run, node, rounds."""
    ask_id = UUID(str(await tx.fetchval("select uuidv7()")))
    until = (due or clock.now()) + timedelta(days=DAYS)
    made: UUID | None = await tx.fetchval(
        INSERT, ask_id, workspace_id, *place, email, proof(token_of(ask_id)), by, until, due, every, most
    )
    return made


def standing(row: Any) -> Standing:
    """Where a question stands, by QUESTION's row."""
    if row["answered"] or row["status"] == "succeeded":
        return "answered"
    return "open" if row["status"] == "waiting" and row["run_status"] in ("queued", "running", "waiting") else "over"


def link(row: Any) -> Link:
    step = f"{row['node_id']}:{row['iter_path']}" if row["iter_path"] else row["node_id"]
    return Link(
        path_of(token_of(row["id"])), row["email"], step, row["asked_at"], row["expires_at"], row["sent"], row["sent_at"],
        row["next_at"],
    )  # fmt: skip


async def _found(token: str) -> Any:
    async with system_tx("open a question") as tx:
        row = await tx.fetchrow(FOUND, proof(token))
    if row is None:
        raise NotFound(GONE, remedy="Ask whoever sent it for a new one.")
    return row


def _question(row: Any, asked: Any, token: str) -> Question:
    wait = msgspec.json.decode(asked["wait"], type=Wait) if asked["wait"] else Wait()
    stands = standing(asked)
    if stands == "open" and row["expires_at"] <= asked["now"]:
        stands = "expired"
    if stands == "open" and asked["next_at"] is not None and asked["next_at"] <= asked["now"]:
        stands = "over"
    shown = msgspec.structs.replace(wait, data=redacted(wait.data), people=None)
    flow = asked["flow"] or "Unnamed flow"
    return Question(
        stands, flow, asked["workspace"], row["email"], path_of(token), shown, asked["next_at"], row["expires_at"]
    )


def token_of(ask_id: UUID) -> str:
    """43 characters, derived, so that the link can be shown again and is not stored."""
    made = hmac.digest(config.derive("run-ask"), ask_id.bytes, hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def proof(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def path_of(token: str) -> str:
    return f"/asked/{token}"
