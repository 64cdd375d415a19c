"""Other ways in: Google, GitHub, or any OpenID Connect provider. Which ones there are is the operator's setting."""

from msgspec import Struct

from app import config


class Provider(Struct, frozen=True):
    """`issuer` is what an id token must name. GitHub has no id tokens: its addresses are fixed, `plain` is true."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    plain: bool = False


def providers() -> list[Provider]:
    """Those with an id and a secret."""
    s = config.settings()
    known = (
        Provider("google", "Google", "https://accounts.google.com", s.signin_google_id, s.signin_google_secret),
        Provider("github", "GitHub", "https://github.com", s.signin_github_id, s.signin_github_secret, plain=True),
        Provider("oidc", s.oidc_name or "your organisation", s.oidc_issuer.rstrip("/"), s.oidc_id, s.oidc_secret),
    )
    return [each for each in known if each.client_id and each.issuer]
