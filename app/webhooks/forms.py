"""What comes in about outgoing webhooks, with limits."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct


class EndpointForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`kinds`: patterns of event types, separated by commas or spaces: run.failed, flow.*; empty = all.

    `secret`: the name of one in the vault that signs; empty = one is made for this endpoint.
    """

    url: Annotated[str, Meta(min_length=8, max_length=2000)]
    name: Annotated[str, Meta(max_length=100)] = ""
    kinds: Annotated[str, Meta(max_length=2000)] = ""
    secret: Annotated[str, Meta(max_length=100)] = ""


class ReplayForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that was given up since a moment; without one, everything that was given up."""

    since: datetime | None = None
