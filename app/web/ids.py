"""Random secrets and how they are kept: the secret goes out once, only its SHA-256 stays."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """256 random bits as URL-safe text (43 characters) behind `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a secret: SHA-256, 32 bytes. No salt: the input has 256 random bits, so no table can hold
    it.
    """
    return hashlib.sha256(secret.encode()).digest()
