"""Going on with a run of a draft that pauses before a step (docs/flow-semantics.md, 110 to 117).

The values a person gives are checked here, before anything is stored, and lie on the step's own row: a worker that dies
right after finds them there.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service
from app.runs.fields import Field
from app.runs.forms import GoOnForm
from app.runs.ports import Typed, fields_for, ports_of
from app.runs.redacting import redacted, restored
from app.runs.running import host
from app.web import Actor
from flows.breaks import BREAK, Breaks, How, Verdict
from flows.ledger import postgres_verbs as verbs
from flows.resuming import edited
from flows.sdk.context import Wait
from flows.sdk.errors import NodeError

PAUSED = """
select n.node_id, n.iter_path, n.wait, n.edits, r.version_id, r.breaks
  from run r left join node_exec n on n.run_id = r.id and n.status = 'waiting' and n.wait->>'signal' = $2
       and r.status in ('queued', 'running', 'waiting') and not exists (
           select from run_signal g where g.run_id = r.id and g.name = $2 and g.step = n.node_id
               || case when n.iter_path = '' then '' else ':' || n.iter_path end)
 where r.id = $1 order by n.started_at, n.node_id, n.iter_path
"""
"""Without steps that somebody went on with a moment ago: their worker only has not noticed yet."""
KEEP = "update node_exec set edits = $4::json where run_id = $1 and node_id = $2 and iter_path = $3"
FROM_NOW_ON = "update run set breaks = $2::json where id = $1"


class Pause(Struct, frozen=True):
    """A step before which a run pauses. `inputs`: what would go in, without secrets. `ports`: what may be put in.

    `error`: why a value does not fit. `iter`: the round, "" outside of containers.
    """

    node: str
    iter: str
    inputs: dict[str, Any]
    ports: list[Typed]
    error: str = ""

    @property
    def fields(self) -> list[Field]:
        """For a form with what would go in."""
        return fields_for(self.ports, self.inputs)

    @property
    def step(self) -> str:
        return f"{self.node}:{self.iter}" if self.iter else self.node


async def pauses(actor: Actor, run_id: UUID) -> list[Pause]:
    """The steps before which this run pauses, the first one first. 1 statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await _paused(tx, run_id)
    waiting = [row for row in rows if row["node_id"] is not None]
    if not waiting:
        return []
    plan = (await service.mine(actor, waiting[0]["version_id"])).plan
    return [_pause(row, ports_of(plan.step(row["node_id"]))) for row in waiting]


async def pause_at(actor: Actor, run_id: UUID, node: str) -> Pause | None:
    """The pause before this step, of its rounds the first one that waits. 1 statement. Raises NotFound."""
    return next((each for each in await pauses(actor, run_id) if each.node == node), None)


async def go_on(actor: Actor, run_id: UUID, form: GoOnForm, *, at: Mapping[str, How] | None = None) -> None:
    """End the pause before a step. `at`: the breakpoints there are by now, None = those the run has.

    Raises NotFound, Conflict when the run does not pause there (any more), and Refused naming the port when a value
    does not fit.
    """
    service.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await _paused(tx, run_id, lock=True)
        node, _, iter = form.step.partition(":")
        row = next((row for row in rows if (row["node_id"], row["iter_path"]) == (node, iter)), None)
        if row is None:
            raise Conflict("The run does not pause before this step any more.", remedy="Reload the page.")
        edits = await _fitting(actor, row, form.edits) if form.how != "skip" else {}
        if edits:
            text = service.input_text(_loads(row["edits"], {}) | edits)
            await tx.execute(KEEP, run_id, node, iter, text)
        breaks = _from_now_on(rows, form.how, at)
        await tx.execute(FROM_NOW_ON, run_id, msgspec.json.encode(breaks).decode())
        verdict = Verdict("skip" if form.how == "skip" else "go", edits, breaks)
        lanes = [await _tell(tx, actor, run_id, form.step, verdict)]
        if form.how == "end":
            others = [_pause(other, []).step for other in rows if other is not row and other["node_id"]]
            lanes += [await _tell(tx, actor, run_id, step, Verdict(breaks=breaks)) for step in others]
    if lane := next((lane for lane in lanes if lane is not None), None):
        await host().nudge(lane)


async def _paused(tx: Tx, run_id: UUID, *, lock: bool = False) -> list[Any]:
    if lock:
        await tx.execute("select from run where id = $1 for update", run_id)
    rows = list(await tx.fetch(PAUSED, run_id, BREAK))
    if not rows:
        raise NotFound(service.GONE)
    return rows


async def _fitting(actor: Actor, row: Any, edits: dict[str, Any]) -> dict[str, Any]:
    """What was really changed, with hidden secrets put back. Raises Refused."""
    before = _shown(row)
    changed = {
        port: value for port, value in restored(edits, before).items() if before.get(port, msgspec.UNSET) != value
    }
    if not changed:
        return {}
    step = (await service.mine(actor, row["version_id"])).plan.step(row["node_id"])
    try:
        edited(step, changed)
    except NodeError as misfit:
        raise Refused(misfit.message, remedy="Change it, then go on.", field=misfit.field or "edits") from None
    return changed


def _from_now_on(rows: Iterable[Any], how: str, at: Mapping[str, How] | None) -> Breaks:
    rows = list(rows)
    before = msgspec.json.decode(rows[0]["breaks"], type=Breaks) if rows[0]["breaks"] else Breaks()
    hit = tuple(sorted({*before.hit, *(row["node_id"] for row in rows if row["node_id"])}))
    if how == "end":
        return structs.replace(before, at={}, every=False, hit=hit)
    return structs.replace(before, at=dict(before.at if at is None else at), every=how == "step", hit=hit)


async def _tell(tx: Tx, actor: Actor, run_id: UUID, step: str, verdict: Verdict) -> Any:
    try:
        return await verbs.signal_run(
            tx,
            run_id,
            BREAK,
            msgspec.json.encode(verdict).decode(),
            by=actor.user_id,
            sender=actor.name,
            dedupe_key=step,
            step=step,
        )
    except LookupError:
        raise Conflict("This run has ended.", remedy="Reload the page.") from None


def _shown(row: Any) -> dict[str, Any]:
    wait = msgspec.json.decode(row["wait"], type=Wait)
    data = wait.data if isinstance(wait.data, dict) else {}
    inputs = data.get("inputs")
    return dict(inputs) if isinstance(inputs, dict) else {}


def _pause(row: Any, ports: list[Typed]) -> Pause:
    data = msgspec.json.decode(row["wait"], type=Wait).data
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    return Pause(row["node_id"], row["iter_path"], redacted(_shown(row)), ports, redacted(error))


def _loads(text: str | None, otherwise: Any) -> Any:
    return otherwise if text is None else msgspec.json.decode(text)
