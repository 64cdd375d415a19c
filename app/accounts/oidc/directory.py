"""Which providers there are, and where their doors are."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from app import clock, config, egress
from app.errors import NotFound, Unavailable
from app.logs import logger

log = logger(__name__)
KEPT = 3600.0
"""Seconds for which a provider's own description and keys are not asked for again."""


class Provider(Struct, frozen=True):
    """`issuer` is what an id token must name. `plain`: OAuth without id tokens (GitHub); its addresses are fixed."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    plain: bool = False


class Doors(Struct, frozen=True):
    """The part of a provider's description (OpenID Discovery) that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


GITHUB = Doors(
    "https://github.com",
    "https://github.com/login/oauth/authorize",
    "https://github.com/login/oauth/access_token",
    token_endpoint_auth_methods_supported=("client_secret_post",),
)
GITHUB_API = "https://api.github.com"
_kept: dict[str, tuple[float, Any]] = {}


def providers() -> list[Provider]:
    """Those that the operator gave an id."""
    s = config.settings()
    known = (
        Provider("google", "Google", "https://accounts.google.com", s.signin_google_id, s.signin_google_secret),
        Provider("github", "GitHub", GITHUB.issuer, s.signin_github_id, s.signin_github_secret, plain=True),
        Provider("oidc", s.oidc_name or "your organisation", s.oidc_issuer.rstrip("/"), s.oidc_id, s.oidc_secret),
    )
    return [each for each in known if each.client_id and each.issuer]


def provider(key: str) -> Provider:
    """Raises NotFound for one that is not switched on."""
    for each in providers():
        if each.key == key:
            return each
    raise NotFound("This way to sign in is not switched on here.", remedy="Sign in with your password.")


async def doors(provider: Provider) -> Doors:
    """Where to send the browser and where to fetch the token. Raises Unavailable when the provider can't be asked.

    What the description calls its issuer must be the one that was configured, else anybody's description would do.
    """
    if provider.plain:
        return GITHUB
    found = msgspec.convert(await ask(provider, f"{provider.issuer}/.well-known/openid-configuration"), Doors)
    if found.issuer.rstrip("/") != provider.issuer:
        log.error("a provider describes itself as another", expected=provider.issuer, got=found.issuer)
        raise _silent(provider)
    return found


async def ask(provider: Provider, url: str, *, anew: bool = False) -> Any:
    """JSON from the provider, remembered for an hour."""
    kept = _kept.get(url)
    if kept and not anew and clock.monotonic() - kept[0] < KEPT:
        return kept[1]
    found = await fetch(provider, "GET", url)
    _kept[url] = (clock.monotonic(), found)
    return found


async def fetch(
    provider: Provider, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b""
) -> Any:
    """One JSON answer from the provider. The host of its issuer may be private (an operator's own), no other may."""
    reach = egress.Reach(allow=(urlsplit(provider.issuer).hostname or "",))
    limits = egress.Limits(seconds=10.0, size=1_000_000, redirects=0)
    try:
        reply = await egress.send(
            method, url, headers={"accept": "application/json"} | (headers or {}), body=body, reach=reach, limits=limits
        )
        if reply.status != 200:
            log.warning("a sign-in provider refused", provider=provider.key, status=reply.status, url=url)
            raise _silent(provider)
        return msgspec.json.decode(reply.body)
    except (egress.EgressError, msgspec.DecodeError) as problem:
        log.warning("a sign-in provider does not answer", provider=provider.key, problem=str(problem))
        raise _silent(provider) from None


def _silent(provider: Provider) -> Unavailable:
    return Unavailable(
        f"{provider.name} does not answer as it should just now.", remedy="Try again, or sign in with your password."
    )
