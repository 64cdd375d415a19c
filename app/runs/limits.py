# ruff: noqa: E501 -- SQL keeps its own shape
"""How many runs of a flow may be under way at once, in all and for each key of their input, and in which lane they queue
(docs/operate/queue.md).

A setting of the flow, not of a version: a limit protects something outside (a service, a machine), so it holds at once,
also for runs that are queued already, and without publishing.
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import events
from app.db import Pool, Tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.runs.variables import in_force
from app.web import Actor
from flows.expressions.programs import ADD_ONE, ExpressionError, expression, written
from flows.keys import line_of
from flows.sdk.holes import VARS, vars_in

FRESH = 2.0
"""Seconds after which a process has heard of a limit that another one set."""
MOST = 10_000
MOST_KEY = 500

OF = "select running, key, per_key, bulk from flow_limit where flow_id = $1"
SET = """
insert into flow_limit (flow_id, workspace_id, running, key, per_key, bulk) values ($1, $2, $3, $4, $5, $6)
on conflict (flow_id) do update set running = excluded.running, key = excluded.key, per_key = excluded.per_key, bulk = excluded.bulk
"""
TO_LANE = """
update run set lane = case when $2 then 'bulk' else 'normal' end
 where flow_id = $1 and lane = case when $2 then 'normal' else 'bulk' end and status in ('queued', 'running', 'waiting')
"""
"""Also for what is queued already. Somebody who waits (interactive) and quarantine stay where they are."""
LINE_UP = "update run set line = $1::uuid::text where flow_id = $1 and line = '' and status in ('queued', 'running', 'waiting')"
NAME = """
select coalesce((select document->>'name' from flow_version where flow_id = $1 order by created_at desc limit 1),
                (select name from flow where id = $1))
"""
"""Limits may be set before the first run: of a flow that is only drawn, its own name."""
NOW = """
select (select count(*) from run where flow_id = $1 and status = 'running') as running,
       (select jsonb_object_agg(lane, n) from (
           select lane, count(*) as n from (select lane from run where flow_id = $1 and status = 'queued' limit 10001) q group by lane) l) as queued,
       (select count(*) from run where status = 'running' and workspace_id = $2) as all_running,
       coalesce((select running from run_quota where workspace_id = $2), 50) as all_most
"""
WAITS = """
select coalesce((select running from run_quota where workspace_id = $1), 50) as all_most,
       (select count(*) from run where status = 'running' and workspace_id = $1) as all_now,
       f.running as flow_most,
       (select count(*) from run where status = 'running' and workspace_id = $1 and line >= $2::uuid::text and line < $2::uuid::text || '0') as flow_now,
       case when $3 <> $2::uuid::text then f.per_key end as key_most,
       (select count(*) from run where status = 'running' and workspace_id = $1 and line = $3) as key_now
  from (select 1) one left join flow_limit f on f.flow_id = $2
"""


class Limits(Struct, frozen=True):
    """`running`: runs of the flow at once, None = as many as the workspace may have. `key`: CEL over `input` and
    `vars`, "" = none.

    `per_key`: runs at once for each value of the key; None without a key. `bulk`: runs that nobody waits for queue behind
    all others.
    """

    running: int | None = None
    key: str = ""
    per_key: int | None = None
    bulk: bool = False


class Now(Struct, frozen=True):
    """Runs at this moment. `running`: of the flow; `queued`: by lane; `all_running`, `all_most`: of the workspace."""

    running: int
    queued: dict[str, int]
    all_running: int
    all_most: int

    @property
    def waiting(self) -> int:
        return sum(self.queued.values())


class FlowLimits(Struct, frozen=True):
    """As they are shown. `flow`: its name."""

    flow_id: UUID
    flow: str
    limits: Limits
    now: Now


class Limited:
    """The flows with limits, as this process heard of them at most FRESH ago: they never take the express lane."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._flows: frozenset[UUID] = frozenset()
        self._until = 0.0

    async def has(self, flow_id: UUID) -> bool:
        if monotonic() >= self._until:
            self._until = monotonic() + FRESH  # before the query: one caller asks, the others go on with what was known
            rows = await self._pool.fetch("select flow_id from flow_limit where coalesce(running, per_key) is not null")
            self._flows = frozenset(row["flow_id"] for row in rows)
        return flow_id in self._flows

    def forget(self) -> None:
        self._until = 0.0


async def of(actor: Actor, flow_id: UUID) -> FlowLimits:
    """3 statements. Raises NotFound for a flow that this workspace has not; one that is only drawn has its limits, too."""
    async with tenant_tx(actor.workspace_id) as tx:
        name = await tx.fetchval(NAME, flow_id)
        row = await tx.fetchrow(OF, flow_id)
        now = await tx.fetchrow(NOW, flow_id, actor.workspace_id)
    if name is None:
        raise NotFound("This flow does not exist.", remedy="Look for it in the list of flows.")
    queued = msgspec.json.decode(now["queued"]) if now["queued"] else {}
    at = Now(now["running"], queued, now["all_running"], now["all_most"])
    return FlowLimits(flow_id, name or "Unnamed flow", _read(row), at)


async def save(actor: Actor, flow_id: UUID, limits: Limits) -> FlowLimits:
    """Set them; they hold at once, also for what is queued. Runs queued before have no key.

    Raises NotAllowed for who may only look, NotFound as `of`, Refused for a number or a key that can't be.
    """
    if not actor.can_edit:
        raise NotAllowed("You can look at limits, not change them.", remedy="Ask an owner to make you an editor.")
    checked = _checked(limits)
    before = await of(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        await known_in_key(tx, checked.key, actor.workspace_id, None)
        if checked == Limits():
            await tx.execute("delete from flow_limit where flow_id = $1", flow_id)
        else:
            await tx.execute(
                SET, flow_id, actor.workspace_id, checked.running, checked.key, checked.per_key, checked.bulk
            )
            if checked.running or checked.per_key:
                await tx.execute(LINE_UP, flow_id)
        await tx.execute(TO_LANE, flow_id, checked.bulk)
        told = {"flow": str(flow_id), "by": actor.name, **msgspec.to_builtins(checked)}
        await events.publish(tx, actor.workspace_id, "workspace", "flow.limited", told)
    return FlowLimits(flow_id, before.flow, checked, before.now)


async def queue_of(
    tx: Tx, workspace_id: UUID, flow_id: UUID, environment_id: UUID | None, input: str
) -> tuple[str, bool]:
    """Where a run with this input (JSON text) queues: its line, and whether the flow's lane is bulk. 1 statement, 2 with
    a key that reads variables: those in force in the run's environment.
    """
    row = await tx.fetchrow(OF, flow_id)
    if row is None:
        return "", False
    if row["running"] is None and row["per_key"] is None:
        return "", row["bulk"]
    known = await in_force(tx, workspace_id, environment_id) if vars_in(row["key"]) else None
    key = key_of(row["key"], input, known.vars if known is not None else None) if row["key"] else ""
    return line_of(flow_id, key), row["bulk"]


async def waits(tx: Tx, workspace_id: UUID, flow_id: UUID, line: str, lane: str = "normal") -> str:
    """Why a queued run has not begun; "" when only its turn has not come. 1 statement."""
    row = await tx.fetchrow(WAITS, workspace_id, flow_id, line)
    room = max(row["all_most"] // 2, 1)
    if lane == "bulk" and row["all_now"] >= room:
        return f"it is bulk, and begins when fewer than {room} runs of this workspace are under way."
    for what in ("key", "flow", "all"):
        most, now = row[f"{what}_most"], row[f"{what}_now"]
        if most is not None and now >= most:
            return _under_way(what, now, most)
    return ""


def _under_way(what: str, now: int, most: int) -> str:
    if most == 1:
        return {
            "key": f"{now} of 1 run of this flow for the same key {'is' if now == 1 else 'are'} under way.",
            "flow": f"{now} of 1 run of this flow {'is' if now == 1 else 'are'} under way.",
            "all": f"{now} of 1 run of this workspace {'is' if now == 1 else 'are'} under way.",
        }[what]
    return {
        "key": f"{now} of {most} runs of this flow for the same key {'is' if now == 1 else 'are'} under way.",
        "flow": f"{now} of {most} runs of this flow {'is' if now == 1 else 'are'} under way.",
        "all": f"{now} of {most} runs of this workspace {'is' if now == 1 else 'are'} under way.",
    }[what]


def key_of(source: str, input: str, vars: Mapping[str, Any] | None = None) -> str:
    """The key as text; "" for an input that has none: such a run counts for the flow's own limit only. `vars`: the
    workspace's variables; None: there are none, or the key reads none.
    """
    try:
        value = expression(source)({"input": msgspec.json.decode(input), **({VARS: vars} if vars is not None else {})})
    except ExpressionError:
        return ""
    return "" if value is None else written(value)


async def known_in_key(tx: Tx, key: str, workspace_id: UUID, environment_id: UUID | None) -> None:
    """A key that reads a variable which is not there would be none. Raises Refused(field="key"). 0 or 1 statements."""
    names = [name for name in vars_in(key) if name]
    if not names:
        return
    found = await in_force(tx, workspace_id, environment_id)
    missing = [name for name in names if found is None or name not in found.vars]
    if missing:
        raise Refused(f"There is no variable '{missing[0]}' here.", remedy=ADD_ONE, field="key")


def _read(row: Any) -> Limits:
    return Limits() if row is None else Limits(row["running"], row["key"], row["per_key"], row["bulk"])


def _checked(limits: Limits) -> Limits:
    key = limits.key.strip()
    for name, number in (("running", limits.running), ("per_key", limits.per_key)):
        if number is not None and not 1 <= number <= MOST:
            raise Refused(f"From 1 to {MOST:,} runs at once.", remedy="Leave it empty for no limit.", field=name)
    if len(key) > MOST_KEY:
        raise Refused(f"A key has at most {MOST_KEY} characters.", field="key")
    if bool(key) != (limits.per_key is not None):
        missing = "per_key" if key else "key"
        raise Refused("A key and its number of runs belong together.", remedy="Fill in both or none.", field=missing)
    try:
        expression(key)
    except ExpressionError as error:
        raise Refused(str(error), field="key") from None
    return Limits(limits.running, key, limits.per_key, limits.bulk)
