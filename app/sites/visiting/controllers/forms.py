"""A form that a flow answers. With scripts its result takes the form's place; without, the page comes back with it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.errors import NotFound
from app.sites.blocks import Form
from app.sites.visiting import published, running, submissions, theme
from app.sites.visiting.controllers.admission import admitted
from app.sites.visiting.controllers.showing import Asking, html, show, state_of
from app.sites.visiting.faces import form_fields, read
from app.sites.visiting.views import FormState, PageState, Rated, form_view
from app.sites.visiting.visit import Visit


class FormController(Controller):
    """A form that a flow answers."""

    path = "/form/{page_id:uuid}/{block_id:str}"

    @post("/", name="site:form")
    async def send(
        self, request: Asking, visit: NamedDependency[Visit], page_id: FromPath[UUID], block_id: FromPath[str]
    ) -> Response[Any]:
        page = await published.page_of(visit.site, page_id)
        block = page.block(block_id)
        if not isinstance(block, Form):
            raise NotFound("This part of the page is no form.")
        fields = await form_fields(visit.site.workspace_id, block.flow_id)
        given, typed, problems = read(fields, dict(await request.form()))
        form = FormState(values=typed, problems=problems)
        if not fields:
            form = FormState(values=typed, problem=running.RESTING)
        elif not problems:
            visitor = await admitted(request, visit)
            written = await submissions.submit(visit, visitor, page_id, block, given)
            done = written.state == "done"
            rated = Rated(written.run_id) if done and written.run_id is not None else None
            result, problem = (written.text, "") if done else ("", written.text)
            form = FormState(values=typed, result=result, problem=problem, rating=rated)
        status = 200 if form.result else 422
        if request.headers.get("x-fragment") == "form":
            state = PageState(forms={block_id: form}, fields={block_id: fields})
            values = {"block": form_view(block, page_id, state) | {"again": page.path}}
            return html(theme.render(visit.site.theme, "blocks/_form.html", values), status)
        state = await state_of(visit, page, forms={block_id: form})
        return await show(request, visit, page, state, status)
