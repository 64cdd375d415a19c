"""data.file: a file that lies in the settings."""

from typing import Annotated

from msgspec import Meta, Struct

from flows.sdk import Context, File, FileRef, NodeError, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    file: Annotated[FileRef, Meta(title="File", description="Up to 16 MB. It stays in this workspace.")] = None


class Outputs(Struct, frozen=True):
    file: File


@node(
    "data.file",
    version=1,
    title="File",
    effect="pure",
    icon="file",
    summary=lambda settings: settings.file.name if settings.file else "No file yet",
)
async def file(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Gives a file that somebody put into the settings, such as a price list or a picture.

    Raises NodeError(field="file") when none was chosen.
    """
    if settings.file is None:
        raise NodeError("No file was chosen. Choose one in the settings.", field="file")
    return Outputs(settings.file)
