"""Addresses whose secret part is the proof: links to one run or one flow. Derived, so that a link can be shown again to
who made it; only a hash is stored, so that the database alone opens none.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from app import config

HEADERS = {"x-robots-tag": "noindex", "referrer-policy": "no-referrer", "cache-control": "no-store"}
"""Of every page behind such an address: no search engine, no other site and no cache learns it."""


def token(purpose: str, ident: UUID) -> str:
    """43 characters. One made for a purpose is worth nothing for another."""
    digest = hmac.digest(config.derive(purpose), ident.bytes, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def proof(token: str) -> bytes:
    """What is stored of it."""
    return hashlib.sha256(token.encode()).digest()
