"""Pages of this domain in the dashboard."""

from app.sites import queries
from app.sites.controllers.pages import BlockController, PageController
from app.sites.controllers.site import SiteController
from app.web import search

search.offer("Pages of the site", "file-text", queries.named)
routes = [SiteController, PageController, BlockController]

__all__ = ["routes"]
