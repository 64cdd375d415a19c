"""What comes in about triggers."""

from msgspec import Struct


class SwitchForm(Struct, frozen=True, forbid_unknown_fields=True):
    """On: it fires. Off: it doesn't, until somebody switches it on again; publishing does not."""

    on: bool
