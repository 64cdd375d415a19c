"""What people do with tests. Every verb takes the actor first."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app import events
from app.checks import queries
from app.checks.forms import CaseForm
from app.checks.judging import part, shown
from app.checks.opinions import Opinions, asked_of
from app.checks.shapes import MOST_BYTES, MOST_CASES, Case, CaseView, Expectation, Result, Verdict
from app.db import Tx, tenant_tx
from app.errors import Conflict, DomainError, NotFound, Refused
from app.runs import queries as runs
from app.runs import service as rehearsal
from app.studio import queries as studio
from app.web import Actor
from flows.expressions import ExpressionError
from flows.model import Flow

AT_ONCE = 4
LONGEST = 300.0
"""Seconds all tests of a flow may take together."""
KEPT = 20
"""Results kept of each test."""
_under_way: set["asyncio.Task[list[tuple[CaseView, Result]]]"] = set()


async def save_run(
    actor: Actor,
    run_id: UUID,
    name: str = "",
    expect: list[Expectation] | UnsetType = UNSET,
    replace: UUID | None = None,
) -> tuple[UUID, UUID]:
    """Make a test of a run that ended well. Returns (flow, test). `expect` unset: exactly what came out then.

    `replace`: a test of the same flow that gets this run's input and answers and keeps the rest. Raises NotFound, and
    Conflict for a run that has not ended or did not end well.
    """
    rehearsal.may_run(actor)
    run = await runs.whole_run(actor, run_id)
    if run.live:
        raise Conflict("This run still goes on.", remedy="Save it as a test when it has ended.")
    if run.status != "succeeded":
        raise Conflict("This run did not end well.", remedy="Save a run that did what it should.")
    document = (await runs.version(actor, run.version_id)).document
    answers = rehearsal.recorded(run, document)
    if replace is not None:
        before = await queries.case(actor, run.flow_id, replace)
        case = Case(before.case.name, run.input, before.case.expect, answers, run.trigger)
        async with tenant_tx(actor.workspace_id) as tx:
            await _write(tx, replace, case)
            await tx.execute("update check_case set source_run = $2 where id = $1", replace, run_id)
            await _tell(tx, actor, run.flow_id, "check.changed", replace)
        return run.flow_id, replace
    wanted = suggested(run.output) if isinstance(expect, UnsetType) else expect
    case = Case(name.strip() or await _free_name(actor, run.flow_id), run.input, wanted, answers, run.trigger)
    return run.flow_id, await _insert(actor, run.flow_id, case, run_id)


def suggested(output: Any) -> list[Expectation]:
    """The strictest thing that can be expected: the same again."""
    try:
        return [Expectation("exact", shown(part(output, "")))]
    except ExpressionError:
        return []


async def put(actor: Actor, flow_id: UUID, cases: Sequence[Case]) -> list[UUID]:
    """Tests as a file has them: in the place of those of the same name, the others stay. Raises NotFound, Refused."""
    rehearsal.may_run(actor)
    there = {view.case.name: view.id for view in (await queries.suite(actor, flow_id)).cases}
    made = []
    for case in cases:
        if (id := there.get(case.name)) is not None:
            async with tenant_tx(actor.workspace_id) as tx:
                await _write(tx, id, case)
                await _tell(tx, actor, flow_id, "check.changed", id)
            made.append(id)
        else:
            made.append(await _insert(actor, flow_id, case, None))
    return made


async def change(actor: Actor, flow_id: UUID, case_id: UUID, form: CaseForm) -> None:
    """Another name, input, or other expectations. Raises NotFound and Refused."""
    rehearsal.may_run(actor)
    old = (await queries.case(actor, flow_id, case_id)).case
    new = Case(
        old.name if isinstance(form.name, UnsetType) else form.name,
        old.input if isinstance(form.input, UnsetType) else form.input,
        old.expect if isinstance(form.expect, UnsetType) else form.expect,
        old.answers,
        old.trigger,
    )
    async with tenant_tx(actor.workspace_id) as tx:
        await _write(tx, case_id, new)
        await _tell(tx, actor, flow_id, "check.changed", case_id)


async def remove(actor: Actor, flow_id: UUID, case_id: UUID) -> str:
    """Delete a test; `bring_back` undoes it. Returns its name. Raises NotFound."""
    return await _marked(actor, flow_id, case_id, "removed_at = now()", "removed_at is null")


async def bring_back(actor: Actor, flow_id: UUID, case_id: UUID) -> str:
    return await _marked(actor, flow_id, case_id, "removed_at = null", "removed_at is not null")


async def demand(actor: Actor, flow_id: UUID, required: bool) -> None:
    """Whether the flow's tests must pass before it is published. Raises NotFound."""
    rehearsal.may_run(actor)
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            """insert into check_rule (flow_id, workspace_id, required) values ($1, $2, $3)
               on conflict (flow_id) do update set required = excluded.required""",
            flow_id,
            actor.workspace_id,
            required,
        )
        await _tell(tx, actor, flow_id, "check.changed", None)


async def run(actor: Actor, flow_id: UUID, only: Sequence[UUID] = ()) -> list[tuple[CaseView, Result]]:
    """Run the tests of the draft, four at a time, at most five minutes; each ends with a result that is kept.

    It goes on when whoever asked for it leaves. Raises NotFound.
    """
    rehearsal.may_run(actor)
    task = asyncio.create_task(run_against(actor, flow_id, (await studio.draft(actor, flow_id))[0], only))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


async def run_against(
    actor: Actor, flow_id: UUID, document: Flow, only: Sequence[UUID] = ()
) -> list[tuple[CaseView, Result]]:
    """The same for a document, which is frozen as a draft version first."""
    cases = (await queries.suite(actor, flow_id)).cases
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
            _text(verdicts),
            ms,
            cost,
            run_id,
        )
        await _tell(tx, actor, flow_id, "check.ended", case.id)
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
    await _tell(tx, actor, case.flow_id, "check.started", case.id)
    return UUID(str(row))


async def _insert(actor: Actor, flow_id: UUID, case: Case, run_id: UUID | None) -> UUID:
    await studio.there(actor, flow_id)
    texts = _fitting(case)
    async with tenant_tx(actor.workspace_id) as tx:
        there = await tx.fetchval("select count(*) from check_case where flow_id = $1 and removed_at is null", flow_id)
        if there >= MOST_CASES:
            raise Refused(f"A flow has at most {MOST_CASES} tests.", remedy="Delete one that tells nothing new.")
        made = await tx.fetchval(
            """insert into check_case (workspace_id, flow_id, name, trigger, input, expect, answers, source_run,
                      created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id""",
            actor.workspace_id,
            flow_id,
            case.name,
            case.trigger,
            *texts,
            run_id,
            actor.user_id,
        )
        await _tell(tx, actor, flow_id, "check.changed", made)
    return UUID(str(made))


async def _write(tx: Tx, case_id: UUID, case: Case) -> None:
    await tx.execute(
        """update check_case set name = $2, trigger = $3, input = $4, expect = $5, answers = $6, updated_at = now()
            where id = $1""",
        case_id,
        case.name,
        case.trigger,
        *_fitting(case),
    )


def _fitting(case: Case) -> tuple[str, str, str]:
    """Input, expectations and answers as JSON text. Raises Refused when they are too large."""
    texts = (_text(case.input), _text(case.expect), _text(case.answers))
    if (size := sum(len(text.encode()) for text in texts)) > MOST_BYTES:
        raise Refused(
            f"This test has {size / 1e6:.1f} MB with its recorded answers; at most {MOST_BYTES / 1e6:.0f} MB are kept.",
            remedy="Save a run with a smaller input as the test.",
            code="test_too_large",
        )
    return texts


async def _free_name(actor: Actor, flow_id: UUID) -> str:
    taken = {view.case.name for view in (await queries.suite(actor, flow_id)).cases}
    return next(name for number in range(1, len(taken) + 2) if (name := f"Test {number}") not in taken)


async def _marked(actor: Actor, flow_id: UUID, case_id: UUID, change: str, where: str) -> str:
    rehearsal.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        name = await tx.fetchval(
            f"update check_case set {change} where id = $1 and flow_id = $2 and {where} returning name",  # noqa: S608 -- ours
            case_id,
            flow_id,
        )
        if name is None:
            raise NotFound(queries.GONE)
        await _tell(tx, actor, flow_id, "check.changed", case_id)
    return str(name)


async def _tell(tx: Tx, actor: Actor, flow_id: UUID, kind: str, case_id: UUID | None) -> None:
    told = {"flow": str(flow_id), "test": str(case_id) if case_id else "", "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", kind, told)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class FailedTest(Refused):
    """A draft was not published because of a test. `link`: the page that says what is different."""

    def __init__(self, flow_id: UUID, case: CaseView, result: Result, more: int) -> None:
        others = f" {more} more {'fails' if more == 1 else 'fail'}." if more else ""
        self.link = f"/flows/{flow_id}/tests/{case.id}"
        super().__init__(
            f"The test '{case.case.name}' fails: {result.why}{others}",
            remedy=f"Repair the flow or the test, then publish again: {self.link}",
            code="test_failed",
        )


class TestsGate:
    """For app/studio/gates.py: a flow that asks for it is published only when all its tests pass, as they are now."""

    async def may_publish(self, actor: Actor, flow_id: UUID, document: Flow) -> None:
        if not await queries.required(actor, flow_id):
            return
        failed = [
            (case, result) for case, result in await run_against(actor, flow_id, document) if result.status != "passed"
        ]
        if failed:
            raise FailedTest(flow_id, *failed[0], len(failed) - 1)
