"""Links to one question: making them for members, and what somebody sees and does who has one.

A GET decides nothing, whoever makes it: link previews and mail scanners open every address they find.
"""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.errors import Conflict, NotFound, Refused
from app.runs import asking
from app.runs.forms import AskForm, LinkAnswerForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page

FIELD = "field."
"""Before the names of what a question asks for besides the choice."""
# same-origin, not no-referrer: with that a browser sends "Origin: null" along with the form, and it would be refused.
HEADERS = {"x-robots-tag": "noindex", "referrer-policy": "same-origin", "cache-control": "no-store"}


class AsksController(Controller):
    path = "/runs/{run_id:uuid}/asks"

    @post("/", name="runs:ask")
    async def create(
        self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: URLEncodedBody[AskForm]
    ) -> Response[Any]:
        await asking.ask(actor, run_id, data.step, data.email)
        flash(request, f"{data.email} is asked." if data.email else "Whoever has the link can answer.")
        return go(request, "/needs-you")


class AskedController(Controller):
    path = "/asked/{token:str}"
    opt = {"public": True}

    @get("/", name="runs:asked")
    async def show(self, request: Request, token: FromPath[str]) -> Response[str]:
        try:
            question = await asking.opened(token)
        except NotFound:
            return page(request, "runs/asked.html", status_code=404, headers=HEADERS, question=None)
        context: dict[str, Any] = {"question": question, "given": {}, "errors": {}}
        return page(request, "runs/asked.html", headers=HEADERS, **context)

    @post("/", name="runs:answer-link")
    async def answer(
        self, request: Request, token: FromPath[str], data: URLEncodedBody[LinkAnswerForm]
    ) -> Response[Any]:
        sent = await request.form()
        fields = {name.removeprefix(FIELD): str(sent[name]) for name in sent if name.startswith(FIELD)}
        try:
            await asking.answer(token, data.choice, data.comment, fields)
        except Refused as refused:
            errors = {refused.field or "": f"{refused.message} {refused.remedy}".strip()}
            given = {**fields, "comment": data.comment}
            question = await asking.opened(token)
            context: dict[str, Any] = {"question": question, "given": given, "errors": errors}
            return page(request, "runs/asked.html", status_code=422, headers=HEADERS, **context)
        except (Conflict, NotFound):
            pass  # the page says where the question stands
        return go(request, f"/asked/{token}")
