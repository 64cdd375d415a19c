"""What visitors can ask of a site's host. Every page reads without scripts; scripts only make it pleasanter."""

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.errors import NotFound
from app.sites.visiting.controllers.chat import ChatController
from app.sites.visiting.controllers.forms import FormController
from app.sites.visiting.controllers.pages import PageController
from app.sites.visiting.controllers.ratings import RatingController
from app.sites.visiting.controllers.showing import Asking
from app.sites.visiting.visit import COOKIE, Visit, site_of_host, visitor_of
from app.web import address, cookies


async def provide_visit(request: Asking) -> Visit:
    site = await site_of_host(request.headers.get("host", ""))
    if site is None:
        raise NotFound("There is no site at this address.", remedy="Check the address for typing mistakes.")
    request.scope["state"]["site"] = site
    return Visit(site, visitor_of(cookies.read(request, COOKIE)), address.of(request.scope))


routes: list[ControllerRouterHandler] = [
    Router(
        "/",
        route_handlers=[PageController, ChatController, FormController, RatingController],
        dependencies={"visit": Provide(provide_visit)},
    )
]
