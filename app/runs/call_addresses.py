"""Addresses of one step of one run: made and read back from the address alone, so nothing is stored for them."""

import base64
import hashlib
import hmac
from uuid import UUID

from msgspec import Struct

from app import config
from flows.sdk.context import Context

PREFIX = "/calls/"
PROOF = 16
"""Bytes: 128 bits of an HMAC-SHA256."""
LONGEST = 1_200


class Place(Struct, frozen=True):
    """The step whose address it is. `node`: its path, `iter`: its rounds."""

    run_id: UUID
    node: str
    iter: str


class StepCalls:
    """The `calls` capability of a step. In a trial that is no run (tests of flows) the address leads nowhere."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def address(self) -> str:
        try:
            token = token_of(Place(UUID(self._ctx.run_id), self._ctx.node_id, self._ctx.iter))
        except ValueError:
            token = f"trial-{self._ctx.node_id}-{self._ctx.iter}"
        return config.settings().base_url + PREFIX + token


def calls_for(ctx: Context) -> StepCalls:
    return StepCalls(ctx)


def token_of(place: Place) -> str:
    raw = place.run_id.bytes + f"{place.node}:{place.iter}".encode()
    return base64.urlsafe_b64encode(raw + _proof(raw)).rstrip(b"=").decode()


def place_of(token: str) -> Place | None:
    """None for what was not made here. Nothing is looked up before the proof holds."""
    if not token.isascii() or len(token) > LONGEST:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body, proof = raw[:-PROOF], raw[-PROOF:]
        if len(body) < 18 or not hmac.compare_digest(proof, _proof(body)):
            return None
        node, _, iter = body[16:].decode().rpartition(":")
    except ValueError:
        return None
    place = Place(UUID(bytes=body[:16]), node, iter)
    return place if token_of(place) == token else None


def _proof(raw: bytes) -> bytes:
    return hmac.digest(config.derive("run-call"), raw, hashlib.sha256)[:PROOF]
