"""The site's pages and the small files that belong to it."""

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.sites.garden import sprout
from app.sites.palette import stylesheet
from app.sites.visiting import previews, published
from app.sites.visiting.controllers.showing import Asking, form_fields_of, show, state_of
from app.sites.visiting.views import PageState
from app.sites.visiting.visit import Visit
from app.web import address


class PageController(Controller):
    """The site's pages and the small files that belong to it."""

    @get(["/", "/{path:str}"], name="site:page")
    async def page(self, request: Asking, visit: NamedDependency[Visit], path: FromPath[str] = "") -> Response[str]:
        page = await published.page_at(visit.site, f"/{path}")
        return await show(request, visit, page, await state_of(visit, page))

    @get("/preview/{ticket:str}", name="site:preview")
    async def preview(self, request: Asking, visit: NamedDependency[Visit], ticket: FromPath[str]) -> Response[str]:
        """A draft, for who has the ticket: signed, good for one hour, of one page."""
        shown = previews.read(ticket)
        request.scope["state"]["framed_by"] = shown.framed_by if shown is not None else ""
        page = await previews.draft(visit.site, shown)
        state = PageState(preview=True, fields=await form_fields_of(visit, page))
        return await show(request, visit, page, state)

    @get("/colours.css", name="site:colours")
    async def colours(self, visit: NamedDependency[Visit]) -> Response[str]:
        return _cached(stylesheet(visit.site.tint), "text/css")

    @get("/icon.svg", name="site:icon")
    async def icon(self, visit: NamedDependency[Visit]) -> Response[str]:
        picture = sprout(visit.site.name).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        for role, paint in (("leaf", "#0c5030"), ("moss", "#559a4a"), ("lime", "#c4ea62")):
            picture = picture.replace(f'class="{role}"', f'fill="{paint}"')
        return _cached(picture, "image/svg+xml")

    @get("/robots.txt", name="site:robots")
    async def robots(self, request: Asking, visit: NamedDependency[Visit]) -> Response[str]:
        return _cached(
            f"User-agent: *\nDisallow: /preview/\nSitemap: {address.origin(request.scope)}/sitemap.xml\n", "text/plain"
        )

    @get("/sitemap.xml", name="site:sitemap")
    async def sitemap(self, request: Asking, visit: NamedDependency[Visit]) -> Response[str]:
        entries = "".join(
            f"<url><loc>{address.origin(request.scope)}{path}</loc></url>" for path in await published.paths(visit.site)
        )
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        return _cached(f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{space}">{entries}</urlset>', "text/xml")


def _cached(body: str, media_type: str) -> Response[str]:
    return Response(body, media_type=media_type, headers={"cache-control": "public, max-age=300"})
