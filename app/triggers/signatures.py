"""Schemes by which senders sign webhook calls. Pure: headers, raw body and secrets in, the delivery's id out.

Always over the body as it came, before anything reads it; compared in constant time; every secret and every signature
that came is tried, so that neither a change of secrets nor the time it takes tells anything.

Sources: standardwebhooks.com (specification 1.0), the providers' own pages on verifying webhook signatures.
"""

import base64
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from app.runs.service import Admitted, Forged
from app.webhooks.service import key_of

MOST_SIGNATURES = 20
LONGEST_ID = 150
Headers = Mapping[bytes, bytes]


def check(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    """Raises Forged. `settings` are those of start.webhook; `secrets` the present one and those not yet over."""
    if not secrets:
        raise Forged("no_secret", "No secret is set, so no call can be checked. Set one on this page.")
    return SCHEMES[settings.signature](settings, secrets, headers, body, now)


def _standard(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    delivery, stamp = headers.get(b"webhook-id", b""), headers.get(b"webhook-timestamp", b"")
    _recent(stamp, settings.tolerance, now)
    given = [part[3:] for part in _parts(headers.get(b"webhook-signature", b""), b" ") if part.startswith(b"v1,")]
    if not delivery:
        raise Forged("no_id", "The header webhook-id is missing.")
    wanted = [
        base64.b64encode(hmac.digest(key_of(secret), delivery + b"." + stamp + b"." + body, "sha256"))
        for secret in secrets
    ]
    _same(given, wanted)
    return Admitted(_id("standard", delivery))


def _github(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    given = headers.get(b"x-hub-signature-256", b"")
    wanted = [b"sha256=" + hmac.digest(secret.encode(), body, "sha256").hex().encode() for secret in secrets]
    _same([given.strip()], wanted)
    return Admitted(_id("github", headers.get(b"x-github-delivery", b"")))


def _stripe(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    pairs = [part.partition(b"=") for part in _parts(headers.get(b"stripe-signature", b""), b",")]
    stamp = next((value for name, _, value in pairs if name.strip() == b"t"), b"")
    _recent(stamp, settings.tolerance, now)
    given = [value.strip() for name, _, value in pairs if name.strip() == b"v1"]
    _same(given, [hmac.digest(s.encode(), stamp + b"." + body, "sha256").hex().encode() for s in secrets])
    return Admitted(_id("stripe", _field(body, "id")))


def _slack(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    stamp = headers.get(b"x-slack-request-timestamp", b"")
    _recent(stamp, settings.tolerance, now)
    given = headers.get(b"x-slack-signature", b"").strip()
    signed = b"v0:" + stamp + b":" + body
    _same([given], [b"v0=" + hmac.digest(s.encode(), signed, "sha256").hex().encode() for s in secrets])
    if _field(body, "type") == b"url_verification":  # only now: a stranger must not be able to answer challenges
        return Admitted(answer=_field(body, "challenge"))
    return Admitted(_id("slack", _field(body, "event_id")))


def _hmac(settings: Any, secrets: Sequence[str], headers: Headers, body: bytes, now: float) -> Admitted:
    signed = body
    if settings.stamp_header:
        stamp = headers.get(settings.stamp_header.lower().encode(), b"")
        _recent(stamp, settings.tolerance, now)
        signed = stamp + b"." + body
    given = headers.get(settings.header.lower().encode(), b"").strip()
    name = f"{settings.algorithm}=".encode()
    given = given[len(name) :] if given.lower().startswith(name) else given
    wanted = []
    for secret in secrets:
        digest = hmac.digest(secret.encode(), signed, settings.algorithm)
        wanted += [digest.hex().encode(), base64.b64encode(digest)]
    _same([given, given.lower()], wanted)
    delivery = headers.get(settings.id_header.lower().encode(), b"") if settings.id_header else b""
    return Admitted(_id("hmac", delivery))


SCHEMES: Mapping[str, Callable[[Any, Sequence[str], Headers, bytes, float], Admitted]] = {
    "standard": _standard, "github": _github, "stripe": _stripe, "slack": _slack, "hmac": _hmac,
}  # fmt: skip


def _recent(stamp: bytes, tolerance: int, now: float) -> None:
    if not (stamp.isdigit() and len(stamp) <= 12):
        raise Forged("no_time", "The call does not say when it was signed.")
    if abs(now - int(stamp)) > tolerance:
        old = "too old" if int(stamp) < now else "from the future"
        raise Forged(
            "not_recent", f"The call is {old}: {abs(round(now - int(stamp))):,} s; at most {tolerance} s count."
        )


def _same(given: Iterable[bytes], wanted: Iterable[bytes]) -> None:
    found = False
    wanted = list(wanted)
    for one in list(given)[:MOST_SIGNATURES]:
        for other in wanted:
            found |= hmac.compare_digest(one, other)
    if not found:
        raise Forged("wrong", "The signature is missing or was made with another secret, or the body was changed.")


def _parts(value: bytes, separator: bytes) -> list[bytes]:
    return [part.strip() for part in value.split(separator)[: MOST_SIGNATURES + 1] if part.strip()]


def _id(scheme: str, delivery: bytes) -> str:
    """Printable and short; an id that is neither is no id."""
    text = delivery.decode("latin-1")
    return f"{scheme} {text}" if 0 < len(text) <= LONGEST_ID and text.isprintable() else ""


def _field(body: bytes, name: str) -> bytes:
    """A text field at the top of a JSON body that was verified, "" when there is none."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    found = value.get(name) if isinstance(value, dict) else None
    return found.encode() if isinstance(found, str) else b""
