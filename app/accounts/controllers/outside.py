"""Sign-in by Google, GitHub or another provider."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody

from app import config
from app.accounts import oidc, service
from app.accounts.device import device_of
from app.accounts.forms import WayForm
from app.accounts.oidc.way import pack, unpack
from app.errors import Refused
from app.web import cookies, session
from app.web.flash import flash
from app.web.htmx import Request
from app.web.places import safe_path
from app.web.render import go, page
from app.web.session import actor_of
from app.web.signed import sign, unsign

COOKIE = "agentbase_way"
MINUTES = 10


class OutsideController(Controller):
    path = "/sign-in/with/{key:str}"
    opt = {"public": True}

    @post("/", name="accounts:sign-in-with")
    async def start(self, request: Request, key: FromPath[str], data: URLEncodedBody[WayForm]) -> Response[Any]:
        """The browser leaves by a page of ours, not by a redirect: our CSP lets no form end at another host."""
        provider = oidc.provider(key)
        actor = actor_of(request)
        back = f"{_base(request)}/sign-in/with/{key}/back"
        connect = str(actor.user_id) if actor else ""
        target, way = await oidc.start(provider, back, next=data.next, invite=data.invite, connect=connect)
        cookies.put(request, COOKIE, sign("way", pack(way), MINUTES * 60), MINUTES * 60)
        return page(
            request, "accounts/leaving.html", headers={"Refresh": f"0;url={target}"}, target=target, provider=provider
        )

    @get("/back", name="accounts:sign-in-back")
    async def back(
        self,
        request: Request,
        key: FromPath[str],
        proof: Annotated[str, QueryParameter(name="state")] = "",
        code: FromQuery[str] = "",
        error: FromQuery[str] = "",
        iss: FromQuery[str] = "",
    ) -> Response[Any]:
        provider = oidc.provider(key)
        raw = unsign("way", cookies.read(request, COOKIE))
        cookies.put(request, COOKIE, "", 0)
        if raw is None:
            raise Refused("This sign-in was started elsewhere or took too long.", remedy="Start it once more.")
        way = unpack(raw)
        outside = await oidc.finish(provider, way, state=proof, code=code, error=error, iss=iss)
        actor = actor_of(request)
        if way.connect:
            if actor is None or str(actor.user_id) != way.connect:
                raise Refused("Somebody else signed in meanwhile.", remedy="Start it once more.")
            await service.connect(actor, outside)
            flash(request, f"{provider.name} connected.")
            return go(request, "/settings/profile")
        entered = await service.sign_in_outside(outside, device_of(request), way.invite)
        session.hand_out(request, entered.secret)
        return go(request, safe_path(way.next))


def _base(request: Request) -> str:
    """Where people see us: what the operator said, else the address of this request (its host passed the
    dispatcher).
    """
    return config.settings().public_url.rstrip("/") or str(request.base_url).rstrip("/")
