"""Settings, Variables: what steps read as vars.name, for live and for each environment."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Meta

from app.errors import Refused
from app.studio import service, variables
from app.studio.version_forms import VariableForm
from app.web import search
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page

PAGE = "/settings/variables"
Name = FromPath[Annotated[str, Meta(max_length=64)]]


class VariablesController(Controller):
    path = PAGE

    @get("/", name="studio:variables")
    async def index(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        name: FromQuery[Annotated[str, Meta(max_length=64)]] = "",
        environment: FromQuery[UUID | None] = None,
    ) -> Response[Any]:
        """`name`, `environment`: the one whose value the form holds."""
        listed = variables.rows(places := await variables.places(actor))
        cells = [cell for row in listed if row.name == name for cell in row.cells if cell.environment_id == environment]
        written = {"name": name, "environment": str(environment or "")}
        if cells:
            written |= {"kind": cells[0].kind, "value": cells[0].text}
        return _page(request, places, listed, written, {})

    @post("/", name="studio:variable-put", status_code=303)
    async def put_one(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[VariableForm]
    ) -> Response[Any]:
        try:
            where = await service.put_variable(actor, data)
        except Refused as refused:
            places = await variables.places(actor)
            written = {"name": data.name, "environment": data.environment, "kind": data.kind, "value": data.value}
            errors = {refused.field or "": f"{refused.message} {refused.remedy}".strip()}
            return _page(request, places, variables.rows(places), written, errors, status_code=422)
        flash(request, f"vars.{data.name.strip()} is kept. Runs in {where} that begin from now on have it.")
        return go(request, PAGE)

    @post("/{variable:str}/removal", name="studio:variable-remove", status_code=303)
    async def remove(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        variable: Name,
        environment: FromQuery[UUID | None] = None,
    ) -> Response[Any]:
        where = await service.remove_variable(actor, variable, environment)
        back = f"{PAGE}/{variable}/return" + (f"?environment={environment}" if environment else "")
        flash(request, f"vars.{variable} is gone from {where}. Runs that go on keep it.", undo=back)
        return go(request, PAGE)

    @post("/{variable:str}/return", name="studio:variable-return", status_code=303)
    async def bring_back(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        variable: Name,
        environment: FromQuery[UUID | None] = None,
    ) -> Response[Any]:
        await service.return_variable(actor, variable, environment)
        flash(request, f"vars.{variable} is back.")
        return go(request, PAGE)


def _page(
    request: Request,
    places: list[variables.Place],
    listed: list[variables.Row],
    written: dict[str, str],
    errors: dict[str, str],
    status_code: int = 200,
) -> Response[Any]:
    context: dict[str, Any] = {"places": places, "rows": listed, "written": written, "errors": errors}
    return page(
        request, "studio/versions/variables.html", nav="settings", tab="variables", status_code=status_code, **context
    )


search.offer("Variables", "variable", variables.named)
