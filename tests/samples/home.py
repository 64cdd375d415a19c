"""Sample contexts of the front pages' partials (app/studio/home.py)."""

from uuid import uuid4

from app.clock import now
from app.runs.queries import Glance
from app.studio.diagram import Diagram, Spot
from app.studio.home import DEEDS, PLACES, SORTS, TABS
from app.studio.home_queries import Counts, FlowCard, Hit

_PICTURE = Diagram([Spot(42, 50, "zap", "start", "Start"), Spot(126, 50, "sparkles", "", "Write")], ["M56 50H112"], 2)


def _card(status="", *, needs_you=False, version=None, archived=False, address=""):
    last = Glance(uuid4(), uuid4(), status, needs_you, now(), 1_900.0, 2_400) if status else None
    picture = _PICTURE if status else Diagram([], [], 0)
    return FlowCard(uuid4(), "Order mailbox", "", 3, version, archived, now(), picture, last, address)


CARDS = [
    _card(),
    _card("succeeded", version=12, address="http://help.localhost:8000/"),
    _card("waiting", needs_you=True),
    _card("failed"),
    _card(archived=True),
]
_COUNTS = Counts(5, 1, 4, 1)
_LIST = {"counts": _COUNTS, "sort": "run", "q": "", "tabs": TABS, "sorts": SORTS}

SAMPLES = {
    "studio/_flow_card.html": [{"card": card} for card in CARDS],
    "studio/_flow_list.html": [
        {**_LIST, "tab": "all", "cards": CARDS},
        *({**_LIST, "tab": tab, "cards": []} for tab, _ in TABS),
        {**_LIST, "tab": "all", "cards": [], "q": "tractor"},
    ],
    "studio/_found.html": [
        {"q": "", "deeds": DEEDS, "places": PLACES, "hits": [Hit(uuid4(), "Order mailbox", True)]},
        {"q": "mail", "deeds": [], "places": [], "hits": []},
    ],
    "studio/_starter_picture.html": [
        {"name": name} for name in ("chat-assistant", "form-to-text", "daily-digest", "empty")
    ],
}
