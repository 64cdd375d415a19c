"""What comes in about sites and pages, with limits."""

from typing import Annotated

from msgspec import Meta, Struct

from app.sites.blocks import MAX_BLOCKS, Block
from app.sites.palette import HOME_HUE

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", title="Address")]
Path = Annotated[str, Meta(pattern=r"^/([a-z0-9-]{1,60})?$", title="Address on the site")]
Title = Annotated[str, Meta(min_length=1, max_length=120, title="Title")]


class SiteForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A site's name, address and look. `turns_per_day` is what one visitor may ask of one site in 24 hours."""

    name: Annotated[str, Meta(min_length=1, max_length=80, title="Name")]
    slug: Slug
    hue: Annotated[float, Meta(ge=0, lt=360, title="Colour")] = HOME_HUE
    strength: Annotated[float, Meta(ge=0, le=1.2, title="Strength")] = 1.0
    keep_days: Annotated[int, Meta(ge=1, le=365, title="Days to keep conversations")] = 30
    turns_per_day: Annotated[int, Meta(ge=1, le=10_000, title="Questions per visitor and day")] = 100


class PageForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole page as it should be in the draft. `rev` is the revision it was made from: an older one is refused."""

    title: Title
    rev: int
    path: Path = "/"
    description: Annotated[str, Meta(max_length=300, title="Description")] = ""
    blocks: Annotated[list[Block], Meta(max_length=MAX_BLOCKS)] = []


class NewPageForm(Struct, frozen=True, forbid_unknown_fields=True):
    title: Title
    path: Path
