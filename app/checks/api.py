"""JSON twins of what people do with tests."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from app.checks import queries, service
from app.checks.forms import CaseForm, NamedForm, RuleForm, RunForm, SaveForm, SuiteForm
from app.checks.junit import last_results
from app.checks.shapes import CaseView, Result, Suite
from app.web.actor import Actor

LARGE = 20_000_000


class Saved(Struct, frozen=True):
    id: UUID
    flow_id: UUID


class SuiteId(Struct, frozen=True):
    id: UUID


class Ran(Struct, frozen=True):
    """`passed`: all of them did."""

    passed: bool
    tests: list["RanCase"]


class RanCase(Struct, frozen=True):
    id: UUID
    name: str
    result: Result


class TestsApi(Controller):
    path = "/flows/{flow_id:uuid}/tests"
    tags = ["Tests"]

    @get("/", name="api:tests", summary="Tests of a flow with their last results")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Suite:
        return await queries.suite(actor, flow_id)

    @put("/", name="api:tests-put", summary="Put tests from a file", request_max_body_size=LARGE)
    async def replace(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[SuiteForm]
    ) -> list[UUID]:
        """In the place of those of the same name; the others stay."""
        return await service.put(actor, flow_id, data.cases)

    @post("/runs", name="api:tests-run", summary="Run tests of the draft", status_code=200, opt={"scope": "run"})
    async def run(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RunForm]) -> Ran:
        done = await service.run(actor, flow_id, data.cases, [data.suite] if data.suite else [])
        return Ran(
            all(result.status == "passed" for _, result in done),
            [RanCase(case.id, case.case.name, result) for case, result in done],
        )

    @put("/rule", name="api:tests-rule", summary="Whether tests must pass before publishing", status_code=204)
    async def rule(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RuleForm]) -> None:
        await service.demand(actor, flow_id, data.required, data.suites)

    @get("/junit.xml", name="api:tests-junit", summary="The last results as JUnit XML", media_type="application/xml")
    async def junit(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite: FromQuery[UUID | None] = None
    ) -> str:
        """A testsuite for each suite, one for all tests where there is none. Tests that never ran are left out."""
        return last_results(await queries.suite(actor, flow_id, suite))

    @get("/{case_id:uuid}", name="api:test", summary="A test")
    async def show(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]) -> CaseView:
        return await queries.case(actor, flow_id, case_id)

    @put("/{case_id:uuid}", name="api:test-change", summary="Change a test", status_code=204)
    async def change(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID], data: JSONBody[CaseForm]
    ) -> None:
        await service.change(actor, flow_id, case_id, data)

    @delete("/{case_id:uuid}", name="api:test-remove", summary="Delete a test")
    async def remove(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]) -> None:
        await service.remove(actor, flow_id, case_id)

    @post("/{case_id:uuid}/return", name="api:test-bring-back", summary="Bring a deleted test back", status_code=204)
    async def bring_back(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]) -> None:
        await service.bring_back(actor, flow_id, case_id)

    @post(
        "/{case_id:uuid}/recording",
        name="api:test-record",
        summary="Record a test anew",
        status_code=204,
        opt={"scope": "run"},
    )
    async def record(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]) -> None:
        """Its steps really do what they do, once; what they give is the test's record from now on."""
        await service.record_anew(actor, flow_id, case_id)

    @post(
        "/{case_id:uuid}/recording/return", name="api:test-unrecord", summary="Take a recording back", status_code=204
    )
    async def unrecord(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]) -> None:
        await service.take_recording_back(actor, flow_id, case_id)


class SuitesApi(Controller):
    """`GET /flows/{id}/tests` names the suites."""

    path = "/flows/{flow_id:uuid}/tests/suites"
    tags = ["Tests"]

    @post("/", name="api:suite-make", summary="Make a suite")
    async def make(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[NamedForm]) -> SuiteId:
        return SuiteId(await service.make_suite(actor, flow_id, data))

    @put("/{suite_id:uuid}", name="api:suite-change", summary="Another name, other tests", status_code=204)
    async def change(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        suite_id: FromPath[UUID],
        data: JSONBody[NamedForm],
    ) -> None:
        await service.change_suite(actor, flow_id, suite_id, data)

    @delete("/{suite_id:uuid}", name="api:suite-remove", summary="Delete a suite; its tests stay")
    async def remove(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite_id: FromPath[UUID]) -> None:
        await service.remove_suite(actor, flow_id, suite_id)

    @post("/{suite_id:uuid}/return", name="api:suite-bring-back", summary="Bring a deleted suite back", status_code=204)
    async def bring_back(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite_id: FromPath[UUID]
    ) -> None:
        await service.bring_suite_back(actor, flow_id, suite_id)


class SaveApi(Controller):
    path = "/runs/{run_id:uuid}/tests"
    tags = ["Tests"]

    @post("/", name="api:test-save", summary="Save a run as a test")
    async def save(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[SaveForm]) -> Saved:
        flow_id, case_id = await service.save_run(actor, run_id, data.name, data.expect, data.replace)
        return Saved(case_id, flow_id)


api_routes: list[Any] = [TestsApi, SuitesApi, SaveApi]
