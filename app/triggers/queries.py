# ruff: noqa: E501 -- SQL keeps its own shape
"""What pages and the API show of triggers. Each says how many SQL statements it takes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.language.sentences import say
from app.runs import service as runs
from app.triggers import calendar, plans
from app.triggers.keys import secret_name
from app.triggers.pacing import Pace
from app.triggers.service import BY_VISITORS, GONE
from app.web.actor import Actor
from flows import catalogue
from flows.model import Flow, NodeUse

ICONS = {
    "schedule": "clock", "webhook": "webhook", "event": "radio", "after": "workflow", "email": "mail",
    "drop": "folder-input", "chat": "message-circle", "form": "text-cursor-input", "api": "terminal",
}  # fmt: skip
KINDS = {
    "schedule": "Schedule", "webhook": "Webhook", "event": "Event", "after": "Another flow", "email": "E-mail",
    "drop": "Dropped file", "chat": "Chat", "form": "Form", "api": "API call",
}  # fmt: skip

LIST = """
select t.id, t.flow_id, t.node_id, t.kind, t.paused, e.name as environment, p.title, p.words, p.next_at, p.problem, p.rule, p.made_at,
       t.token_round, t.token_hash is not null as addressed, s.hint, to_jsonb(c) - '{trigger_id,workspace_id}'::text[] as pace, v.document->>'name' as flow,
       f.id as fired, f.result, f.reason, f.run_id, f.planned_at, f.at, f.times, f.status
  from trigger t join flow_running l on l.flow_id = t.flow_id
       and l.environment_id is not distinct from t.environment_id
  join flow_version v on v.id = l.version_id left join environment e on e.id = t.environment_id
  left join trigger_plan p on p.trigger_id = t.id
  left join trigger_secret s on s.trigger_id = t.id and s.until is null
  left join trigger_pace c on c.trigger_id = t.id
  left join lateral (
      select * from (
          (select x.id, x.result, x.reason, x.run_id, x.planned_at, x.at, x.times, r.status
             from trigger_firing x left join run r on r.id = x.run_id
            where x.trigger_id = t.id order by x.at desc limit 1)
          union all
          (select r.id, 'started', '', r.id, null, r.created_at, 1, r.status
             from (select * from run where flow_id = t.flow_id order by created_at desc limit 200) r
            where t.kind in ('webhook', 'chat', 'form', 'api') and
                  (r.trigger_id = t.id or r.trigger_id is null and t.environment_id is null and r.trigger = t.kind) order by r.created_at desc limit 1)
      ) both_kinds order by at desc limit 1
  ) f on true
 where t.enabled and ($1::uuid is null or t.flow_id = $1) and ($2::uuid is null or t.id = $2)
 order by p.next_at nulls last, lower(v.document->>'name'), t.node_id limit 500
"""
LOG = """
select * from (
    (select f.id, f.result, f.reason, f.run_id, f.planned_at, f.at, f.times, r.status
       from trigger_firing f left join run r on r.id = f.run_id
      where f.trigger_id = $1 and ($3::timestamptz is null or f.at < $3) order by f.at desc limit 51)
    union all
    (select r.id, 'started', '', r.id, null, r.created_at, 1, r.status from run r
      where r.flow_id = $2 and r.trigger_id = $1 and ($3::timestamptz is null or r.created_at < $3)
        and not exists (select from trigger_firing f where f.run_id = r.id) order by r.created_at desc limit 51)
) firings order by at desc limit 51
"""
NOT_YET = "No worker has looked at this version yet: that takes about a second after it was published."
NO_SUCH_FLOW = (
    "The flow whose end starts this one has no live version: it was never published, or it is gone. Choose another."
)
LIVE = "select exists (select from flow_running where flow_id::text = $1)"
WORKERS = (
    "select exists (select from worker where stopped_at is null and heartbeat_at > clock_timestamp() - dead_after)"
)


class FiringView(Struct, frozen=True):
    """`result`: started, queued, held, merged, skipped, refused. `status` is where its run stands, "" when there is none (any more).

    `times`: the same refusal came so often within its minute, or so many firings were merged in this one.
    """

    id: UUID
    result: str
    reason: str
    run_id: UUID | None
    planned_at: datetime | None
    at: datetime
    times: int
    status: str


class TriggerView(Struct, frozen=True):
    """`next_at` is known for schedules that are on. `problem`: why it can't fire. `switchable`: it has a switch.
    `environment`: where it starts runs, "" = live.

    `secret_name`: the secret of the vault that signs its calls, "" = the one set on its page (`secret_hint`).
    """

    id: UUID
    flow_id: UUID
    flow: str
    node: str
    kind: str
    title: str
    words: str
    on: bool
    next_at: datetime | None
    problem: str
    last: FiringView | None
    switchable: bool
    path: str = ""
    signature: str = ""
    secret_hint: str = ""
    secret_name: str = ""
    pace: Pace | None = None
    environment: str = ""

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "zap")

    @property
    def kind_word(self) -> str:
        return KINDS.get(self.kind, self.kind)


class Detail(Struct, frozen=True):
    """One trigger with its log, newest first. `before`: give it back for older ones. `why`: answers to "why not?"."""

    trigger: TriggerView
    upcoming: list[datetime]
    why: list[str]
    firings: list[FiringView]
    before: datetime | None
    zone: str = ""


async def triggers(actor: Actor, flow_id: UUID | None = None) -> list[TriggerView]:
    """All triggers of live versions, at most 500; those that fire soonest first. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(LIST, flow_id, None)
    return [_view(row) for row in rows]


async def trigger(actor: Actor, trigger_id: UUID, before: datetime | None = None) -> Detail:
    """3 statements, 4 for one that follows a flow. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(LIST, None, trigger_id)
        if row is None:
            raise NotFound(GONE, remedy="Look for it in the list of triggers.")
        log = await tx.fetch(LOG, trigger_id, row["flow_id"], before)
        working = await tx.fetchval(WORKERS)
        rule = msgspec.json.decode(row["rule"]) if row["rule"] else {}
        lost = row["kind"] == "after" and rule.get("flow") and not await tx.fetchval(LIVE, rule["flow"])
    view = _view(row)
    looked_at = row["rule"] is not None  # by a worker, a moment after the version went live: until then no times
    times = next_times(NodeUse(view.node, f"start.{view.kind}", settings=rule)) if view.on and looked_at else []
    listed = [_firing(each) for each in log[:50]]
    why = _why(view, working) + ([] if looked_at else [NOT_YET]) + ([NO_SUCH_FLOW] if lost else [])
    return Detail(view, times, why, listed, listed[-1].at if len(log) > 50 else None, rule.get("zone", "UTC"))


def planned(use: NodeUse) -> dict[str, Any]:
    """The next five times of a schedule step, and their time zone. No statement."""
    return {"times": next_times(use), "zone": str(use.settings.get("zone") or "UTC")}


def next_times(use: NodeUse, count: int = 5) -> list[datetime]:
    """The next times of a schedule step as its settings stand, in its own time zone; [] when they don't fit."""
    settings = plans.read(Flow(nodes=[use]), use.id)[3]
    if use.type != "start.schedule" or settings is None:
        return []
    try:
        return calendar.seen_there(
            calendar.upcoming(settings.line, settings.zone, calendar.now(), count), settings.zone
        )
    except calendar.NoSuchTime:
        return []


def _why(view: TriggerView, working: bool) -> list[str]:
    """What keeps it from firing, most decisive first; [] = nothing does."""
    found = []
    if not view.on:
        elsewhere = f" In {view.environment} everything but webhooks is off until somebody switches it on."
        found.append("It is switched off." + (elsewhere if view.environment else ""))
    if view.problem:
        found.append(view.problem)
    if view.signature and not (view.secret_hint or view.secret_name or view.environment):
        found.append("No secret is set: every call is refused.")
    if not working and view.kind not in ("webhook", *BY_VISITORS):
        found.append("No worker is running: nothing looks at the clock, and nothing that waits is carried out.")
    if view.last is not None and view.last.result in ("skipped", "refused"):
        found.append(f"The last time: {view.last.reason}")
    return found


def _view(row: Any) -> TriggerView:
    return TriggerView(
        row["id"],
        row["flow_id"],
        row["flow"] or "Unnamed flow",
        row["node_id"],
        row["kind"],
        _title(row),
        row["words"] or "",
        not row["paused"],
        None if row["paused"] else row["next_at"],
        row["problem"] or "",
        _firing(row, "fired") if row["fired"] is not None else None,
        row["kind"] not in BY_VISITORS,
        _path(row),
        _signature(row),
        f"…{row['hint']}" if row["hint"] else "",
        secret_name(row["rule"]) if row["kind"] == "webhook" else "",
        msgspec.json.decode(row["pace"], type=Pace) if row["pace"] else None,
        row["environment"] or "",
    )


def _title(row: Any) -> str:
    """What people called its step; else what kind of step it is, in the language of the page."""
    kind = catalogue.load().get(f"start.{row['kind']}")
    if row["title"] and (kind is None or row["title"] != kind.title):
        return str(row["title"])
    return say(row["title"] or KINDS.get(row["kind"], row["kind"]))


def _path(row: Any) -> str:
    """Behind the dashboard's address; for mail the part before the @."""
    if row["environment"] and row["kind"] == "webhook":
        return f"/hooks/{runs.stage_token(row['id'])}"
    if not row["addressed"]:
        return ""
    token = runs.address_token(row["id"], row["token_round"], row["kind"])
    return {"webhook": f"/hooks/{token}", "drop": f"/drop/{token}", "email": token}[row["kind"]]


def _signature(row: Any) -> str:
    """The scheme of a signed webhook, "" for all others."""
    if row["kind"] != "webhook" or not row["rule"]:
        return ""
    scheme = str(msgspec.json.decode(row["rule"]).get("signature", "none"))
    return "" if scheme == "none" else scheme


def _firing(row: Any, id: str = "id") -> FiringView:
    return FiringView(
        row[id], row["result"], row["reason"], row["run_id"], row["planned_at"], row["at"], row["times"],
        row["status"] or "",
    )  # fmt: skip
