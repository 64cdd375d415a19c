"""What comes in about triggers."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class SwitchForm(Struct, frozen=True, forbid_unknown_fields=True):
    """On: it fires. Off: it doesn't, until somebody switches it on again; publishing does not."""

    on: bool


class SecretForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`secret`: what the sender's service shows; empty = one is made here."""

    secret: Annotated[str, Meta(max_length=500)] = ""


class PaceForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`none`: as it comes. `quiet`: after `seconds` in which nothing came, `longest` after the first at the latest,
    with the first input, the last one, or all (`input.collected`). `rate`: at most `most` in any `seconds`, the others
    are queued or dropped. `key`: CEL over `input` and `vars`; each of its values has a pace of its own.
    """

    mode: Literal["none", "quiet", "rate"]
    seconds: Annotated[int, Meta(ge=1, le=86_400)] = 10
    key: Annotated[str, Meta(max_length=500)] = ""
    take: Literal["first", "last", "collect"] = "last"
    longest: Annotated[int, Meta(ge=1, le=864_000)] | None = None
    most: Annotated[int, Meta(ge=1, le=10_000)] = 1
    over: Literal["queue", "drop"] = "queue"


class PacePageForm(Struct, frozen=True):
    """The same from a page: numbers as they were written."""

    mode: Literal["none", "quiet", "rate"] = "none"
    seconds: Annotated[str, Meta(max_length=10)] = ""
    key: Annotated[str, Meta(max_length=500)] = ""
    take: Literal["first", "last", "collect"] = "last"
    longest: Annotated[str, Meta(max_length=10)] = ""
    most: Annotated[str, Meta(max_length=10)] = ""
    over: Literal["queue", "drop"] = "queue"
