"""The first pages one sees: home, the list of flows, "What do you want to make?", and the palette (Ctrl K)."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Meta, Struct
from msgspec.structs import asdict

from app.db import page_tx
from app.errors import NotFound
from app.gateway import queries as gateway
from app.studio import home_queries as queries
from app.studio.home_queries import Sort, Tab, Wanted
from app.studio.starters import begin, starters
from app.web import Actor
from app.web import search as everywhere
from app.web.htmx import Request
from app.web.render import fragment, go, page
from app.web.search_places import DEEDS, PLACES, here

TABS: tuple[tuple[Tab, str], ...] = (("all", "All"), ("live", "Live"), ("drafts", "Drafts"), ("archived", "Archived"))
SORTS: tuple[tuple[Sort, str], ...] = (("run", "Last run"), ("changed", "Last change"), ("name", "Name"))
ON_HOME = 6
AT_ONCE = 9
"""Places that Ctrl K shows before anybody types."""
View = Literal["cards", "list"]


class StartForm(Struct, frozen=True, forbid_unknown_fields=True):
    starter: Annotated[str, Meta(max_length=80, title="What to begin with")]


class Chosen(Struct, frozen=True):
    """What a list of flows is chosen by; called with changes it gives the address of the list so changed."""

    wanted: Wanted
    view: View

    def __call__(self, **changes: Any) -> str:
        parts = {**asdict(self.wanted), "view": self.view, **changes}
        parts["q"] = parts.pop("search")
        usual = {**asdict(Wanted()), "view": "cards"}
        return f"/flows?{urlencode({k: v for k, v in parts.items() if v not in (None, '', usual.get(k))})}".rstrip("?")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Everything but the words, for the form that searches."""
        return [(name, value) for name, value in parse_qsl(self(search="").partition("?")[2])]


@get("/", name="home")
async def home(request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
    """Somebody who has made nothing yet is asked what to make; everybody else sees what happens."""
    async with page_tx(actor.workspace_id):
        counts = await queries.counts(actor)
        if counts.all == 0 and counts.archived == 0 and actor.can_edit:
            return go(request, "/start")
        waiting, oldest = await queries.waiting(actor)
        context: dict[str, Any] = {
            "cards": await queries.cards(actor, limit=ON_HOME),
            "counts": counts,
            "waiting": waiting,
            "oldest": oldest,
            "week": await queries.week(actor),
        }
    return page(request, "studio/home.html", nav="home", **context)


@get("/flows", name="flows")
async def flows(
    request: Request,
    actor: NamedDependency[Actor],
    tab: FromQuery[Tab] = "all",
    sort: FromQuery[Sort] = "run",
    q: FromQuery[Annotated[str, Meta(max_length=200)]] = "",
    folder: FromQuery[UUID | None] = None,
    tag: FromQuery[Annotated[str, Meta(max_length=40)]] = "",
    starred: FromQuery[bool] = False,
    view: FromQuery[View] = "cards",
) -> Response[Any]:
    """The list. htmx asks for the part below the bar; the address keeps what was chosen."""
    wanted = Wanted(tab, sort, _letters(q), folder, tag, starred)
    async with page_tx(actor.workspace_id):
        context: dict[str, Any] = {
            "cards": await queries.cards(actor, wanted),
            "counts": await queries.counts(actor),
            "shelf": await queries.shelf(actor),
            "wanted": wanted,
            "view": view,
            "tabs": TABS,
            "sorts": SORTS,
            "to": Chosen(wanted, view),
        }
    if request.htmx.partial:
        return fragment(request, "studio/_flow_list.html", **context)
    return page(request, "studio/flows.html", nav="flows", **context)


@get("/start", name="start")
async def start(request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
    return page(request, "studio/start.html", nav="home", starters=starters(), model=await gateway.default_model(actor))


@post("/flows", name="flows:begin", status_code=303)
async def make(request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[StartForm]) -> Response[Any]:
    """From a starter to a flow. When visitors can meet it, the next page says where; otherwise it is the canvas."""
    flow_id, address = await begin(actor, data.starter)
    return go(request, f"/start/{flow_id}" if address else f"/flows/{flow_id}")


@get("/start/{flow_id:uuid}", name="started")
async def started(request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
    """ "Your site is live": the address, and the three things one may want next."""
    found = [card for card in await queries.cards(actor) if card.id == flow_id]
    if not found:
        raise NotFound("This flow does not exist, or you have no access to it.")
    if not found[0].address:
        return go(request, f"/flows/{flow_id}")
    return page(request, "studio/started.html", nav="home", card=found[0], model=await gateway.default_model(actor))


@get("/palette", name="palette")
async def palette(
    request: Request, actor: NamedDependency[Actor], q: FromQuery[Annotated[str, Meta(max_length=200)]] = ""
) -> Response[Any]:
    search = _letters(q)
    return fragment(
        request,
        "studio/_found.html",
        q=search,
        deeds=[deed for deed in DEEDS if deed.fits(search)] if search else DEEDS[:2],
        here=[place for place in here(request.htmx.current_url_abs_path or "") if search and place.fits(search)],
        places=[place for place in PLACES if place.fits(search)] if search else PLACES[:AT_ONCE],
        hits=await queries.found(actor, search),
        groups=await everywhere.find(actor, search),
    )


def _letters(q: str) -> str:
    """What was typed, without the one sign that PostgreSQL keeps in no text."""
    return q.replace("\0", "").strip()


routes = [home, flows, start, make, started, palette]
