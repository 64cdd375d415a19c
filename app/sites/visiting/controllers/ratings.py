"""What visitors think of an answer: a thumb, and some words about why. It lands at the run."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from app.errors import NotFound
from app.runs import service as runs
from app.sites.blocks import Form
from app.sites.visiting import published, submissions, theme
from app.sites.visiting.controllers.admission import paced
from app.sites.visiting.controllers.showing import Asking, html, show, state_of
from app.sites.visiting.views import FormState, Rated, place_of, rating_view
from app.sites.visiting.visit import Visit


class Opinion(Struct, frozen=True):
    good: bool
    note: Annotated[str, Meta(max_length=500)] = ""


class RatingController(Controller):
    path = "/rating/{page_id:uuid}/{block_id:str}/{run_id:uuid}"

    @post("/", name="site:rating")
    async def rate(
        self,
        request: Asking,
        visit: NamedDependency[Visit],
        page_id: FromPath[UUID],
        block_id: FromPath[str],
        run_id: FromPath[UUID],
        data: URLEncodedBody[Opinion],
    ) -> Response[Any]:
        """Only who asked may say so: the run keeps for whom it was."""
        page = await published.page_of(visit.site, page_id)
        block = page.block(block_id)
        await paced(visit)
        if visit.visitor is None:
            raise NotFound("There is no answer of yours here.")
        await runs.rate_as_visitor(visit.site.workspace_id, visit.visitor, run_id, data.good, data.note)
        rated = Rated(run_id, data.good, bool(data.note.strip()))
        if request.headers.get("x-fragment") == "rating":
            view = {"rating": rating_view(place_of(page_id, block_id), rated)}
            return html(theme.render(visit.site.theme, "blocks/_rating.html", view), 200)
        result = await submissions.result_of(visit, run_id) if isinstance(block, Form) else ""
        if result:  # a form's result stands on no page of its own: it is shown once more
            state = await state_of(visit, page, forms={block_id: FormState(result=result, rating=rated)})
            return await show(request, visit, page, state)
        return Redirect(f"{page.path}#rating-{run_id}", status_code=303)
