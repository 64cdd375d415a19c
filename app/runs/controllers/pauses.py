"""Going on with a try that pauses, from its page: a plain form."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import ValidationError, convert

from app.errors import Refused
from app.runs import breaking, showing
from app.runs.controllers.runs import STARTED_BY
from app.runs.fields import changed_of
from app.runs.forms import GoOnForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page


class PausesController(Controller):
    path = "/runs/{run_id:uuid}/pauses"

    @post("/", name="runs:go-on")
    async def create(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        """The breakpoints are those the run has. What does not fit is shown again with the reason."""
        sent = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        step = sent.get("step", "")
        pause = next((each for each in await breaking.pauses(actor, run_id) if each.step == step), None)
        try:
            form = convert({"step": step, "how": sent.get("how", "next")}, GoOnForm)
        except ValidationError as wrong:
            raise Refused(f"This form is not complete: {wrong}.", remedy="Reload the page.") from None
        try:
            edits = changed_of(sent, pause.fields) if pause is not None and form.how != "skip" else {}
            await breaking.go_on(actor, run_id, GoOnForm(step, form.how, edits))
        except Refused as refused:
            shown = await showing.run_page(actor, run_id, step=step, sent=sent, refused=refused)
            return page(request, "runs/run.html", status_code=422, nav="runs", shown=shown, words=STARTED_BY)
        flash(request, "Skipped. The run goes on." if form.how == "skip" else "The run goes on.")
        return go(request, f"/runs/{run_id}")
