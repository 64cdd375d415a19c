"""One run: its page, and what a person does with it: cancel, answer, decide."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Meta

from app.runs import files, parts, queries, service, showing, values
from app.runs.controllers.runs import STARTED_BY
from app.runs.fields import read_output
from app.runs.forms import AnswerForm, DecisionForm, RatingForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

StepKey = Annotated[str, Meta(max_length=700)]
FIELD = "field."
"""Before the names of what a question asks for besides the choice."""


class RunController(Controller):
    path = "/runs/{run_id:uuid}"

    @get("/", name="runs:run")
    async def show(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        step: FromQuery[str] = "",
        tab: FromQuery[str] = "",
        view: FromQuery[str] = "",
    ) -> Response[str]:
        shown = await showing.run_page(actor, run_id, step=step, tab=tab, view=view)
        if request.htmx.partial:
            return fragment(request, "runs/shown.oob.html", shown=shown, words=STARTED_BY)
        return page(request, "runs/run.html", nav="runs", shown=shown, words=STARTED_BY)

    @post("/rating", name="runs:rate", status_code=303)
    async def rate(
        self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: URLEncodedBody[RatingForm]
    ) -> Response[Any]:
        """From beside an answer (a try in the editor) the thumbs come back, from the run's page that page."""
        await service.rate(actor, run_id, data.good, data.note)
        if request.htmx.partial:
            return fragment(request, "runs/_thumbs.html", rated=run_id, good=data.good, note=data.note)
        return go(request, f"/runs/{run_id}#rating")

    @post("/rating/removal", name="runs:unrate", status_code=303)
    async def unrate(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        await service.take_rating_back(actor, run_id)
        if request.htmx.partial:
            return fragment(request, "runs/_thumbs.html", rated=run_id, good=None, note="")
        return go(request, f"/runs/{run_id}#rating")

    @get("/download", name="runs:download")
    async def download(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[bytes]:
        """The whole run as JSON, as the API gives it: every step with its values, without secrets."""
        run = await queries.whole_run(actor, run_id)
        name = f"run-{str(run_id)[-6:]}.json"
        body = msgspec.json.format(msgspec.json.encode(run), indent=2)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type="application/json", headers=headers)

    @get("/values/{hash:str}", name="runs:value")
    async def value(
        self, actor: NamedDependency[Actor], run_id: FromPath[UUID], hash: FromPath[str]
    ) -> Response[bytes]:
        """A large value of which the page shows the beginning."""
        made = await values.content(actor, run_id, hash)
        return Response(made.body, media_type=made.media_type, headers=made.headers)

    @get("/files/{id:str}", name="runs:file")
    async def file(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], id: FromPath[str]) -> Response[bytes]:
        """A file that a step of the run wrote."""
        made = await files.file(actor, run_id, id)
        return Response(made.body, media_type=made.media_type, headers=made.headers)

    @get("/parts", name="runs:part")
    async def part(
        self,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        step: FromQuery[StepKey] = "",
        side: FromQuery[parts.Side] = "in",
        port: FromQuery[StepKey] = "",
        form: FromQuery[parts.Form] = "json",
        key: FromQuery[StepKey] = "",
    ) -> Response[bytes]:
        """One value by itself, whole: what a viewer goes on with, and what is downloaded."""
        made = await parts.part(actor, run_id, step=step, side=side, port=port, form=form, key=key)
        return Response(
            made.body, media_type=made.media_type, headers=made.headers | {"x-content-type-options": "nosniff"}
        )

    @post("/cancellation", name="runs:cancel")
    async def cancel(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        done = await service.cancel(actor, run_id)
        words = {"cancelled": "The run is cancelled.", "asked": "The run ends after its present step."}
        flash(request, words.get(done, "The run had ended already."))
        return go(request, f"/runs/{run_id}")

    @post("/answer", name="runs:answer")
    async def answer(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        data: URLEncodedBody[AnswerForm],
    ) -> Response[Any]:
        sent = await request.form()
        said: dict[str, Any] = {"choice": data.choice, "comment": data.comment}
        fields = {name.removeprefix(FIELD): str(sent[name]) for name in sent if name.startswith(FIELD)}
        if fields:
            said["fields"] = fields
        await service.signal(actor, run_id, data.name, said, step=data.step)
        flash(request, "Thank you. The run goes on.")
        return go(request, data.next or f"/runs/{run_id}")

    @post("/decision", name="runs:decide")
    async def decide(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        data: URLEncodedBody[DecisionForm],
    ) -> Response[Any]:
        output = read_output(data.output) if data.happened == "yes" else None
        await service.decide(actor, run_id, data.node, data.iter, happened=data.happened == "yes", output=output)
        flash(request, "Noted. The run goes on." if data.happened == "yes" else "Noted. The step is tried again.")
        return go(request, data.next or f"/runs/{run_id}")

    @post("/again", name="runs:again")
    async def again(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        await service.again(actor, run_id)
        flash(request, "The run is taken up again.")
        return go(request, f"/runs/{run_id}")
