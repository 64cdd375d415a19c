"""A flow whose tests must pass is not published before they do."""

from uuid import UUID

from app.checks import queries
from app.checks.service.trying import run_against
from app.checks.shapes import CaseView, Result
from app.errors import Refused
from app.web import Actor
from flows.model import Flow


class FailedTest(Refused):
    """A draft was not published because of a test. `link`: the page that says what is different."""

    def __init__(self, flow_id: UUID, case: CaseView, result: Result, more: int) -> None:
        others = f" {more} more {'test fails' if more == 1 else 'tests fail'}." if more else ""
        self.link = f"/flows/{flow_id}/tests/{case.id}"
        super().__init__(
            f"The test '{case.case.name}' fails: {result.why}{others}",
            remedy=f"Repair the flow or the test, then publish again: {self.link}",
            code="test_failed",
        )


class TestsGate:
    """For app/studio/gates.py: a flow that asks for it is published only when its tests pass, as they are now: those of
    the suites that gate it, all where none does.
    """

    async def may_publish(self, actor: Actor, flow_id: UUID, document: Flow) -> None:
        gates = await queries.gates(actor, flow_id)
        if gates is None:
            return
        done = await run_against(actor, flow_id, document, suites=gates)
        failed = [(case, result) for case, result in done if result.status != "passed"]
        if failed:
            raise FailedTest(flow_id, *failed[0], len(failed) - 1)
