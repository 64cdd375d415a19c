"""May this request enter? One guard per router; a route says more by its `opt`.

`opt` words: `public=True` (nobody needs to be known) · `viewer=True` (an unsafe route that viewers may use, too) ·
`scope="run"` (what an API key needs; unsaid: "read" for safe methods, "write" for the others).
The route-table test walks every route and fails on one that no guard here covers.
"""

from litestar.handlers import BaseRouteHandler

from app.errors import DomainError, NotAllowed
from app.web.actor import Actor
from app.web.cookies import Connection
from app.web.csrf import SAFE
from app.web.session import actor_of


class SignInNeeded(DomainError):
    """Nobody is signed in. Pages answer it by going to the sign-in form, the API by 401."""

    default_status = 401
    default_code = "sign_in_needed"


async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """The dashboard's guard: a person with a session. Viewers look, and change only what is their own."""
    if handler.opt.get("public"):
        return
    actor = known(connection)
    if connection.scope.get("method") not in SAFE and actor.role == "viewer" and not handler.opt.get("viewer"):
        raise NotAllowed("You can look at this workspace, not change it.", remedy="Ask an owner to make you an editor.")


async def can_edit(connection: Connection, handler: BaseRouteHandler) -> None:
    """For pages that only editors and owners see at all."""
    if not known(connection).can_edit:
        raise NotAllowed("This is up to the editors of this workspace.", remedy="Ask an owner to make you an editor.")


async def owner_only(connection: Connection, handler: BaseRouteHandler) -> None:
    if not known(connection).is_owner:
        raise NotAllowed("This is up to the owners of this workspace.", remedy="Ask an owner to do it for you.")


async def api_key(connection: Connection, handler: BaseRouteHandler) -> None:
    """The API's guard: a bearer key with the scope that the route asks for. A session's cookie means nothing here."""
    if handler.opt.get("public"):
        return
    actor = actor_of(connection)
    if actor is None or actor.role != "key":
        raise SignInNeeded(
            "This needs an API key.",
            remedy="Send it as 'Authorization: Bearer <key>'. Make one under Settings, API keys, or by "
            "`agentbase key create`.",
        )
    needed = handler.opt.get("scope") or ("read" if connection.scope.get("method") in SAFE else "write")
    if needed not in actor.scopes:
        raise NotAllowed(
            f"This key has {', '.join(sorted(actor.scopes)) or 'no rights'}; this needs '{needed}'.",
            remedy="Make a key with that right under Settings, API keys.",
            code="scope_missing",
        )


def known(connection: Connection) -> Actor:
    """The actor, or SignInNeeded."""
    actor = actor_of(connection)
    if actor is None:
        raise SignInNeeded("You are not signed in.", remedy="Sign in, then do it once more.")
    return actor


def provide_actor(request: Connection) -> Actor:
    """Litestar dependency `actor: NamedDependency[Actor]`."""
    return known(request)
