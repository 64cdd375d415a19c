"""Sample contexts of the front pages' partials (app/studio/home.py)."""

from uuid import uuid4

from app.clock import now
from app.runs.queries import Glance
from app.studio import service
from app.studio.diagram import Diagram, Spot
from app.studio.home import SORTS, TABS, Chosen
from app.studio.home_queries import Counts, FlowCard, Folder, Hit, Inside, Shelf, Wanted
from app.web.search import Group
from app.web.search import Hit as Found
from app.web.search_places import DEEDS, PLACES, here

_PICTURE = Diagram([Spot(42, 50, "zap", "start", "Start"), Spot(126, 50, "sparkles", "", "Write")], ["M56 50H112"], 2)


def _card(status="", *, needs_you=False, version=None, archived=False, address="", **shelf):
    last = Glance(uuid4(), uuid4(), status, needs_you, now(), 1_900.0, 2_400) if status else None
    picture = _PICTURE if status else Diagram([], [], 0)
    return FlowCard(uuid4(), "Order mailbox", "", 3, version, archived, now(), picture, last, address, **shelf)


CARDS = [
    _card(),
    _card("succeeded", version=12, address="http://help.localhost:8000/"),
    _card("waiting", needs_you=True),
    _card("failed", starred=True, folder="Mail", tags=("daily",), inside=Inside("write", "Write", "…kind words…")),
    _card(archived=True),
]
_COUNTS = Counts(5, 1, 4, 1)
_MAIL = Folder(uuid4(), "Mail", 1)
_SHELF = Shelf([_MAIL, Folder(uuid4(), "Site", 0)], ["daily"], 1)


def _list(cards, wanted=None, view="cards"):
    wanted = wanted or Wanted()
    return {
        "cards": cards, "counts": _COUNTS, "shelf": _SHELF, "wanted": wanted, "view": view,
        "sorts": SORTS, "to": Chosen(wanted, view),
    }  # fmt: skip


def _found(q, **more):
    return {"q": q, "deeds": [], "here": [], "places": [], "hits": [], "groups": []} | more


SAMPLES = {
    "studio/_flow_card.html": [{"card": card} for card in CARDS],
    "studio/_flow_list.html": [
        _list(CARDS),
        _list(CARDS, view="list"),
        *(_list([], Wanted(tab)) for tab, _ in TABS),
        _list([], Wanted(search="tractor")),
        _list([], Wanted(tag="daily")),
    ],
    "studio/_flow_rows.html": [
        {"cards": CARDS, "shelf": _SHELF, "wanted": wanted} for wanted in (Wanted(), Wanted("archived"))
    ],
    "studio/_shelf_bar.html": [_list([]), _list([], Wanted(folder=_MAIL.id, tag="daily", starred=True), "list")],
    "studio/_folder_dialogs.html": [_list([]), _list([], Wanted(folder=_MAIL.id))],
    "studio/_star.html": [{"flow_id": uuid4(), "starred": starred} for starred in (True, False)],
    "studio/_found.html": [
        _found("", deeds=DEEDS, places=PLACES, hits=[Hit(uuid4(), "Order mailbox", True)]),
        _found("mail"),
        _found("ma", groups=[Group("People", "users", [Found("Mara", "owner", "/")])]),
        _found("share", here=here(f"/flows/{uuid4()}/outline")),
    ],
    "studio/_starter_picture.html": [
        {"name": name} for name in ("chat-assistant", "form-to-text", "daily-digest", "empty")
    ],
}


async def _a_folder(actor):
    return await service.make_folder(actor, f"Folder {uuid4().hex[:6]}")


IDS = {"folder_id": _a_folder}
