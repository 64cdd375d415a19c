"""Read models of the pages of tests. Each says how many SQL statements it takes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from app import clock
from app.checks.shapes import Case, CaseView, Expectation, NamedSuite, Recording, Result, Suite, Verdict
from app.db import tenant_tx
from app.errors import NotFound
from app.runs.service import Answer, Upstream, at_the_boundary, digest
from app.studio import queries as studio
from app.web import Actor
from flows import catalogue
from flows.model import Flow, NodeUse

GONE = "This test does not exist."
GIVEN_UP = timedelta(minutes=6)
"""A test that has not ended by then never will: its process died."""
NO_SUITE = "This suite does not exist."
CASES = """
select c.*, c.earlier is not null as recorded_before,
       array(select s.name from check_suite_case m join check_suite s on s.id = m.suite_id
              where m.case_id = c.id and s.removed_at is null order by s.name) as suites,
       c.input::text as input_text, c.expect::text as expect_text, c.answers::text as answers_text,
       r.passed, r.error, r.verdicts::text as verdicts_text, r.ms, r.cost_micros, r.run_id, r.started_at, r.finished_at
  from check_case c
  left join lateral (select * from check_result where case_id = c.id order by started_at desc limit 1) r on true
 where c.flow_id = $1 and c.removed_at is null and ($2::uuid is null or c.id = $2)
 order by c.created_at, c.id
"""


SUITES = """
select s.id, s.name, s.gates, r.required,
       array(select m.case_id from check_suite_case m join check_case c on c.id = m.case_id
              where m.suite_id = s.id and c.removed_at is null order by c.created_at, c.id) as cases
  from (select $1::uuid as flow_id) f left join check_rule r using (flow_id)
  left join check_suite s on s.flow_id = f.flow_id and s.removed_at is null order by s.name
"""


async def suite(actor: Actor, flow_id: UUID, only: UUID | None = None) -> Suite:
    """All tests of a flow beside its draft, or those of one suite. 3 statements. Raises NotFound."""
    flow, _ = await studio.draft(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(CASES, flow_id, None)
        named = await tx.fetch(SUITES, flow_id)
    suites = [NamedSuite(row["id"], row["name"], row["gates"], row["cases"]) for row in named if row["id"] is not None]
    chosen = next((each for each in suites if each.id == only), None)
    if only is not None and chosen is None:
        raise NotFound(NO_SUITE, remedy="Somebody deleted it. Look at the list of tests.")
    cases = [_view(row, flow) for row in rows if chosen is None or row["id"] in chosen.cases]
    return Suite(flow_id, flow.name, cases, bool(named[0]["required"]), suites, chosen, len(rows))


async def case(actor: Actor, flow_id: UUID, case_id: UUID) -> CaseView:
    """One test. 2 statements. Raises NotFound."""
    flow, _ = await studio.draft(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(CASES, flow_id, case_id)
    if row is None:
        raise NotFound(GONE, remedy="Somebody deleted it. Look at the list of tests.")
    return _view(row, flow)


async def gates(actor: Actor, flow_id: UUID) -> list[UUID] | None:
    """Suites whose tests must pass before the flow is published, [] = all its tests; None = none. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        found: list[UUID] | None = await tx.fetchval(
            """select array(select id from check_suite where flow_id = $1 and gates and removed_at is null)
                 from check_rule where flow_id = $1 and required""",
            flow_id,
        )
    return found


def recordings(answers: Iterable[Answer], flow: Flow) -> list[Recording]:
    """The answers by step, in the order they were recorded, beside the steps as they are now."""
    kinds, uses, upstream = catalogue.load(), {use.id: use for use in flow.nodes}, Upstream(flow)
    by_step: dict[str, list[Answer]] = {}
    for answer in answers:
        by_step.setdefault(answer.node, []).append(answer)
    found = []
    for node, given in by_step.items():
        use = uses.get(node)
        kind = kinds.get(use.type) if use is not None else None
        now, before = ("", "") if use is None else (digest(use), upstream.hash_of(node))
        found.append(
            Recording(
                node,
                _title(use) if use is not None else node,
                kind.title if kind else "",
                kind.icon if kind else "circle-help",
                kind.family if kind else "",
                given,
                stale=use is not None and any(each.settings != now for each in given),
                moved=use is not None and any(each.before not in ("", before) for each in given),
                gone=use is None,
            )
        )
    return found


def _view(row: Any, flow: Flow) -> CaseView:
    answers = msgspec.json.decode(row["answers_text"], type=list[Answer])
    there = {answer.node for answer in answers}
    return CaseView(
        row["id"],
        row["flow_id"],
        Case(
            row["name"],
            msgspec.json.decode(row["input_text"]),
            msgspec.json.decode(row["expect_text"], type=list[Expectation]),
            answers,
            row["trigger"],
            sorted(row["suites"]),
        ),
        recordings(answers, flow),
        [_title(use) for use in flow.nodes if use.id not in there and at_the_boundary(use)],
        _result(row),
        row["source_run"],
        row["updated_at"],
        row["recorded_before"],
    )


def _result(row: Any) -> Result | None:
    if row["started_at"] is None:
        return None
    if row["finished_at"] is None:
        if clock.now() - row["started_at"] < GIVEN_UP:
            return Result("running", row["started_at"])
        return Result("failed", row["started_at"], "It was interrupted. Run it again.")
    return Result(
        "passed" if row["passed"] else "failed",
        row["started_at"],
        row["error"],
        msgspec.json.decode(row["verdicts_text"], type=list[Verdict]),
        row["ms"],
        row["cost_micros"],
        row["run_id"],
    )


def _title(use: NodeUse) -> str:
    kind = catalogue.load().get(use.type)
    return use.label or (kind.title if kind is not None else use.type)
