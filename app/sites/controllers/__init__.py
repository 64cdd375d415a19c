"""Pages of this domain in the dashboard."""

from app.sites.controllers.pages import BlockController, PageController
from app.sites.controllers.site import SiteController

routes = [SiteController, PageController, BlockController]

__all__ = ["routes"]
