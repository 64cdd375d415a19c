"""The signature of Standard Webhooks: "v1,<base64 of HMAC-SHA256 over id.timestamp.body>". Pure.

Source: standardwebhooks.com, specification 1.0; its reference vector is in tests/app/triggers/test_signatures.py.
"""

import base64
import binascii
import hmac


def key_of(secret: str) -> bytes:
    """The bytes of a secret: base64 behind whsec_, else the text itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret[6:], validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def signature(secret: str, delivery: str, stamp: int, body: bytes) -> str:
    signed = hmac.digest(key_of(secret), f"{delivery}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"
