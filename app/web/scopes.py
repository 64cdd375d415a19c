"""What we keep of a request between middleware, guards and pages: in ASGI's own `scope["state"]`."""

from collections.abc import Mapping
from typing import Any

AnyScope = Mapping[str, Any]
"""An ASGI scope, whichever library's type it has."""


def state_of(scope: AnyScope) -> dict[str, Any]:
    """The request's own dict. The host dispatcher and Litestar make sure that it is there and belongs to this
    request alone.
    """
    state: dict[str, Any] = scope["state"]
    return state


def header(scope: AnyScope, name: bytes) -> str:
    """First value of a header (lower-case name), or "". Latin-1, as ASGI defines."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""
