"""Rendering with a theme: sandboxed Jinja templates of a package, which see plain values and nothing of ours."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

import marketplace
from app.sites.garden import sprout
from app.sites.visiting.visit import PublicSite
from app.web.static import asset

THEMES = Path(marketplace.__path__[0]) / "packages" / "themes"


@lru_cache(maxsize=16)
def environment(theme: str) -> ImmutableSandboxedEnvironment:
    """The template environment of an installed theme. A theme's name comes from our own table, never from a request."""
    if not (THEMES / theme / "page.html").is_file():
        theme = "plot"
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(THEMES / theme),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def render(theme: str, template: str, values: dict[str, Any]) -> str:
    return environment(theme).get_template(template).render(values)


def asset_urls(site: PublicSite | None) -> dict[str, list[str]]:
    """Style sheets and scripts of a page: the theme's, then the site's own colours."""
    css = [asset("site-plot.css"), asset("theme-plot.css")]
    if site is not None:
        css.append(f"/colours.css?v={site.tint.hue:g}-{site.tint.strength:g}")
    return {"css": css, "js": [asset("site.js")]}


def error_page(site: PublicSite | None, title: str, remedy: str) -> str:
    """A page for what went wrong, in the site's own look; without a site (an unknown host) in the theme's."""
    name = site.name if site is not None else "Agentbase"
    values = {
        "site": {"name": name, "nav": [], "keep_days": 0},
        "page": {"title": title, "description": "", "path": "", "url": "/"},
        "problem": {"title": title, "remedy": remedy, "home": site is not None},
        "assets": {"css": asset_urls(site)["css"], "js": []},
        "sprout": Markup(sprout(name)),  # noqa: S704 - our own shapes
        "blocks": [],
        "nonce": "",
        "preview": True,
    }
    return render(site.theme if site is not None else "plot", "error.html", values)
