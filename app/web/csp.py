"""What a dashboard page may load and do. Published sites have their own, in app/sites."""

import secrets
from functools import lru_cache

from app import config
from app.web.scopes import AnyScope, state_of


def nonce(scope: AnyScope) -> str:
    """The random word of this answer that allows its scripts: made at first use, the same through the whole request."""
    state = state_of(scope)
    word: str | None = state.get("nonce")
    if word is None:  # not `setdefault`: a page asks fifty times, and fifty words from the system cost milliseconds
        word = state["nonce"] = secrets.token_urlsafe(16)
    return word


def policy(word: str) -> str:
    """No inline style, no eval, no script without this answer's nonce (scripts that it loads are trusted:
    strict-dynamic), and no text becomes markup except through two policies: htmx's own behind its nonce gate, and the
    canvas's one line (static/src/canvas/swap.js).

    `frame-src` opens only the sites' own origins, for the preview; nobody may frame the dashboard itself.
    """
    frames = _frames(config.settings().sites_domain)
    return f"{_PREFIX}script-src 'nonce-{word}' 'strict-dynamic'; style-src 'self' 'nonce-{word}'; frame-src {frames}"


def looking(word: str) -> str:
    """For pages that strangers open by a link and only look at: they send nothing, ask nothing and make no markup of
    text. One script of ours draws; nothing else of the dashboard runs there.
    """
    return (
        "default-src 'none'; img-src 'self' data:; font-src 'self'; style-src 'self'; connect-src 'none'; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'; "
        f"script-src 'nonce-{word}' 'strict-dynamic'"
    )


_PREFIX = (
    "default-src 'none'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx agentbase-canvas; "
)


@lru_cache(maxsize=4)
def _frames(domain: str) -> str:
    return f"'self' http://*.{domain}:* https://*.{domain}:*" if domain else "'self'"
