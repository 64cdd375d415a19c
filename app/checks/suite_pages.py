"""The page of a flow's tests: all, or those of one suite; running them; suites; what is asked before publishing."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.checks import queries, service
from app.checks.controllers import NAV
from app.checks.forms import NamedForm
from app.checks.junit import last_results
from app.checks.shapes import MOST_CASES
from app.errors import Conflict, Refused
from app.web.actor import Actor
from app.web.flash import Kind, Toast, flash
from app.web.htmx import Request
from app.web.render import fragment, go, page


class SuiteController(Controller):
    path = "/flows/{flow_id:uuid}/tests"

    @get("/", name="checks:suite")
    async def index(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        suite: FromQuery[UUID | None] = None,
    ) -> Response[str]:
        return await _suite(request, actor, flow_id, suite)

    @get("/junit.xml", name="checks:junit")
    async def junit(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite: FromQuery[UUID | None] = None
    ) -> Response[str]:
        found = last_results(await queries.suite(actor, flow_id, suite))
        headers = {"content-disposition": 'attachment; filename="tests.xml"'}
        return Response(found, media_type="application/xml", headers=headers)

    @post("/runs", name="checks:run", status_code=200)
    async def run(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        sent = await request.form()
        only = [UUID(str(sent["case"]))] if sent.get("case") else []
        chosen = UUID(str(sent["suite"])) if sent.get("suite") else None
        done = await service.run(actor, flow_id, only, [chosen] if chosen and not only else [])
        failed = [case.case.name for case, result in done if result.status != "passed"]
        words = _outcome(len(done), failed)
        kind: Kind = "danger" if failed else "success"
        if request.htmx.partial:
            suite = await queries.suite(actor, flow_id, chosen)
            return fragment(request, "checks/_suite.html", suite=suite, toast=Toast(words, kind))
        flash(request, words, kind)
        return go(request, f"/flows/{flow_id}/tests/{only[0]}" if only else _place(flow_id, chosen))

    @post("/rule", name="checks:rule", status_code=200)
    async def rule(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        sent = await request.form()
        asked = str(sent.get("rule", ""))
        gates = [id for each in sent.getall("suites", []) if (id := _id(each)) is not None] if asked == "suites" else []
        if asked == "suites" and not gates:
            raise Refused("No suite is ticked.", remedy="Tick one, or ask for all tests.", field="suites")
        await service.demand(actor, flow_id, asked in ("all", "suites"), gates)
        flash(
            request,
            "Only a draft that passes is published from now on." if asked else "Publishing asks for no test.",
        )
        return go(request, f"/flows/{flow_id}/tests")


class SuitesController(Controller):
    """Named suites. A form sends `name`, and `cases` once for each test that is in it."""

    path = "/flows/{flow_id:uuid}/tests/suites"

    @post("/", name="checks:suite-make", status_code=303)
    async def make(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        try:
            made = await service.make_suite(actor, flow_id, await _named(request))
        except (Refused, Conflict) as problem:
            return await _suite(request, actor, flow_id, None, problem)
        return go(request, _place(flow_id, made))

    @post("/{suite_id:uuid}", name="checks:suite-change", status_code=303)
    async def change(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            await service.change_suite(actor, flow_id, suite_id, await _named(request))
        except (Refused, Conflict) as problem:
            return await _suite(request, actor, flow_id, suite_id, problem)
        flash(request, "Saved.")
        return go(request, _place(flow_id, suite_id))

    @post("/{suite_id:uuid}/removal", name="checks:suite-remove", status_code=303)
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite_id: FromPath[UUID]
    ) -> Response[Any]:
        name = await service.remove_suite(actor, flow_id, suite_id)
        flash(
            request,
            f"The suite {name} is deleted; its tests stay.",
            undo=f"/flows/{flow_id}/tests/suites/{suite_id}/return",
        )
        return go(request, f"/flows/{flow_id}/tests")

    @post("/{suite_id:uuid}/return", name="checks:suite-bring-back", status_code=303)
    async def bring_back(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], suite_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.bring_suite_back(actor, flow_id, suite_id)
        return go(request, _place(flow_id, suite_id))


async def _suite(
    request: Request, actor: Actor, flow_id: UUID, only: UUID | None, refused: Refused | Conflict | None = None
) -> Response[str]:
    suite = await queries.suite(actor, flow_id, only)
    if request.htmx.partial:
        return fragment(request, "checks/_suite.html", suite=suite)
    every = suite if only is None else await queries.suite(actor, flow_id)
    return page(
        request,
        "checks/suite.html",
        status_code=refused.status if refused else 200,
        nav=NAV,
        suite=suite,
        every=every,
        refused=refused,
    )


async def _named(request: Request) -> NamedForm:
    sent = await request.form()
    cases = [id for each in sent.getall("cases", []) if (id := _id(each)) is not None][:MOST_CASES]
    name = " ".join(str(sent.get("name", "")).split())
    if not 1 <= len(name) <= 80:
        raise Refused("A suite needs a name of at most 80 characters.", field="name")
    return NamedForm(name, cases)


def _id(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _place(flow_id: UUID, suite: UUID | None) -> str:
    return f"/flows/{flow_id}/tests" + (f"?suite={suite}" if suite else "")


def _outcome(count: int, failed: list[str]) -> str:
    if not count:
        return "There is no test yet."
    if not failed:
        return "The test passed." if count == 1 else f"All {count} tests passed."
    if len(failed) == 1:
        passed = count - 1
        if not passed:
            return f"{failed[0]} failed."
        return f"{failed[0]} failed. {passed} {'test' if passed == 1 else 'tests'} passed."
    return f"{len(failed)} of {count} tests failed."


routes: list[Any] = [SuiteController, SuitesController]
