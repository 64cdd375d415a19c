"""The ways in: set-up, sign-in, an invitation. And the way out."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody

from app import config
from app.accounts import oidc, queries, service
from app.accounts.device import device_of
from app.accounts.forms import JoinForm, SetupForm, SignInForm
from app.errors import NotAllowed, NotFound
from app.web import address, session
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.places import safe_path
from app.web.render import go, offer, page
from app.web.session import actor_of

offer("sign_in_providers", oidc.providers)
offer("needs_setup_code", lambda request: not address.is_this_machine(request.scope))
offer("has_model", lambda: bool(config.settings().local_model_url))


class SetupController(Controller):
    """The first page there is. From another machine it wants the code that was printed where Agentbase was started."""

    path = "/setup"
    opt = {"public": True}

    @get("/", name="accounts:setup")
    async def show(self, request: Request, code: FromQuery[str] = "") -> Response[Any]:
        if await service.is_set_up():
            return go(request, "/" if actor_of(request) else "/sign-in")
        return page(request, "accounts/setup.html", values={"code": code}, errors={})

    @post("/", name="accounts:set-up", opt={"form": "accounts/setup.html"})
    async def create(self, request: Request, data: URLEncodedBody[SetupForm]) -> Response[Any]:
        if not address.is_this_machine(request.scope) and data.code.strip() != service.setup_code():
            raise NotAllowed(
                "This is not the set-up code.", remedy="It is printed where Agentbase was started.", field="code"
            )
        entered = await service.set_up(data, device_of(request))
        session.hand_out(request, entered.secret)
        return go(request, "/start")


class SignInController(Controller):
    path = "/sign-in"
    opt = {"public": True}

    @get("/", name="accounts:sign-in")
    async def show(
        self, request: Request, next_path: Annotated[str, QueryParameter(name="next", max_length=2000)] = ""
    ) -> Response[Any]:
        if actor_of(request) is not None:
            return go(request, next_path)
        if not await service.is_set_up():
            return go(request, "/setup")
        return page(request, "accounts/sign_in.html", values={"next": safe_path(next_path, "")}, errors={})

    @post("/", name="accounts:enter", opt={"form": "accounts/sign_in.html"})
    async def create(self, request: Request, data: URLEncodedBody[SignInForm]) -> Response[Any]:
        entered = await service.sign_in(data.email, data.password, device_of(request))
        if (before := actor_of(request)) is not None:
            await service.sign_out(before)
        session.hand_out(request, entered.secret)
        return go(request, data.next)


class JoinController(Controller):
    """An invitation's link."""

    path = "/join/{secret:str}"
    opt = {"public": True}

    @get("/", name="accounts:invitation")
    async def show(self, request: Request, secret: FromPath[str]) -> Response[Any]:
        invitation = await queries.invitation(secret)
        if invitation is None:
            raise NotFound("This invitation was used, taken back, or is too old.", remedy="Ask for a new one.")
        return page(
            request,
            "accounts/join.html",
            invitation=invitation,
            secret=secret,
            values={"email": invitation.email},
            errors={},
        )

    @post("/", name="accounts:join", opt={"form": "accounts/join.html"})
    async def create(self, request: Request, secret: FromPath[str], data: URLEncodedBody[JoinForm]) -> Response[Any]:
        entered = await service.accept_invite(secret, data, device_of(request))
        session.hand_out(request, entered.secret)
        return go(request, "/")

    @post("/membership", name="accounts:join-signed-in", opt={"public": False, "viewer": True})
    async def join(self, request: Request, secret: FromPath[str], actor: NamedDependency[Actor]) -> Response[Any]:
        entered = await service.join(actor, secret, device_of(request))
        session.hand_out(request, entered.secret)
        return go(request, "/")


@post("/sign-out", name="accounts:sign-out", opt={"viewer": True}, status_code=303)
async def sign_out(request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
    await service.sign_out(actor)
    session.take_back(request)
    return go(request, "/sign-in")
