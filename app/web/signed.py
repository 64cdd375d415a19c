"""Small signed values for cookies and links: readable by whoever holds them, writable only by us."""

import base64
import hashlib
import hmac
from functools import lru_cache
from pathlib import Path

from app import clock, config


def key_for(purpose: str) -> bytes:
    """A 32-byte key of its own for each purpose: a signature made for one is worth nothing in another."""
    settings = config.settings()
    return _derived(purpose, settings.secret_key, settings.data)


@lru_cache(maxsize=64)
def _derived(purpose: str, given: str, data: Path) -> bytes:
    """config.derive reads the secret's file each time; its place and the variable are what it depends on."""
    return config.derive(f"web/{purpose}")


def sign(purpose: str, payload: bytes, seconds: int) -> str:
    """`payload` with a time of death `seconds` from now and an HMAC-SHA256 over both."""
    body = int(clock.epoch() + seconds).to_bytes(8, "big") + payload
    return base64.urlsafe_b64encode(hmac.digest(key_for(purpose), body, hashlib.sha256) + body).rstrip(b"=").decode()


def unsign(purpose: str, value: str) -> bytes | None:
    """The payload of `sign`, or None when it was changed, made for another purpose, or is too old."""
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return None
    mac, body = raw[:32], raw[32:]
    if len(body) < 8 or not hmac.compare_digest(mac, hmac.digest(key_for(purpose), body, hashlib.sha256)):
        return None
    if int.from_bytes(body[:8], "big") < clock.epoch():
        return None
    return body[8:]
