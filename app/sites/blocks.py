"""What a page is made of: an ordered list of blocks, plain data, the same in draft and in the published page."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

BlockId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$", title="Block id")]
Line = Annotated[str, Meta(max_length=200)]
Paragraph = Annotated[str, Meta(max_length=2_000)]


class _Block(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    id: BlockId


class Hero(_Block, frozen=True, forbid_unknown_fields=True, tag="hero"):
    """The first thing one sees: a headline, a sentence, one button that leads to another block of the page."""

    title: Annotated[str, Meta(min_length=1, max_length=120)]
    text: Paragraph = ""
    button: Line = ""
    target: BlockId = "chat"


class Text(_Block, frozen=True, forbid_unknown_fields=True, tag="text"):
    """Prose in Markdown (CommonMark, no HTML)."""

    markdown: Annotated[str, Meta(max_length=20_000)] = ""


class Chat(_Block, frozen=True, forbid_unknown_fields=True, tag="chat"):
    """A conversation with a flow that starts with `start.chat`. It says who answers and how long the talk is kept."""

    flow_id: UUID
    title: Line = "Ask us"
    greeting: Paragraph = ""
    suggestions: Annotated[list[Line], Meta(max_length=6)] = msgspec.field(default_factory=list)
    placeholder: Line = "Your question"
    contact: Annotated[str, Meta(max_length=254)] = ""


class Form(_Block, frozen=True, forbid_unknown_fields=True, tag="form"):
    """A form whose fields are those of the flow's `start.form` step; the flow's result is shown in its place."""

    flow_id: UUID
    title: Line = ""
    text: Paragraph = ""
    button: Line = "Send it"


Block = Hero | Text | Chat | Form
BlockKind = Literal["hero", "text", "chat", "form"]
MAX_BLOCKS = 40


def encode(blocks: list[Block]) -> str:
    return msgspec.json.encode(blocks).decode()


def decode(stored: str | bytes) -> list[Block]:
    return msgspec.json.decode(stored, type=list[Block])


def bound_flows(blocks: list[Block]) -> set[UUID]:
    """The flows a page talks to."""
    return {block.flow_id for block in blocks if isinstance(block, Chat | Form)}
