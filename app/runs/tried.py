"""What tries of a flow began with, and what was said in them: to try again, and to go on with a conversation."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.runs.redacting import redacted, restored
from app.web import Actor

LOOKED_AT = 1_000
"""Newest runs of a flow among which its tries are looked for: a flow in use has many runs that are none."""

LAST = f"""
select r.id, r.input::text as input from (
    select id, input, draft, created_at from run where flow_id = $1 order by created_at desc limit {LOOKED_AT}) r
 where r.draft order by r.created_at desc limit 1
"""  # noqa: S608 -- a constant

ANSWERS = 40
"""Newest tries of a conversation among which those are looked for that gave its answers."""
LONG = 20_000
"""Bytes, as the database keeps it, of an answer that is too long to be looked for."""

SAFE = r"case when input::text like '%\\u0000%' then null else input->>'{}' end"
"""A part of an input as text. One with a zero character is left out: PostgreSQL can't take it out of its object."""

TALKS = f"""
select r.talk, max(r.created_at) as at, count(*) as turns,
       (array_agg(r.message order by r.created_at))[1] as first from (
    select {SAFE.format("conversation")} as talk, {SAFE.format("message")} as message, draft, created_at
      from run where flow_id = $1 order by created_at desc limit {LOOKED_AT}) r
 where r.draft and r.talk <> '' group by r.talk order by at desc limit 20
"""  # noqa: S608 -- a constant

OF_TALK = f"""
select r.id, r.status, case when r.back = 1 then r.input::text end as input, g.good, g.note,
       case when r.back = 1 or pg_column_size(r.output) < {LONG} then r.output::text end as output from (
    select r.*, row_number() over (order by r.created_at desc) as back from (
        select id, status, input, output, draft, created_at, {SAFE.format("conversation")} as talk
          from run where flow_id = $1 order by created_at desc limit {LOOKED_AT}) r
     where r.draft and r.talk = $2) r
  left join run_rating g on g.run_id = r.id and g.user_id = $3
 where r.back <= {ANSWERS} order by r.back
"""  # noqa: S608 -- constants
MOST_SHOWN = 80
"""Characters of the first question in the list of conversations."""
Role = Literal["user", "assistant"]


class Tried(Struct, frozen=True):
    """A try and its input, without secrets."""

    id: UUID
    input: Any


async def last_try(actor: Actor, flow_id: UUID) -> Tried | None:
    """The newest try of a flow, whoever made it. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(LAST, flow_id)
    return Tried(row["id"], redacted(msgspec.json.decode(row["input"]))) if row is not None else None


async def input_again(actor: Actor, flow_id: UUID, run_id: UUID, changed: dict[str, Any] | None = None) -> Any:
    """What a run of this flow began with. `changed`: what a person made of it; secrets it still hides are put back.

    1 statement. Raises NotFound, also for a run of another flow.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        text = await tx.fetchval("select input::text from run where id = $1 and flow_id = $2", run_id, flow_id)
    if text is None:
        raise NotFound("The run whose input was asked for is gone.", remedy="Give an input.")
    was = msgspec.json.decode(text)
    return was if changed is None else restored(changed, was)


class Talk(Struct, frozen=True):
    """A conversation of tries. `first`: what it began with, shortened; `turns`: how many questions were asked."""

    id: str
    first: str
    turns: int
    at: datetime


class Said(Struct, frozen=True):
    """One turn of a conversation. `run`: the try that answered, None for what was asked and where it is not known.
    `files`: names of those that went with the last question. `good`, `note`: what this person says of the answer.
    """

    role: Role
    text: str
    run: UUID | None = None
    files: list[str] = []
    good: bool | None = None
    note: str = ""


async def talks(actor: Actor, flow_id: UUID) -> list[Talk]:
    """The conversations of a flow's tries, whoever had them, the newest first, at most 20. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(TALKS, flow_id)
    return [Talk(row["talk"], _first(redacted(row["first"] or "")), row["turns"], row["at"]) for row in rows]


async def said(actor: Actor, flow_id: UUID, talk: str) -> list[Said]:
    """What was said in a conversation: what its last question brought along, that question, its answer. 1 statement.

    [] for one that is not there. A question that was edited and sent again stands as it was sent last.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(OF_TALK, flow_id, talk, actor.user_id)
    if not rows:
        return []
    given = redacted(msgspec.json.decode(rows[0]["input"]))
    answers = {}
    for row in reversed(rows):  # of two that said the same, the newer one
        words = words_of(redacted(msgspec.json.decode(row["output"] or "null")))
        if row["status"] == "succeeded" and words:
            answers[words] = Said("assistant", words, row["id"], [], row["good"], row["note"] or "")
    turns = [
        answers.get(text, Said("assistant", text)) if each["role"] == "assistant" else Said("user", text)
        for each in _objects(given.get("history"))
        if each.get("role") in ("user", "assistant") and (text := str(each.get("text", ""))) is not None
    ]
    files = [str(each.get("name", "")) for each in _objects(given.get("files"))]
    turns.append(Said("user", str(given.get("message", "")), files=files))
    last = next((said for said in answers.values() if said.run == rows[0]["id"]), None)
    return [*turns, last] if last is not None else turns


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words_of(output: Any) -> str:
    """What a run's result says in words, as the face of a chat shows it; "" when it says nothing."""
    if output is None or isinstance(output, str):
        return output or ""
    if isinstance(output, dict) and isinstance(output.get("text"), str) and output["text"]:
        return str(output["text"])
    return msgspec.json.format(msgspec.json.encode(output), indent=2).decode()


def _first(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1]}…"
