"""What people do with their sites. Every verb is one transaction and takes the actor first."""

from app.sites.service.blocks import add_block, change_block, place_block, remove_block
from app.sites.service.faces import SiteFaces, show_flow
from app.sites.service.pages import add_page, publish_page, restore_page, save_page, unpublish_page
from app.sites.service.sites import change_site, open_site, slug_of

__all__ = [
    "SiteFaces",
    "add_block",
    "add_page",
    "change_block",
    "change_site",
    "open_site",
    "place_block",
    "publish_page",
    "remove_block",
    "restore_page",
    "save_page",
    "show_flow",
    "slug_of",
    "unpublish_page",
]
