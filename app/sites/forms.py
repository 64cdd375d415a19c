"""What comes in about sites and pages, with limits."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.errors import Refused
from app.sites.blocks import MAX_BLOCKS, Block, BlockKind
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


class OpenForm(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80, title="Name")]


class AboutForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What a page is called and where it lies."""

    title: Title
    path: Path
    description: Annotated[str, Meta(max_length=300, title="Description")] = ""


class AddForm(Struct, frozen=True, forbid_unknown_fields=True):
    kind: BlockKind


class PlaceForm(Struct, frozen=True, forbid_unknown_fields=True):
    position: Annotated[int, Meta(ge=0, le=MAX_BLOCKS)]


def block_from(kind: str, block_id: str, sent: Mapping[str, str]) -> Block:
    """A block out of a form's texts: suggestions are one a line. Raises msgspec.ValidationError naming the field."""
    values: dict[str, Any] = {
        name: text.replace("\r\n", "\n").strip() for name, text in sent.items() if name != "_csrf"
    }
    if "suggestions" in values:
        values["suggestions"] = [line.strip() for line in values["suggestions"].split("\n") if line.strip()]
    return _block({**values, "kind": kind, "id": block_id})


def fresh_block(kind: BlockKind, flows: Sequence[UUID]) -> Block:
    """A new block with words in it, so that the preview shows something at once."""
    first: dict[str, Any] = {"id": kind, "kind": kind}
    match kind:
        case "hero":
            return _block({**first, "title": "A headline in a few words"})
        case "text":
            return _block({**first, "markdown": "## Something to read\n\nWrite it here."})
        case _ if not flows:
            raise Refused("No flow is published yet.", remedy="Publish a flow first, then it can answer here.")
        case "chat":
            return _block({**first, "flow_id": str(flows[0])})
        case "form":
            return _block({**first, "flow_id": str(flows[0]), "title": "Tell us"})


def kept_block(text: str) -> Block:
    """A block that an undo link carries, checked like any other input."""
    try:
        return _block(msgspec.json.decode(bytes.fromhex(text)))
    except ValueError:
        raise Refused("This can't be undone any more.", remedy="Add the part again.") from None


def _block(values: Any) -> Block:
    block: Block = msgspec.convert(values, Block, strict=False)
    return block
