"""Pages of tests: one of a flow, and making one of a run. All of a flow: suite_pages.py."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.checks import queries, service
from app.checks.forms import CaseForm
from app.checks.judging import shown
from app.checks.reading import expectations, input_of
from app.checks.shapes import WORDS, CaseView, Expectation
from app.errors import Conflict, NotFound, Refused
from app.runs import queries as runs
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page

NAV = "flows"
EMPTY = ("", "", "", "")


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

    @post("/recording", name="checks:record", status_code=303)
    async def record(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"/flows/{flow_id}/tests/{case_id}"
        try:
            await service.record_anew(actor, flow_id, case_id)
        except (Conflict, Refused) as problem:
            flash(request, " ".join(filter(None, (str(problem), problem.remedy))), "warning")
        else:
            flash(request, "Recorded anew.", undo=f"{here}/recording/return")
        return go(request, here)

    @post("/recording/return", name="checks:unrecord", status_code=303)
    async def unrecord(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], case_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.take_recording_back(actor, flow_id, case_id)
        flash(request, "The earlier record is back.")
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


routes: list[Any] = [CaseController, SaveController]
