"""Outputs that a try of a draft takes from its author instead of calling the step: on record before it begins; and the
steps before which it pauses.

To the engine they are steps that ended before the run was taken up (rule 63). Only runs of drafts are given any.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.db import Tx, tenant_tx
from app.errors import TooMany
from app.runs import limits, service
from app.runs.running import host
from app.web import Actor
from flows.breaks import Breaks
from flows.ledger import postgres_verbs as verbs

TAKEN_UP = "update run set epoch = 1, breaks = $2::json where id = $1::uuid"
"""Its first claim is the second, so the worker reads the record instead of taking the run for a new one."""
GIVE = """
insert into node_exec (run_id, node_id, iter_path, workspace_id, status, attempt, epoch, effect_class, idem_key,
                       output, handled, ms, started_at, finished_at, taken_over)
select $1::uuid, p.node, '', $2, 'succeeded', 0, 0, 'pure', $1::uuid::text || ':' || p.node,
       p.output::json, false, 0, now() + row_number() over () * interval '1 microsecond', now(), true
  from unnest($3::text[], $4::text[]) as p (node, output)
"""


def stored(breaks: Breaks | None) -> str | None:
    """As `run.breaks` has it."""
    return None if breaks is None else msgspec.json.encode(breaks).decode()


async def give(tx: Tx, workspace_id: UUID, run_id: UUID, given: Mapping[str, str]) -> None:
    """Put these outputs (step of the flow's own level -> JSON text) on record of a run that has not begun yet."""
    if given:
        await tx.execute(GIVE, run_id, workspace_id, list(given), list(given.values()))


async def begin(
    actor: Actor,
    version_id: UUID,
    input: Any,
    given: Mapping[str, str],
    *,
    afresh: bool = False,
    breaks: Breaks | None = None,
) -> UUID:
    """Start a try in which these steps are not called. `breaks`: where it pauses.

    Raises what `service.start` raises.
    """
    service.may_run(actor)
    ready = await service.mine(actor, version_id)
    text = service.input_text(input)
    async with tenant_tx(actor.workspace_id) as tx:
        new = verbs.NewRun(
            workspace_id=actor.workspace_id,
            flow_id=ready.flow_id,
            version_id=version_id,
            input=text,
            trigger="editor",
            lane="interactive",
            started_by=actor.user_id,
            draft=True,
            deadline=service.DEADLINE,
            afresh=afresh,
            line=(await limits.queue_of(tx, *ready.place, text))[0],
            variables_id=await service.variables_id(tx, ready),
        )
        try:
            started = await verbs.start_run(tx, new)
        except verbs.QueueFull:
            raise TooMany("Too many runs of this workspace are waiting.", retry_after=30) from None
        await tx.execute(TAKEN_UP, started.id, stored(breaks))
        await give(tx, actor.workspace_id, started.id, given)
    await host().nudge("interactive")
    return UUID(str(started.id))
