"""The values that travel along wires, beside plain JSON: text, numbers, yes/no, lists and objects."""

from typing import Any, Literal

from msgspec import Struct

Json = Any
"""Anything JSON can hold: None, bool, int, float, str, list of Json, dict of str to Json."""

Role = Literal["system", "user", "assistant", "tool"]


class Message(Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation. On a wire to a text port it becomes its `text`."""

    text: str
    role: Role = "user"
    name: str = ""


class Ended(Struct, frozen=True, omit_defaults=True):
    """How a wire into a join ended: with a value, skipped, or failed with the error of step `step`."""

    step: str
    status: Literal["done", "skipped", "failed"]
    value: Json = None
    error: str = ""


class File(Struct, frozen=True, omit_defaults=True):
    """A stored file by reference. `size` is in bytes; the content is read through the `files` capability.

    `text`: of a document that was made of a text, all it holds; then `id` is "" and nothing is stored.
    """

    id: str
    name: str
    media_type: str
    size: int
    text: str = ""


class Image(File, frozen=True, omit_defaults=True):
    """A file whose media type is image/…."""


class Audio(File, frozen=True, omit_defaults=True):
    """A file whose media type is audio/…."""


class Document(File, frozen=True, omit_defaults=True):
    """A file that people read: text of any kind, PDF, and what office programs write (`DOCUMENTS`)."""


DOCUMENTS = (
    "text/", "application/pdf", "application/json", "application/xml", "application/rtf", "application/msword",
    "application/epub+zip", "application/vnd.oasis.opendocument.", "application/vnd.openxmlformats-officedocument.",
    "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
)  # fmt: skip
"""Media types of documents, or how they begin."""

KINDS: dict[type[File], tuple[str, ...]] = {Image: ("image/",), Audio: ("audio/",), Document: DOCUMENTS}
"""Kinds of files, and how their media types begin."""


def is_kind(file: File, kind: type[File]) -> bool:
    """Whether a file's media type is one of this kind. The name says nothing: anybody may give any."""
    return kind not in KINDS or file.media_type.partition(";")[0].strip().lower().startswith(KINDS[kind])
