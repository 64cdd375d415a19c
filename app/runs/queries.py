# ruff: noqa: E501 -- SQL keeps its own shape
"""What other domains and pages read of runs and versions. Each says how many SQL statements it takes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.runs import limits, values
from app.runs import versions as stored
from app.runs.breaking import Pause, pause_at, pauses
from app.runs.fields import Field
from app.runs.glance import NEEDS_YOU, Glance, Waiting, Week, latest, waiting, week
from app.runs.live import LiveFlow, live_document, live_flows
from app.runs.ports import Typed, fields_for, typed_ports
from app.runs.reading import run_view
from app.runs.redacting import redacted
from app.runs.remedies import Remedy
from app.runs.retention import KEEP_DAYS
from app.runs.rollout_figures import Verdict, verdicts
from app.runs.rollouts import Rollout, rollout_of
from app.runs.service import GONE
from app.runs.shapes import RunView, StepView
from app.runs.stages import Stage, stages_of
from app.runs.tried import Said, Talk, Tried, input_again, last_try, said, talks
from app.runs.versions import VersionView, token
from app.web import Actor
from flows.model import Flow

RUN = f"""
select r.*, r.cancel_requested_at is not null as cancel, {NEEDS_YOU} as needs_you, v.document, v.number,
       v.document->>'name' as flow, coalesce(u.name, u.email, '') as by, e.name as environment,
       (select json_agg(json_build_object('good', g.good, 'note', g.note, 'user_id', g.user_id, 'at', g.created_at,
                                          'by', coalesce(p.name, p.email, '')) order by g.created_at)
          from run_rating g left join user_account p on p.id = g.user_id where g.run_id = r.id)::text as ratings,
       extract(epoch from coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at)) * 1000 as ms,
       case when r.status in ('succeeded', 'failed', 'cancelled') then r.finished_at + make_interval(days => coalesce(
           (select k.days from run_keeping k where k.workspace_id = r.workspace_id), {KEEP_DAYS})) end as kept_until
  from run r join flow_version v on v.id = r.version_id left join user_account u on u.id = r.started_by
  left join environment e on e.id = v.environment_id
 where r.id = $1
"""  # noqa: S608 -- a constant

STEPS = """
select n.*, greatest(extract(epoch from n.started_at - coalesce(r.started_at, r.created_at)) * 1000, 0) as began,
       case when n.status in ('started', 'waiting', 'backoff') then extract(epoch from clock_timestamp() - n.started_at) * 1000
            else n.ms end as took
  from node_exec n join run r on r.id = n.run_id where n.run_id = $1 order by n.started_at, n.node_id, n.iter_path limit 2000
"""

TRIES = """
select a.*, greatest(extract(epoch from a.started_at - coalesce(r.started_at, r.created_at)) * 1000, 0) as began,
       w.heartbeat_at, w.stopped_at
  from node_attempt a join run r on r.id = a.run_id left join worker w on w.id = a.worker where a.run_id = $1 order by a.seq limit 5000
"""

LOGS = "select payload from run_event where run_id = $1 and type = 'step.log' order by seq limit 4000"


class Place(Struct, frozen=True):
    """Where a run belongs."""

    id: UUID
    flow_id: UUID
    version_id: UUID


class Webhook(Struct, frozen=True):
    """An address that starts a flow. `path` goes behind the dashboard's address."""

    node: str
    path: str
    enabled: bool


async def run(actor: Actor, run_id: UUID) -> RunView:
    """A run with steps, tries and logs. 4 statements, 5 while it is queued, 1 for an express run. Raises NotFound."""
    return (await opened(actor, run_id))[0]


async def whole_run(actor: Actor, run_id: UUID) -> RunView:
    """The same with large values in their place, for who goes on working with them. 1 statement more for each."""
    found = await run(actor, run_id)

    async def filled(value: Any) -> Any:
        return redacted(await values.whole(actor.workspace_id, run_id, value))

    steps = [
        msgspec.structs.replace(step, inputs=await filled(step.inputs), output=await filled(step.output))
        for step in found.steps
    ]
    return msgspec.structs.replace(found, output=await filled(found.output), steps=steps)


async def opened(actor: Actor, run_id: UUID) -> tuple[RunView, Flow]:
    """The same with the document it ran."""
    return await opened_in(actor.workspace_id, run_id)


async def opened_in(workspace_id: UUID, run_id: UUID) -> tuple[RunView, Flow]:
    """The same for who has a link to it, and no account."""
    async with tenant_tx(workspace_id) as tx:
        row = await tx.fetchrow(RUN, run_id)
        if row is None:
            raise NotFound(GONE, remedy="Look for it in the list of runs.")
        steps: list[Any] = []
        tries: list[Any] = []
        logs: list[Any] = []
        if row["steps"] is None:
            steps = list(await tx.fetch(STEPS, run_id))
            tries = list(await tx.fetch(TRIES, run_id))
            logs = list(await tx.fetch(LOGS, run_id))
        queued = row["status"] == "queued"
        waits = await limits.waits(tx, workspace_id, row["flow_id"], row["line"], row["lane"]) if queued else ""
    flow = stored.document_of(row["document"])
    view = run_view(row, flow, steps, tries, logs)
    return msgspec.structs.replace(view, waits=waits, kept_until=row["kept_until"]), flow


async def place(actor: Actor, run_id: UUID) -> Place:
    """1 statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select id, flow_id, version_id from run where id = $1", run_id)
    if row is None:
        raise NotFound(GONE, remedy="Look for it in the list of runs.")
    return Place(row["id"], row["flow_id"], row["version_id"])


async def of_flow(actor: Actor, run_id: UUID, flow_id: UUID) -> None:
    """Raises NotFound unless this run is one of this flow. 1 statement."""
    if (await place(actor, run_id)).flow_id != flow_id:
        raise NotFound(GONE, remedy="Look for it in the list of runs.")


async def flow_exists(actor: Actor, flow_id: UUID) -> None:
    """Raises NotFound for a flow that this workspace has not. One that is only drawn has no runs yet, but its page says
    so. 1 statement.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        if not await tx.fetchval(
            "select exists (select from flow_version where flow_id = $1) or exists (select from flow where id = $1)",
            flow_id,
        ):
            raise NotFound("This flow does not exist.", remedy="Look for it in the list of flows.")


async def needing(actor: Actor) -> int:
    """How many runs wait for a person. 1 statement."""
    return (await waiting(actor)).count


async def webhooks(actor: Actor, flow_id: UUID) -> list[Webhook]:
    """The addresses of a flow; they exist once it was published. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, node_id, token_round, enabled from trigger where flow_id = $1 and kind = 'webhook' and environment_id is null order by node_id",
            flow_id,
        )
    return [Webhook(row["node_id"], f"/hooks/{token(row['id'], row['token_round'])}", row["enabled"]) for row in rows]


async def versions(actor: Actor, flow_id: UUID) -> list[VersionView]:
    """The published versions of a flow, newest first, at most 100. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select v.*, coalesce(u.name, '') as by from flow_version v
               left join user_account u on u.id = v.created_by
               where v.flow_id = $1 and v.kind = 'published' order by v.number desc limit 100""",
            flow_id,
        )
    return [stored.view(row) for row in rows]


class Named(Struct, frozen=True):
    """A published version without its document."""

    id: UUID
    number: int
    name: str
    notes: str
    created_at: datetime
    by: str
    live_at: datetime | None = None

    @property
    def title(self) -> str:
        return f"Version {self.number}{f', {self.name}' if self.name else ''}"


async def named_versions(actor: Actor, flow_id: UUID) -> list[Named]:
    """The published versions of a flow, newest first, at most 200. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select v.id, v.number, v.name, v.notes, v.created_at, coalesce(nullif(u.name, ''), u.email, '') as by, v.live_at
                 from flow_version v left join user_account u on u.id = v.created_by
                where v.flow_id = $1 and v.kind = 'published' order by v.number desc limit 200""",
            flow_id,
        )
    return [Named(*row.values()) for row in rows]


async def version(actor: Actor, version_id: UUID) -> VersionView:
    """1 statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select v.*, '' as by from flow_version v where v.id = $1", version_id)
    if row is None:
        raise NotFound("This version does not exist.")
    return stored.view(row)


__all__ = [
    "Field",
    "Glance",
    "LiveFlow",
    "Named",
    "Pause",
    "Remedy",
    "Rollout",
    "RunView",
    "Said",
    "Stage",
    "StepView",
    "Talk",
    "Tried",
    "Typed",
    "Verdict",
    "VersionView",
    "Waiting",
    "Webhook",
    "Week",
    "fields_for",
    "input_again",
    "last_try",
    "latest",
    "live_document",
    "live_flows",
    "named_versions",
    "needing",
    "of_flow",
    "pause_at",
    "pauses",
    "redacted",
    "rollout_of",
    "run",
    "said",
    "stages_of",
    "talks",
    "typed_ports",
    "verdicts",
    "version",
    "versions",
    "waiting",
    "webhooks",
    "week",
    "whole_run",
]
