"""Pages of tests: all of a flow, one of them, and making one of a run."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.checks import queries, service
from app.checks.forms import CaseForm, RuleForm
from app.checks.judging import shown
from app.checks.reading import expectations, input_of
from app.checks.shapes import WORDS, CaseView, Expectation
from app.errors import NotFound, Refused
from app.runs import queries as runs
from app.web.actor import Actor
from app.web.flash import Kind, Toast, flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

NAV = "flows"
EMPTY = ("", "", "", "")


class SuiteController(Controller):
    path = "/flows/{flow_id:uuid}/tests"

    @get("/", name="checks:suite")
    async def index(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[str]:
        suite = await queries.suite(actor, flow_id)
        if request.htmx.partial:
            return fragment(request, "checks/_suite.html", suite=suite)
        return page(request, "checks/suite.html", nav=NAV, suite=suite)

    @post("/runs", name="checks:run", status_code=200)
    async def run(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        sent = await request.form()
        only = [UUID(str(sent["case"]))] if sent.get("case") else []
        done = await service.run(actor, flow_id, only)
        failed = [case.case.name for case, result in done if result.status != "passed"]
        words = _outcome(len(done), failed)
        kind: Kind = "danger" if failed else "success"
        if request.htmx.partial:
            suite = await queries.suite(actor, flow_id)
            return fragment(request, "checks/_suite.html", suite=suite, toast=Toast(words, kind))
        flash(request, words, kind)
        return go(request, f"/flows/{flow_id}/tests" + (f"/{only[0]}" if only else ""))

    @post("/rule", name="checks:rule", status_code=200)
    async def rule(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: URLEncodedBody[RuleForm]
    ) -> Response[Any]:
        await service.demand(actor, flow_id, data.required)
        flash(
            request,
            "Only a draft that passes is published from now on." if data.required else "Publishing asks for no test.",
        )
        return go(request, f"/flows/{flow_id}/tests")


class CaseController(Controller):
    path = "/flows/{flow_id:uuid}/tests/{case_id:uuid}"

    @get("/", name="checks:case")
    async def show(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[str]:
        return _case(request, await queries.case(actor, flow_id, case_id), await _name(actor, flow_id))

    @post("/", name="checks:change", status_code=200)
    async def change(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[Any]:
        sent = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        try:
            name = sent.get("name", "").strip()
            if not 1 <= len(name) <= 120:
                raise Refused("A test needs a name of at most 120 characters.", field="name")
            await service.change(actor, flow_id, case_id, CaseForm(name, input_of(sent), expectations(sent)))
        except Refused as refused:
            view = await queries.case(actor, flow_id, case_id)
            return _case(request, view, await _name(actor, flow_id), sent=sent, refused=refused)
        flash(request, "Saved.")
        return go(request, f"/flows/{flow_id}/tests/{case_id}")

    @post("/removal", name="checks:remove", status_code=200)
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[Any]:
        name = await service.remove(actor, flow_id, case_id)
        flash(request, f"{name} is deleted.", undo=f"/flows/{flow_id}/tests/{case_id}/return")
        return go(request, f"/flows/{flow_id}/tests")

    @post("/return", name="checks:bring-back", status_code=200)
    async def bring_back(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[Any]:
        name = await service.bring_back(actor, flow_id, case_id)
        flash(request, f"{name} is back.")
        return go(request, f"/flows/{flow_id}/tests")


class SaveController(Controller):
    path = "/runs/{run_id:uuid}/tests"

    @get("/new", name="checks:new")
    async def new(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[str]:
        return await _new(request, actor, run_id)

    @post("/", name="checks:save")
    async def save(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        sent = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        try:
            replace = UUID(sent["replace"]) if sent.get("replace") else None
            name = sent.get("name", "").strip()[:120]
            flow_id, case_id = await service.save_run(actor, run_id, name, expectations(sent), replace)
        except Refused as refused:
            return await _new(request, actor, run_id, sent, refused)
        flash(request, "The run is the test's record now." if replace else "Saved as a test.")
        return go(request, f"/flows/{flow_id}/tests/{case_id}")


async def _new(
    request: Request,
    actor: Actor,
    run_id: UUID,
    sent: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> Response[str]:
    run = await runs.whole_run(actor, run_id)
    try:
        suite = await queries.suite(actor, run.flow_id)
    except NotFound:  # its flow is gone: the page says so instead of the form
        suite = None
    return page(
        request,
        "checks/new.html",
        status_code=422 if refused else 200,
        nav=NAV,
        run=run,
        suite=suite,
        rows=_rows(sent, service.suggested(run.output)),
        name=(sent or {}).get("name", ""),
        kinds=list(WORDS.items()),
        refused=refused,
    )


def _case(
    request: Request,
    view: CaseView,
    flow: str,
    *,
    sent: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> Response[str]:
    text = msgspec.json.format(msgspec.json.encode(view.case.input), indent=2).decode()
    return page(
        request,
        "checks/case.html",
        status_code=422 if refused else 200,
        nav=NAV,
        view=view,
        flow=flow,
        name=(sent or {}).get("name", view.case.name),
        input=(sent or {}).get("input", text),
        rows=_rows(sent, view.case.expect),
        kinds=list(WORDS.items()),
        refused=refused,
        shown=shown,
    )


def _rows(sent: dict[str, str] | None, expect: list[Expectation]) -> list[tuple[str, str, str, str]]:
    """(kind, path, value, score needed) of each row of the form, and an empty one to add another."""
    if sent is None:
        return [*(row_of(each) for each in expect), EMPTY]
    numbers = sorted(int(key[5:]) for key in sent if key.startswith("kind-") and key[5:].isdigit())
    rows = [
        (sent[f"kind-{i}"], sent.get(f"path-{i}", ""), sent.get(f"value-{i}", ""), sent.get(f"least-{i}", ""))
        for i in numbers
    ]
    return rows if any(not row[0] for row in rows) else [*rows, EMPTY]


def row_of(each: Expectation) -> tuple[str, str, str, str]:
    return each.kind, each.path, each.value, "" if each.least is None else f"{each.least:g}"


async def _name(actor: Actor, flow_id: UUID) -> str:
    return (await queries.suite(actor, flow_id)).flow


def _outcome(count: int, failed: list[str]) -> str:
    if not count:
        return "There is no test yet."
    if not failed:
        return "The test passed." if count == 1 else f"All {count} tests passed."
    if len(failed) == 1:
        return f"{failed[0]} failed." + (f" {count - 1} passed." if count > 1 else "")
    return f"{len(failed)} of {count} tests failed."


routes: list[Any] = [SuiteController, CaseController, SaveController]
