"""Carrying matrices out: start a few cells, look at those that ended, judge them. A job of every worker.

All state is in the rows. A cell's run is started under the cell's own idempotency key, so a worker that dies between
starting it and noting that gets the same run again; a cell is judged once, when its row says it still runs.
"""

import asyncio
from typing import Any
from uuid import UUID

import msgspec

from app import events
from app.accounts.service.acting import acting_for
from app.checks.dataset_shapes import Variant
from app.checks.judging import short, shown
from app.checks.opinions import Opinions, asked_of
from app.checks.shapes import LEAST, Expectation, Verdict
from app.db import system_tx, tenant_tx
from app.errors import DomainError, NotFound, TooMany
from app.logs import logger
from app.runs import service as runs
from app.web import Actor
from flows.transport.protocol import Lane

log = logger(__name__)

IN_FLIGHT = 8
"""Runs of one matrix at the same time."""
LONGEST = 900
"""Seconds a run may take; then it is cancelled and counts as failed."""
LEASE = 120
"""Seconds a worker has for one round; then another may take over."""
LANE: Lane = "bulk"
"""Where runs stand that nobody waits for."""
LOW = -10
HOLE = "{{ expected }}"
_DUE = """
update experiment set leased_until = now() + make_interval(secs => $1)
 where id in (select id from experiment where status = 'running' and (leased_until is null or leased_until < now())
               order by leased_until nulls first limit 4 for update skip locked)
returning id, workspace_id, flow_id, created_by, trigger, expect::text as expect, variants::text as variants,
          most_micros
"""
_ENDED = """
select t.id, t.run_id, r.status, r.output::text as output, r.error::text as error, r.cost_micros, t.variant,
       row.input::text as input, row.expected::text as expected,
       extract(epoch from r.finished_at - coalesce(r.started_at, r.created_at)) * 1000 as ms,
       t.started_at < now() - make_interval(secs => $2) as late
  from experiment_trial t join dataset_row row on row.id = t.row_id left join run r on r.id = t.run_id
 where t.experiment_id = $1 and t.status = 'running'
"""


async def advance() -> int:
    """One round for a few matrices. Returns how many moved."""
    async with system_tx("due comparisons") as tx:
        due = await tx.fetch(_DUE, LEASE)
    moved = 0
    for row in due:
        again = 2.0
        try:
            moved += await _Round(row).run()
        except DomainError as problem:
            await _over(row, "stopped", str(problem))
        except Exception:
            log.exception("a comparison could not go on; it is tried again", experiment=str(row["id"]))
            again = 30.0
        async with system_tx("comparison looked at") as tx:
            await tx.execute(
                "update experiment set leased_until = now() + make_interval(secs => $2) where id = $1", row["id"], again
            )
    return moved


class _Round:
    def __init__(self, row: Any) -> None:
        self.row = row
        self.id: UUID = row["id"]
        self.workspace_id: UUID = row["workspace_id"]
        self.expect = msgspec.json.decode(row["expect"], type=list[Expectation])
        self.variants = msgspec.json.decode(row["variants"], type=list[Variant])

    async def run(self) -> int:
        actor = await acting_for(self.workspace_id, self.row["created_by"])
        async with tenant_tx(self.workspace_id) as tx:
            open_ = await tx.fetch(_ENDED, self.id, LONGEST)
        over = [cell for cell in open_ if cell["status"] in ("succeeded", "failed", "cancelled", None) or cell["late"]]
        if over:
            async with asked_of(actor, self.row["flow_id"], [self.expect]) as opinions:
                await asyncio.gather(*(self._ended(actor, cell, opinions) for cell in over))
        spent = await self._spent()
        if self.row["most_micros"] and spent >= self.row["most_micros"]:
            said = f"The most it may cost, ${self.row['most_micros'] / 1e6:,.2f}, was reached."
            await _over(self.row, "stopped", said)
            return 1
        begun = await self._begin(actor, IN_FLIGHT - (len(open_) - len(over)))
        if not begun and len(open_) == len(over) and not await self._left():
            await _over(self.row, "done", "")
        if begun or over:
            async with tenant_tx(self.workspace_id) as tx:
                await _tell(tx, self.row)
        return int(bool(begun or over))

    async def _begin(self, actor: Actor, room: int) -> int:
        async with tenant_tx(self.workspace_id) as tx:
            cells = await tx.fetch(
                """select t.id, t.variant, r.input::text as input from experiment_trial t
                     join dataset_row r on r.id = t.row_id join experiment e on e.id = t.experiment_id
                    where t.experiment_id = $1 and t.status = 'queued' and e.status = 'running'
                    order by t.place, t.variant limit $2""",
                self.id,
                max(0, room),
            )
        begun = 0
        for cell in cells:
            try:
                run_id = await runs.start(
                    actor,
                    self.variants[cell["variant"]].version_id,
                    msgspec.json.decode(cell["input"]),
                    trigger=self.row["trigger"] or "api",
                    idempotency_key=f"trial-{cell['id']}",
                    draft=True,
                    lane=LANE,
                    priority=LOW,
                )
            except TooMany:
                break  # the queue is full: the next round tries again
            except NotFound:
                raise
            except DomainError as problem:
                await self._note(cell["id"], passed=False, score=0.0, error=str(problem), only="queued")
            else:
                async with tenant_tx(self.workspace_id) as tx:
                    noted = await tx.fetchval(
                        "update experiment_trial set status = 'running', run_id = $2, started_at = now()"
                        " where id = $1 and status = 'queued' returning 1",
                        cell["id"],
                        run_id,
                    )
                if noted is None:  # cancelled at this moment
                    await runs.cancel_all(actor, [run_id])
            begun += 1
        return begun

    async def _ended(self, actor: Actor, cell: Any, opinions: Opinions) -> None:
        if cell["status"] is None:
            await self._note(cell["id"], passed=False, score=0.0, error="The run was deleted.")
            return
        if cell["status"] not in ("succeeded", "failed", "cancelled"):
            await runs.cancel_all(actor, [cell["run_id"]])
            await self._note(cell["id"], passed=False, score=0.0, error=f"It took longer than {LONGEST // 60} minutes.")
            return
        ms, cost = float(cell["ms"] or 0), cell["cost_micros"]
        if cell["status"] != "succeeded":
            fault = msgspec.json.decode(cell["error"]) if cell["error"] else {}
            why = f"The run {cell['status']}: {fault.get('message', '')}".rstrip(": ")
            await self._note(cell["id"], passed=False, score=0.0, error=why, ms=ms, cost=cost)
            return
        async with tenant_tx(self.workspace_id) as tx:
            output = await runs.whole_output(tx, cell["run_id"], cell["output"])
        expected = msgspec.json.decode(cell["expected"]) if cell["expected"] is not None else None
        verdicts = await opinions.judged(meant(self.expect, expected), output, msgspec.json.decode(cell["input"]))
        cost += sum(verdict.cost_micros for verdict in verdicts)
        passed = all(verdict.passed for verdict in verdicts)
        text = shown(output.get("text") or output) if isinstance(output, dict) else shown(output)
        await self._note(
            cell["id"], passed=passed, score=score_of(verdicts), verdicts=verdicts, ms=ms, cost=cost, output=text
        )

    async def _note(
        self,
        trial_id: UUID,
        *,
        passed: bool,
        score: float,
        error: str = "",
        verdicts: list[Verdict] | None = None,
        ms: float = 0.0,
        cost: int = 0,
        output: str = "",
        only: str = "running",
    ) -> None:
        async with tenant_tx(self.workspace_id) as tx:
            await tx.execute(
                """update experiment_trial set status = 'done', passed = $3, score = $4, error = $5, verdicts = $6,
                          ms = $7, cost_micros = $8, output = $9 where id = $1 and status = $2""",
                trial_id,
                only,
                passed,
                score,
                error[:2_000].replace("\0", ""),
                msgspec.json.encode(verdicts or []).decode().replace("\\u0000", ""),
                ms,
                cost,
                short(output, 2_000).replace("\0", ""),
            )

    async def _spent(self) -> int:
        async with tenant_tx(self.workspace_id) as tx:
            return int(
                await tx.fetchval(
                    "select coalesce(sum(cost_micros), 0) from experiment_trial where experiment_id = $1", self.id
                )
            )

    async def _left(self) -> bool:
        async with tenant_tx(self.workspace_id) as tx:
            return bool(
                await tx.fetchval(
                    "select exists (select from experiment_trial where experiment_id = $1"
                    " and status in ('queued', 'running'))",
                    self.id,
                )
            )


def meant(expect: list[Expectation], expected: Any) -> list[Expectation]:
    """The expectations of one row: {{ expected }} is the row's. One that needs it is left out where there is none."""
    found = []
    for each in expect:
        if HOLE not in each.value:
            found.append(each)
        elif expected is not None:
            found.append(msgspec.structs.replace(each, value=each.value.replace(HOLE, shown(expected))[:100_000]))
    return found


def score_of(verdicts: list[Verdict]) -> float:
    """0 to 1: the mean over the expectations; one without a score counts as 0 or 1. 1 where nothing was expected."""
    if not verdicts:
        return 1.0
    scores = [(verdict.score or 0.0) if verdict.kind in LEAST else float(verdict.passed) for verdict in verdicts]
    return max(0.0, min(1.0, sum(scores) / len(scores)))


async def _over(row: Any, status: str, said: str) -> None:
    async with tenant_tx(row["workspace_id"]) as tx:
        done = await tx.fetchval(
            "update experiment set status = $2, said = $3, finished_at = now() where id = $1 and status = 'running'"
            " returning 1",
            row["id"],
            status,
            said[:500],
        )
        if done is not None:
            cut = await tx.fetch(
                "update experiment_trial set status = 'cancelled' where experiment_id = $1"
                " and status in ('queued', 'running') returning run_id",
                row["id"],
            )
            await _tell(tx, row)
    for cell in cut if done is not None else ():
        if cell["run_id"] is not None:
            await runs.cancel(row["workspace_id"], cell["run_id"])


async def _tell(tx: Any, row: Any) -> None:
    told = {"experiment": str(row["id"])}
    await events.publish(tx, row["workspace_id"], f"flow:{row['flow_id']}", "experiment.changed", told)
