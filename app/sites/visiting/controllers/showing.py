"""A page for this visitor, at this moment."""

from typing import Any

from litestar import Request, Response
from msgspec import structs

from app.runs import service as runs
from app.sites.blocks import Chat, Form
from app.sites.visiting import talk, theme
from app.sites.visiting.faces import FieldView, form_fields
from app.sites.visiting.published import PublicPage
from app.sites.visiting.talk import Turn
from app.sites.visiting.views import FormState, PageState, block_view, pictures, site_view
from app.sites.visiting.visit import Visit
from app.web import address

Asking = Request[Any, Any, Any]


async def show(request: Asking, visit: Visit, page: PublicPage, state: PageState, status: int = 200) -> Response[str]:
    values = {
        "site": site_view(visit.site, page),
        "page": {
            "title": page.title,
            "description": page.description,
            "path": page.path,
            "url": address.origin(request.scope) + page.path,
        },
        "blocks": [block_view(block, page.id, state) for block in page.blocks],
        "assets": theme.asset_urls(visit.site) | ({"js": []} if state.preview else {}),
        "nonce": "",
        "preview": state.preview,
    }  # fmt: skip
    return html(theme.render(visit.site.theme, "page.html", values | pictures(visit.site)), status)


async def state_of(visit: Visit, page: PublicPage, forms: dict[str, FormState] | None = None) -> PageState:
    turns, failed = {}, {}
    for block in page.blocks:
        if isinstance(block, Chat):
            found = await talk.turns(visit, page.id, block.id)
            turns[block.id] = await _rated(visit, [turn for turn in found if turn.state != "failed"])
            if found and found[-1].state == "failed":
                failed[block.id] = found[-1].text
    return PageState(turns=turns, failed=failed, forms=forms or {}, fields=await form_fields_of(visit, page))


async def _rated(visit: Visit, turns: list[Turn]) -> list[Turn]:
    """The turns with what this visitor thinks of the answers."""
    answered = [turn.run_id for turn in turns if turn.run_id is not None]
    if visit.visitor is None or not answered:
        return turns
    given = await runs.rated_by_visitor(visit.site.workspace_id, visit.visitor, answered)
    return [structs.replace(turn, good=given.get(turn.run_id)) if turn.run_id else turn for turn in turns]


async def form_fields_of(visit: Visit, page: PublicPage) -> dict[str, list[FieldView]]:
    forms = [block for block in page.blocks if isinstance(block, Form)]
    return {block.id: await form_fields(visit.site.workspace_id, block.flow_id) for block in forms}


def html(body: str, status: int) -> Response[str]:
    return Response(body, status_code=status, media_type="text/html; charset=utf-8", headers={"vary": "cookie"})
