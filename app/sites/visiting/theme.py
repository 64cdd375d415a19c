"""Rendering with a theme: sandboxed Jinja templates of a package, which see plain values and nothing of ours."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

import marketplace

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
