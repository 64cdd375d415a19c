"""One sign-in by a provider: out to it, and back.

authlib and joserfc are loaded by the first such sign-in: most instances have no provider, and every start would wait.
"""

import hmac
import secrets
from typing import Any

import msgspec
from msgspec import Struct

from app import clock
from app.accounts.oidc import directory
from app.accounts.oidc.directory import GITHUB_API, Doors, Provider
from app.errors import Refused
from app.logs import logger

log = logger(__name__)
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures by a public key only: with a symmetric one, the provider's public key could be used to forge."""


class Way(Struct, frozen=True):
    """What the browser carries, signed, while it is away. `connect`: id of the user who connects this account to
    their own.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    back: str
    next: str = ""
    invite: str = ""
    connect: str = ""


class Outside(Struct, frozen=True):
    """Who somebody is at the provider. `email` is "" unless the provider says that it was verified."""

    issuer: str
    subject: str
    email: str
    name: str
    label: str


async def start(provider: Provider, back: str, **more: str) -> tuple[str, Way]:
    """The address to send the browser to, and what it must bring back. `back`: our own address, exactly as
    registered there.
    """
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    way = Way(provider.key, state, nonce, verifier, back, **more)
    doors = await directory.doors(provider)
    address: str = prepare_grant_uri(
        doors.authorization_endpoint,
        provider.client_id,
        "code",
        redirect_uri=back,
        scope="read:user user:email" if provider.plain else "openid email profile",
        state=way.state,
        code_challenge=create_s256_code_challenge(way.verifier),
        code_challenge_method="S256",
        **({} if provider.plain else {"nonce": way.nonce}),
    )
    return address, way


async def finish(provider: Provider, way: Way, *, state: str, code: str, error: str, iss: str) -> Outside:
    """Who came back. Raises Refused for anything that does not fit together, saying no more than to start anew."""
    if way.provider != provider.key or not hmac.compare_digest(state.encode(), way.state.encode()):
        raise _anew("the state is not this browser's")
    if error:
        raise _anew(f"the provider says {error[:100]}", "You did not let us in there, or it was cancelled.")
    doors = await directory.doors(provider)
    if iss.rstrip("/") != doors.issuer.rstrip("/") and (iss or doors.authorization_response_iss_parameter_supported):
        raise _anew("another provider answered")
    if not code:
        raise _anew("no code came back")
    token = await _token(provider, doors, way, code)
    return await (_github(provider, token) if provider.plain else _from_id_token(provider, doors, way, token))


async def _token(provider: Provider, doors: Doors, way: Way, code: str) -> dict[str, Any]:
    from authlib.oauth2.auth import ClientAuth
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    body = prepare_token_request(
        "authorization_code", code=code, redirect_uri=way.back, code_verifier=way.verifier, client_id=provider.client_id
    )
    offered = doors.token_endpoint_auth_methods_supported
    method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
    client = ClientAuth(provider.client_id, provider.client_secret, method if provider.client_secret else "none")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    uri, headers, body = client.prepare("POST", doors.token_endpoint, headers, body)
    # authlib counts the length for its own client; ours writes that header itself
    headers = {name: str(value) for name, value in headers.items() if name.lower() != "content-length"}
    token = await directory.fetch(provider, "POST", uri, headers=headers, body=body.encode())
    if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
        raise _anew("no token came back")
    return token


async def _from_id_token(provider: Provider, doors: Doors, way: Way, token: dict[str, Any]) -> Outside:
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError
    from joserfc.jwk import KeySet

    text = str(token.get("id_token", ""))
    keys = await directory.ask(provider, doors.jwks_uri)
    try:
        try:
            decoded = jwt.decode(text, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        except (InvalidKeyIdError, ValueError):  # they changed their keys since we asked
            keys = await directory.ask(provider, doors.jwks_uri, anew=True)
            decoded = jwt.decode(text, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        claims = decoded.claims
        jwt.JWTClaimsRegistry(
            now=int(clock.epoch()),
            leeway=60,
            iss={"essential": True, "value": doors.issuer},
            aud={"essential": True, "value": provider.client_id},
            nonce={"essential": True, "value": way.nonce},
            sub={"essential": True},
            exp={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError) as problem:
        raise _anew(f"the id token does not hold: {type(problem).__name__}") from None
    if isinstance(claims["aud"], list) and claims.get("azp", provider.client_id) != provider.client_id:
        raise _anew("the id token is for another client")
    email = str(claims.get("email", "")) if claims.get("email_verified") in (True, "true") else ""
    name = str(claims.get("name", ""))[:100]
    label = f"{provider.name}: {claims.get('email') or name or claims['sub']}"
    return Outside(provider.issuer, str(claims["sub"]), email, name, label[:200])


async def _github(provider: Provider, token: dict[str, Any]) -> Outside:
    headers = {"authorization": f"Bearer {token['access_token']}", "x-github-api-version": "2022-11-28"}
    user = await directory.fetch(provider, "GET", f"{GITHUB_API}/user", headers=headers)
    emails = await directory.fetch(provider, "GET", f"{GITHUB_API}/user/emails", headers=headers)
    if not isinstance(user, dict) or not isinstance(user.get("id"), int):
        raise _anew("GitHub did not say who it is")
    verified = [each["email"] for each in emails if each.get("primary") and each.get("verified")]
    login = str(user.get("login", ""))
    return Outside(
        provider.issuer,
        str(user["id"]),
        verified[0] if verified else "",
        str(user.get("name") or login)[:100],
        f"GitHub: {login}"[:200],
    )


def pack(way: Way) -> bytes:
    return msgspec.json.encode(way)


def unpack(raw: bytes) -> Way:
    return msgspec.json.decode(raw, type=Way)


def _anew(reason: str, message: str = "This sign-in could not be finished.") -> Refused:
    log.warning("sign-in by a provider refused", reason=reason)
    return Refused(message, remedy="Start it once more.", code="sign_in_refused")
