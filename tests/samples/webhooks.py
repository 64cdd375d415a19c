"""What the templates and routes of outgoing webhooks are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.web.actor import Actor
from app.webhooks import service
from app.webhooks.controllers import STATES
from app.webhooks.forms import EndpointForm
from app.webhooks.queries import DeliveryView, Detail, EndpointView, Try

SOME = UUID("01993d5e-0000-7000-8000-000000000004")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def endpoint(state: str = "on") -> EndpointView:
    return EndpointView(SOME, "Shop <b>", "https://shop.example/in", ["run.*"], "9f2c", state, 2, THEN, THEN)


def delivery(state: str, *tries: Try) -> DeliveryView:
    return DeliveryView(SOME, "run.failed", '{"type": "run.failed"}', state, THEN, THEN, list(tries))


BAD, GOOD = Try(THEN, 0, 15_000, "It was too slow.", ""), Try(THEN, 204, 12, "", "<ok>")
LOG = [delivery("done", BAD, GOOD), delivery("dead", BAD), delivery("due"), delivery("due", BAD), delivery("held")]
SAMPLES: dict[str, Any] = {
    "webhooks/_state.html": {},
    "webhooks/_form.html": {"values": {"url": "x"}, "errors": {"": "No.", "url": "No."}},
    "webhooks/_added.html": [{"id": SOME, "shown": shown} for shown in ("whsec_x", "")],
    "webhooks/_deliveries.html": [
        {"detail": Detail(endpoint(), LOG, THEN), "state": "", "states": STATES},
        {"detail": Detail(endpoint("disabled"), [], None), "state": "dead", "states": STATES},
    ],
}
FORM = {"url": "https://93.184.215.14/in", "kinds": "run.*"}


async def an_endpoint(actor: Actor) -> UUID:
    return (await service.add_endpoint(actor, EndpointForm(**FORM)))[0]


async def a_delivery(actor: Actor) -> UUID:
    return await service.test_endpoint(actor, await an_endpoint(actor))


IDS = {"endpoint_id": an_endpoint, "delivery_id": a_delivery}
BODIES = {"webhooks:add": FORM, "api:endpoint-add": FORM, "api:endpoint-change": FORM}
