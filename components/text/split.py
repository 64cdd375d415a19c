"""text.split: one long text in, overlapping chunks out."""

from typing import Annotated

from msgspec import Meta, Struct

from flows.sdk import Context, NodeError, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1, le=100_000, title="Chunk size", description="Characters per chunk.")] = 1_000
    overlap: Annotated[int, Meta(ge=0, title="Overlap", description="Characters repeated from the chunk before.")] = 100


class Inputs(Struct, frozen=True):
    text: str


class Outputs(Struct, frozen=True):
    chunks: list[str]


@node(
    "text.split",
    version=1,
    title="Split text",
    effect="pure",
    icon="scissors",
    summary=lambda settings: f"Chunks of {settings.size:,} characters, {settings.overlap:,} repeated",
)
async def split(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Cut `text` into chunks of at most `size`; each begins with the last `overlap` characters of the one before.

    Lengths are Unicode code points, not bytes and not model tokens.
    n characters give max(1, ceil((n - overlap) / (size - overlap))) chunks; empty text gives one empty chunk.

    Raises NodeError(field="overlap") when overlap >= size: the window would never advance.
    """
    if settings.overlap >= settings.size:
        raise NodeError(
            f"Overlap ({settings.overlap}) must be smaller than chunk size ({settings.size}). "
            "Lower 'Overlap' or raise 'Chunk size'.",
            field="overlap",
        )
    stride = settings.size - settings.overlap
    starts = range(0, max(1, len(inputs.text) - settings.overlap), stride)
    return Outputs(chunks=[inputs.text[i : i + settings.size] for i in starts])
