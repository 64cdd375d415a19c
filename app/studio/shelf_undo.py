"""What was before a deed for several flows at once: it travels in the toast, signed, and is kept nowhere."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.errors import NotFound
from app.web.signed import sign, unsign

MOST = 90
"""Flows of which a toast remembers what was; it waits in a cookie of 4 KB."""
LASTS = 600
"""Seconds."""

Aspect = Literal["folder", "tags", "archived"]


class Before(Struct, frozen=True, array_like=True):
    """`groups`: what was, and the flows (16 bytes each) for which it was that: a folder's id or "", their tags, or
    nothing for flows that were not in the archive.
    """

    aspect: Aspect
    groups: list[tuple[list[str], bytes]]

    def flows(self) -> Iterable[tuple[list[str], list[UUID]]]:
        for was, ids in self.groups:
            yield was, [UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids) - 15, 16)]


def path(aspect: Aspect, was: dict[UUID, list[str]]) -> str:
    """Where a toast's Undo posts to; "" (no Undo) when nothing changed or these are too many."""
    if not was or len(was) > MOST:
        return ""
    groups: dict[tuple[str, ...], bytes] = {}
    for id, value in was.items():
        groups[tuple(value)] = groups.get(tuple(value), b"") + id.bytes
    before = Before(aspect, [(list(value), ids) for value, ids in groups.items()])
    return f"/flows/returns/{sign('shelf', msgspec.msgpack.encode(before), LASTS)}"


def read(token: str) -> Before:
    """Raises NotFound for a token that is not ours, or too old."""
    payload = unsign("shelf", token)
    if payload is None:
        raise NotFound("This can’t be undone any more.")
    return msgspec.msgpack.decode(payload, type=Before)
