"""A sentence for the next page: "Key revoked." It waits in a signed cookie, so that no row is written for it.

On htmx answers there is no next page: `render.fragment(..., toast=…)` sends it along as the event `toast`.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from app.web import cookies
from app.web.cookies import Connection
from app.web.scopes import state_of
from app.web.signed import sign, unsign

Kind = Literal["info", "success", "warning", "danger"]
_COOKIE = "agentbase_flash"


class Toast(Struct, frozen=True):
    """What the toast says. `undo` is a path to POST to, "" = nothing to undo; it is offered for 10 seconds."""

    text: str
    kind: Kind = "success"
    undo: str = ""


def flash(connection: Connection, text: str, kind: Kind = "success", undo: str = "") -> None:
    """Show this on the page that comes next, in this answer or the one after a redirect; it waits 60 seconds at
    most.
    """
    waiting = [*_waiting(connection), Toast(text, kind, undo)][-3:]
    state_of(connection.scope)["flash"] = waiting
    cookies.put(connection, _COOKIE, sign("flash", msgspec.json.encode(waiting), 60), 60)


def take(connection: Connection) -> list[Toast]:
    """What waits for this page. It is shown once: the cookie goes."""
    waiting = _waiting(connection)
    if waiting:
        cookies.put(connection, _COOKIE, "", 0)
        state_of(connection.scope)["flash"] = []
    return waiting


def _waiting(connection: Connection) -> list[Toast]:
    state = state_of(connection.scope)
    if "flash" not in state:
        raw = unsign("flash", cookies.read(connection, _COOKIE))
        state["flash"] = msgspec.json.decode(raw, type=list[Toast]) if raw else []
    toasts: list[Toast] = state["flash"]
    return toasts
