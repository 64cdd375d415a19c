"""What comes in about triggers."""

from typing import Annotated

from msgspec import Meta, Struct


class SwitchForm(Struct, frozen=True, forbid_unknown_fields=True):
    """On: it fires. Off: it doesn't, until somebody switches it on again; publishing does not."""

    on: bool


class SecretForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`secret`: what the sender's service shows; empty = one is made here."""

    secret: Annotated[str, Meta(max_length=500)] = ""
