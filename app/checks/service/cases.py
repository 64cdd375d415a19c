"""Tests are made of runs and of files, changed, removed and brought back."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from app.checks import queries
from app.checks.forms import CaseForm
from app.checks.judging import part, shown
from app.checks.removing import mark
from app.checks.service import suites
from app.checks.service.telling import tell, text
from app.checks.shapes import MOST_BYTES, MOST_CASES, Case, Expectation
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import queries as runs
from app.runs import service as rehearsal
from app.studio import queries as studio
from app.web import Actor
from flows.expressions import ExpressionError

_EARLIER = """
update check_case set earlier = json_build_object('input', input, 'answers', answers, 'trigger', trigger,
                                                  'source_run', source_run) where id = $1
"""
_TAKE_BACK = """
update check_case set input = earlier->'input', answers = earlier->'answers', trigger = earlier->>'trigger',
       source_run = (earlier->>'source_run')::uuid, earlier = null, updated_at = now()
 where id = $1 and flow_id = $2 and removed_at is null and earlier is not null returning name
"""


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
            await tx.execute(_EARLIER, replace)
            await _write(tx, replace, case)
            await tx.execute("update check_case set source_run = $2 where id = $1", replace, run_id)
            await tell(tx, actor, run.flow_id, "check.changed", replace)
        return run.flow_id, replace
    wanted = suggested(run.output) if isinstance(expect, UnsetType) else expect
    case = Case(name.strip() or await _free_name(actor, run.flow_id), run.input, wanted, answers, run.trigger)
    return run.flow_id, await _insert(actor, run.flow_id, case, run_id)


async def record_anew(actor: Actor, flow_id: UUID, case_id: UUID) -> None:
    """Run the draft once for real with the test's input, and let what its steps give be the test's record.

    Its name and what must come out stay; `take_recording_back` undoes it. Raises NotFound, and Conflict when the run
    does not end well within a minute: then the record stays as it is.
    """
    rehearsal.may_run(actor)
    case = (await queries.case(actor, flow_id, case_id)).case
    document, _ = await studio.draft(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        version_id = await rehearsal.save_version(
            tx, actor.workspace_id, flow_id, document, "", actor.user_id, kind="draft"
        )
    outcome = await rehearsal.answer(
        actor, version_id, case.input, trigger=case.trigger or "editor", draft=True, afresh=True
    )
    if outcome.status != "succeeded":
        raise Conflict(
            f"The run {outcome.status}: {outcome.error}" if outcome.over else "The run waits, or takes long.",
            remedy=f"Its record stays as it was. Look at the run: /runs/{outcome.run_id}",
        )
    await save_run(actor, outcome.run_id, replace=case_id)


async def take_recording_back(actor: Actor, flow_id: UUID, case_id: UUID) -> str:
    """The input and the answers that the test had before it was recorded anew. Returns its name. Raises NotFound."""
    rehearsal.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        name = await tx.fetchval(_TAKE_BACK, case_id, flow_id)
        if name is None:
            raise NotFound("There is no earlier record of this test.")
        await tell(tx, actor, flow_id, "check.changed", case_id)
    return str(name)


def suggested(output: Any) -> list[Expectation]:
    """The strictest thing that can be expected: the same again."""
    try:
        return [Expectation("exact", shown(part(output, "")))]
    except ExpressionError:
        return []


async def put(actor: Actor, flow_id: UUID, cases: Sequence[Case], ids: Mapping[str, UUID] | None = None) -> list[UUID]:
    """Tests as a file has them: in the place of those of the same name, the others stay. Raises NotFound, Refused.

    `ids`: which test each name means; unsaid: the one that has it.
    """
    rehearsal.may_run(actor)
    if ids is None:
        there: Mapping[str, UUID] = {view.case.name: view.id for view in (await queries.suite(actor, flow_id)).cases}
    else:
        there = ids
    made = []
    for case in cases:
        if (id := there.get(case.name)) is not None:
            async with tenant_tx(actor.workspace_id) as tx:
                await _write(tx, id, case)
                await tell(tx, actor, flow_id, "check.changed", id)
            made.append(id)
        else:
            made.append(await _insert(actor, flow_id, case, None))
    await suites.sort_in(actor, flow_id, dict(zip(made, (case.suites for case in cases), strict=True)))
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
        await tell(tx, actor, flow_id, "check.changed", case_id)


async def remove(actor: Actor, flow_id: UUID, case_id: UUID) -> str:
    """Delete a test; `bring_back` undoes it. Returns its name. Raises NotFound."""
    return await mark(actor, "check_case", flow_id, case_id, _changed(actor, flow_id, case_id), removed=True)


async def bring_back(actor: Actor, flow_id: UUID, case_id: UUID) -> str:
    return await mark(actor, "check_case", flow_id, case_id, _changed(actor, flow_id, case_id), removed=False)


async def demand(actor: Actor, flow_id: UUID, required: bool, gates: Collection[UUID] = ()) -> None:
    """Whether tests must pass before the flow is published: those of these suites, all when none is named.

    Raises NotFound for a flow or a suite that is not there.
    """
    rehearsal.may_run(actor)
    there = {suite.id for suite in (await queries.suite(actor, flow_id)).suites}
    if not set(gates) <= there:
        raise NotFound(queries.NO_SUITE)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            """insert into check_rule (flow_id, workspace_id, required) values ($1, $2, $3)
               on conflict (flow_id) do update set required = excluded.required""",
            flow_id,
            actor.workspace_id,
            required,
        )
        await tx.execute("update check_suite set gates = id = any($2::uuid[]) where flow_id = $1", flow_id, list(gates))
        await tell(tx, actor, flow_id, "check.changed", None)


async def _insert(actor: Actor, flow_id: UUID, case: Case, run_id: UUID | None) -> UUID:
    await studio.there(actor, flow_id)
    texts = fitting(case)
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
        await tell(tx, actor, flow_id, "check.changed", made)
    return UUID(str(made))


async def _write(tx: Tx, case_id: UUID, case: Case) -> None:
    await tx.execute(
        """update check_case set name = $2, trigger = $3, input = $4, expect = $5, answers = $6, updated_at = now()
            where id = $1""",
        case_id,
        case.name,
        case.trigger,
        *fitting(case),
    )


def fitting(case: Case) -> tuple[str, str, str]:
    """Input, expectations and answers as JSON text. Raises Refused when they are too large."""
    texts = (text(case.input), text(case.expect), text(case.answers))
    if (size := sum(len(each.encode()) for each in texts)) > MOST_BYTES:
        raise Refused(
            f"This test has {size / 1e6:.1f} MB with its recorded answers; at most {MOST_BYTES / 1e6:.0f} MB are kept.",
            remedy="Save a run with a smaller input as the test.",
            code="test_too_large",
        )
    return texts


async def _free_name(actor: Actor, flow_id: UUID) -> str:
    taken = {view.case.name for view in (await queries.suite(actor, flow_id)).cases}
    return next(name for number in range(1, len(taken) + 2) if (name := f"Test {number}") not in taken)


def _changed(actor: Actor, flow_id: UUID, case_id: UUID) -> Callable[[Tx], Awaitable[None]]:
    return lambda tx: tell(tx, actor, flow_id, "check.changed", case_id)
