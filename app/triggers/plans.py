"""What each trigger of a live version waits for. Made by whichever worker notices the version first, within a second.

Publishing only says that there is something to look at (`trigger.planned` = false), so that it stays quick and needs
nothing of this domain.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.db import Tx, system_tx
from app.logs import logger
from app.triggers import calendar
from flows import catalogue
from flows.document import BadDocument, load_flow
from flows.expressions import expression
from flows.model import Flow
from flows.sdk import NodeError

log = logger(__name__)

UNPLANNED = """
select t.id, t.workspace_id, t.flow_id, t.node_id, t.kind, l.version_id, l.updated_at, v.document,
       p.rule, p.next_at, p.cursor, p.since, p.begins_at, clock_timestamp() as now
  from trigger t join flow_running l on l.flow_id = t.flow_id
       and l.environment_id is not distinct from t.environment_id
  join flow_version v on v.id = l.version_id
  left join trigger_plan p on p.trigger_id = t.id
 where t.enabled and not t.planned order by t.id limit 50 for update of t skip locked
"""
SAVE = """
insert into trigger_plan (trigger_id, workspace_id, version_id, title, words, rule, next_at, cursor, since, begins_at,
                          problem)
values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11)
on conflict (trigger_id) do update set version_id = excluded.version_id, title = excluded.title,
    words = excluded.words, rule = excluded.rule, next_at = excluded.next_at, cursor = excluded.cursor,
    since = excluded.since, begins_at = excluded.begins_at, problem = excluded.problem, made_at = clock_timestamp()
"""
LAST_EVENT = "select seq from event where workspace_id = $1 and at <= $2 order by seq desc limit 1"


async def plan_new() -> int:
    """Look at the triggers of versions that went live. Every second. Returns how many were planned."""
    async with system_tx("plan triggers") as tx:
        rows = await tx.fetch(UNPLANNED)
        for row in rows:
            await _plan(tx, row)
        if rows:
            await tx.execute("update trigger set planned = true where id = any ($1)", [row["id"] for row in rows])
    return len(rows)


async def _plan(tx: Tx, row: Any) -> None:
    title, words, rule, settings, problem = read(row["document"], row["node_id"])
    same = row["rule"] is not None and msgspec.json.decode(row["rule"]) == rule
    next_at: datetime | None = None
    cursor: int | None = None
    since: datetime | None = None
    begins_at: datetime | None = None
    if row["kind"] == "schedule" and settings is not None:
        try:
            kept = row["next_at"] if same else None
            next_at = kept or calendar.upcoming(settings.line, settings.zone, row["now"])[0]
        except calendar.NoSuchTime as never:
            problem = str(never)
    elif row["kind"] == "event":
        cursor = row["cursor"]
        if cursor is None:  # from the publication on, although nobody looked in that very moment
            cursor = await tx.fetchval(LAST_EVENT, row["workspace_id"], row["updated_at"]) or 0
    elif row["kind"] == "after":
        since = row["since"] or row["updated_at"]
        begins_at = row["begins_at"] or since
    await tx.execute(
        SAVE, row["id"], row["workspace_id"], row["version_id"], title, words, msgspec.json.encode(rule).decode(),
        next_at, cursor, since, begins_at, problem,
    )  # fmt: skip


def read(document: str | Flow, node_id: str) -> tuple[str, str, dict[str, Any], Any, str]:
    """(title, words, settings as stored, settings as the step has them or None, what is wrong) of a start step."""
    try:
        flow = document if isinstance(document, Flow) else load_flow(document)
    except BadDocument as problem:
        return "", "", {}, None, str(problem)
    use = next((node for node in flow.nodes if node.id == node_id), None)
    kind = catalogue.load().get(use.type) if use is not None else None
    if use is None or kind is None:
        return "", "", {}, None, "The step of this trigger is not in the published version."
    title = use.label or kind.title
    try:
        settings = msgspec.convert(use.settings, kind.settings)
        kind.ports(settings)
        expression(getattr(settings, "condition", ""))
    except (msgspec.ValidationError, NodeError) as problem:
        return title, "", dict(use.settings), None, str(problem)
    return title, kind.summary(settings), dict(use.settings), settings, ""


def stored_settings(kind: str, rule: str) -> Any:
    """The settings of a trigger's step out of its plan; None when they don't fit the step any more."""
    known = catalogue.load().get(f"start.{kind}")
    try:
        return msgspec.convert(msgspec.json.decode(rule), known.settings) if known is not None else None
    except msgspec.ValidationError:
        return None


FROM_NOW = """
update trigger_plan p set next_at = null,
    cursor = case when p.cursor is not null then coalesce(
        (select last from event_counter c where c.workspace_id = p.workspace_id), 0) end,
    since = case when p.since is not null then clock_timestamp() end,
    begins_at = case when p.begins_at is not null then clock_timestamp() end
 where p.trigger_id = $1
"""


async def from_now(tx: Tx, trigger_id: UUID) -> None:
    """Begin anew: what was planned, or happened and was not looked at, counts no more."""
    await tx.execute(FROM_NOW, trigger_id)
    await tx.execute("update trigger set planned = false where id = $1", trigger_id)
