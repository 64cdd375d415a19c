"""What comes in about secrets."""

from typing import Annotated

from msgspec import Meta, Struct


class SecretForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`hosts`: names of servers it may be sent to, with commas or blanks between; "" = any."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    value: Annotated[str, Meta(min_length=1, max_length=65_536)]
    hosts: Annotated[str, Meta(max_length=500)] = ""
