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
    """A stored file by reference. `size` is in bytes; the content is read through the `files` capability."""

    id: str
    name: str
    media_type: str
    size: int
