# ruff: noqa: E501 -- SQL keeps its own shape
"""What needs somebody: steps in doubt with the evidence, questions that wait, runs that were given up. Oldest first."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.language.sentences import say
from app.runs.asking import Link, link
from app.runs.glance import IN_NEED, LIVE, OPEN, UNANSWERED
from app.runs.reading import loads
from app.runs.redacting import redacted
from app.web import Actor
from flows import catalogue
from flows.sdk.context import Wait

Kind = Literal["doubt", "question", "dead"]
MOST = 50

NEEDS = f"""
select r.id, r.flow_id, r.status as run_status, r.created_at, r.error, r.crash_count, v.document->>'name' as flow, v.number, r.draft,
       jsonb_path_query_first(v.document, '$.nodes[*] ? (@.id == $id)', jsonb_build_object('id', n.node_id)) as use,
       n.node_id, n.iter_path, n.status, n.attempt, n.wait, n.error as step_error,
       coalesce(a.started_at, n.started_at, r.created_at) as since, a.worker, w.heartbeat_at, w.stopped_at,
       (select array_agg(k order by k.asked_at, k.email) from run_ask k
         where n.status = 'waiting' and (k.run_id, k.node_id, k.iter_path) = (n.run_id, n.node_id, n.iter_path)) as asked
  from {IN_NEED} found join run r on r.id = found.id
  join flow_version v on v.id = r.version_id
  left join node_exec n on n.run_id = r.id and (n.status = 'in_doubt' or (n.{OPEN.format("n")} and {UNANSWERED.format("n")}))
  left join node_attempt a on (a.run_id, a.node_id, a.iter_path, a.attempt) = (n.run_id, n.node_id, n.iter_path, n.attempt)
  left join worker w on w.id = a.worker
 where (r.status in ('in_doubt', 'dead') or (r.status in {LIVE} and n.node_id is not null))
   and ($1::uuid is null or r.flow_id = $1)
   and ($2 = '' or ($2 = 'question' and n.status = 'waiting') or ($2 = 'doubt' and n.status = 'in_doubt')
        or ($2 = 'dead' and r.status = 'dead'))
   and ($3::timestamptz is null or (r.created_at, r.id, coalesce(n.node_id, ''), coalesce(n.iter_path, '')) > ($3, $4::uuid, $5, $6))
 order by r.created_at, r.id, coalesce(n.node_id, ''), coalesce(n.iter_path, '') limit 51
"""  # noqa: S608 -- constants


class Need(Struct, frozen=True):
    """One thing that waits for a person. `since`: when its last try began. `worker`, `heard`, `stopped`: who had it,
    when it was heard last, and when it signed off. `asked`: links by which a question can be answered.
    """

    kind: Kind
    run_id: UUID
    flow_id: UUID
    flow: str
    title: str
    icon: str
    family: str
    node: str
    iter: str
    since: datetime
    words: str
    attempt: int = 0
    worker: str = ""
    heard: datetime | None = None
    stopped: datetime | None = None
    wait: Wait | None = None
    crashes: int = 0
    asked: tuple[Link, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.run_id}|{self.node}|{self.iter}"

    @property
    def step(self) -> str:
        return f"{self.node}:{self.iter}" if self.iter else self.node


class Needs(Struct, frozen=True):
    """One page. `after`: give it back for the next one, "" on the last."""

    needs: list[Need]
    after: str

    @property
    def doubts(self) -> int:
        return sum(need.kind == "doubt" for need in self.needs)


async def needs(actor: Actor, *, flow_id: UUID | None = None, kind: str = "", after: str = "") -> Needs:
    """50 a page, those that wait longest first. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(NEEDS, flow_id, kind, *_cursor(after))
    made = [_need(row) for row in rows[:MOST]]
    last = rows[MOST - 1] if len(rows) > MOST else None
    more = (
        f"{last['created_at'].isoformat()}|{last['id']}|{last['node_id'] or ''}|{last['iter_path'] or ''}"
        if last
        else ""
    )
    return Needs(made, more)


def _cursor(text: str) -> tuple[datetime | None, UUID | None, str, str]:
    """One run may ask many people at once, so the next page may begin in its middle."""
    moment, run, node, iter = (*text.split("|"), "", "", "", "")[:4]
    try:
        return datetime.fromisoformat(moment), UUID(run), node, iter
    except ValueError:
        return None, None, "", ""


def _need(row: Any) -> Need:
    use = loads(row["use"]) or {}
    kind = catalogue.load().get(str(use.get("type", "")))
    title = use.get("label") or say(kind.title if kind else "") or row["node_id"] or say("The whole run")
    wait = msgspec.json.decode(row["wait"], type=Wait) if row["status"] == "waiting" and row["wait"] else None
    fault = loads(row["step_error"]) or loads(row["error"]) or {}
    what: Kind = "question" if wait is not None else "doubt" if row["status"] == "in_doubt" else "dead"
    if wait is not None:
        wait = msgspec.structs.replace(wait, data=redacted(wait.data), people=None)
    return Need(
        what,
        row["id"],
        row["flow_id"],
        row["flow"] or "Unnamed flow",
        str(title),
        kind.icon if kind else "circle-question-mark",
        kind.family if kind else "",
        row["node_id"] or "",
        row["iter_path"] or "",
        row["since"],
        redacted(str(fault.get("message", ""))),
        row["attempt"] or 0,
        str(row["worker"] or "")[:8],
        row["heartbeat_at"],
        row["stopped_at"],
        wait,
        row["crash_count"],
        tuple(link(each) for each in row["asked"] or ()),
    )
