"""The tests of a flow are run against its draft, and each keeps its result."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from app.checks import queries
from app.checks.opinions import Opinions, asked_of
from app.checks.service.telling import tell, text
from app.checks.shapes import CaseView, Result, Verdict
from app.db import Tx, tenant_tx
from app.errors import DomainError, NotFound, Refused
from app.runs import service as rehearsal
from app.studio import queries as studio
from app.web import Actor
from flows.model import Flow

AT_ONCE = 4
LONGEST = 300.0
"""Seconds all tests of a flow may take together."""
KEPT = 20
"""Results kept of each test."""
_under_way: set["asyncio.Task[list[tuple[CaseView, Result]]]"] = set()


async def run(
    actor: Actor, flow_id: UUID, only: Sequence[UUID] = (), suites: Collection[UUID] = ()
) -> list[tuple[CaseView, Result]]:
    """Run the tests of the draft, four at a time, at most five minutes; each ends with a result that is kept.

    `only`: these; `suites`: those of these suites, each once. It goes on when whoever asked for it leaves. Raises
    NotFound.
    """
    rehearsal.may_run(actor)
    task = asyncio.create_task(run_against(actor, flow_id, (await studio.draft(actor, flow_id))[0], only, suites))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


async def run_against(
    actor: Actor, flow_id: UUID, document: Flow, only: Sequence[UUID] = (), suites: Collection[UUID] = ()
) -> list[tuple[CaseView, Result]]:
    """The same for a document, which is frozen as a draft version first."""
    there = await queries.suite(actor, flow_id)
    cases = there.cases
    if suites:
        chosen = [each for each in there.suites if each.id in suites]
        if len(chosen) < len(set(suites)):
            raise NotFound(queries.NO_SUITE)
        meant = {id for each in chosen for id in each.cases}
        cases = [case for case in cases if case.id in meant]
    if only:
        cases = [case for case in cases if case.id in only]
        if not cases:
            raise NotFound(queries.GONE)
    if not cases:
        return []
    async with tenant_tx(actor.workspace_id) as tx:
        version_id = await rehearsal.save_version(
            tx, actor.workspace_id, flow_id, document, "", actor.user_id, kind="draft"
        )
        rows = [await _begun(tx, actor, case, version_id) for case in cases]
    gate, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()
    until = loop.time() + LONGEST
    async with asked_of(actor, flow_id, [case.case.expect for case in cases]) as opinions:

        async def one(case: CaseView, row: UUID) -> tuple[CaseView, Result]:
            async with gate:
                return case, await _one(actor, flow_id, case, row, version_id, document, until - loop.time(), opinions)

        return list(await asyncio.gather(*(one(case, row) for case, row in zip(cases, rows, strict=True))))


async def _one(
    actor: Actor,
    flow_id: UUID,
    case: CaseView,
    row: UUID,
    version_id: UUID,
    document: Flow,
    seconds: float,
    opinions: Opinions,
) -> Result:
    began = asyncio.get_running_loop().time()
    run_id, error, verdicts, cost = None, "", list[Verdict](), 0
    try:
        if seconds <= 0:
            raise Refused("There was no time left for it: the tests of a flow may take five minutes together.")
        outcome = await rehearsal.rehearse(
            actor.workspace_id,
            version_id,
            document,
            case.case.input,
            case.case.answers,
            trigger=case.case.trigger,
            by=actor.user_id,
            patience=min(60.0, seconds),
        )
        run_id = outcome.run_id
        if outcome.status == "succeeded":
            verdicts = await opinions.judged(case.case.expect, outcome.output, case.case.input)
        else:
            error = f"The run {outcome.status}: {outcome.error}"
    except DomainError as problem:
        error = str(problem)
    ms = (asyncio.get_running_loop().time() - began) * 1000
    passed = not error and all(verdict.passed for verdict in verdicts)
    async with tenant_tx(actor.workspace_id) as tx:
        if run_id is not None:
            cost = await tx.fetchval("select cost_micros from run where id = $1", run_id) or 0
        cost += sum(verdict.cost_micros for verdict in verdicts)
        at = await tx.fetchval(
            """update check_result set passed = $2, error = $3, verdicts = $4, ms = $5, cost_micros = $6, run_id = $7,
                      finished_at = clock_timestamp() where id = $1 returning started_at""",
            row,
            passed,
            error,
            text(verdicts),
            ms,
            cost,
            run_id,
        )
        await tell(tx, actor, flow_id, "check.ended", case.id)
    return Result("passed" if passed else "failed", at, error, verdicts, ms, cost, run_id)


async def _begun(tx: Tx, actor: Actor, case: CaseView, version_id: UUID) -> UUID:
    row = await tx.fetchval(
        "insert into check_result (workspace_id, case_id, version_id) values ($1, $2, $3) returning id",
        actor.workspace_id,
        case.id,
        version_id,
    )
    await tx.execute(
        """delete from check_result where case_id = $1 and id not in (
               select id from check_result where case_id = $1 order by started_at desc limit $2)""",
        case.id,
        KEPT,
    )
    await tell(tx, actor, case.flow_id, "check.started", case.id)
    return UUID(str(row))
