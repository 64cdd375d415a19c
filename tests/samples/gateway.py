"""What the templates and routes of the gateway are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.gateway import service
from app.gateway.forms import BudgetForm, ConnectForm
from app.gateway.prices import FREE, Price
from app.gateway.queries import BudgetView, ConnectionView, ModelView, Overview
from app.gateway.service import Found, Trial
from app.gateway.service.trial import Check
from app.web.actor import Actor

SOME = UUID("01993d5e-0000-7000-8000-000000000002")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CHECKS = (Check("Key accepted", "yes"), Check("Fixed answer shapes", "no"), Check("Can use tools", "unknown"))


def a_view(**what_matters: Any) -> ConnectionView:
    given: dict[str, Any] = {
        "id": SOME,
        "slug": "mistral",
        "provider": "mistral",
        "name": "Mistral",
        "note": "Key ends in 9f2c",
        "initial": "M",
        "status": "ready",
        "tested_at": THEN,
        "trial": Trial("ready", 400, "m", "Hello", 1, "", CHECKS),
        "models": 11,
        "cheapest_micros": 1000,
        "free": False,
        "base_url": "",
        "key_hint": "9f2c",
        "has_key": True,
        "options": {},
        "runs": True,
    }
    return ConnectionView(**given | what_matters)


LOCAL = a_view(
    provider="local", slug="local", name="This machine", free=True, key_hint="", tested_at=None, trial=Trial("failed")
)
SMALL = ModelView(
    "mistral/mistral-small", "mistral-small", Price(100_000, 300_000), 32_000, "Mistral", False, "mistral"
)
DEMO = ModelView(
    "local/smollm2-135m-instruct", "SmolLM2 135M", FREE, 4096, "This machine", True, "local", "small demo model"
)
PAGE = Overview(
    [
        LOCAL,
        a_view(),
        a_view(status="slow"),
        a_view(runs=False, provider="local"),
        a_view(status="untried", tested_at=None),
        a_view(status="refused", trial=Trial("refused", message="The key was refused.", checks=CHECKS)),
        a_view(status="unreachable", trial=Trial("unreachable", message="Nobody there.")),
        a_view(status="failed"),
    ],
    [DEMO, SMALL],
    "mistral/gone",
    "",
    [SMALL, DEMO, ModelView("x/y", "y", None, 0, "", False, "x", "its connection was removed")],
    DEMO,
    [
        BudgetView(SOME, "workspace", "month", "", 25_000_000, 24_000_000, 0),
        BudgetView(SOME, "run", "total", "", 0, 0, 0),
    ],
    4_120_000,
)
NOTHING = Overview([], [], "", "", [], None, [], 0)
FORM: dict[str, Any] = {"values": {}, "errors": {}}
WRONG: dict[str, Any] = {
    "values": {"name": "x"},
    "errors": {"": "No.", "key": "Fill this in.", "limit": "Write a number."},
}
PICKER = {
    "models": [DEMO, SMALL],
    "name": "model",
    "label": "Model",
    "value": "",
    "default": DEMO,
    "help": "",
    "error": "",
}

SAMPLES = {
    "gateway/_list.html": [{"page": PAGE, "selected": None}, {"page": NOTHING, "selected": None}],
    "gateway/_providers.html": {},
    "gateway/_fields.html": {},
    "gateway/_model_options.html": {},
    "gateway/_connect_form.html": [
        FORM,
        WRONG,
        *({"values": {"provider": p}, "errors": {}} for p in ("azure", "bedrock")),
    ],
    "gateway/_change_form.html": [FORM, WRONG, {"values": {"provider": "mistral", "key_hint": "9f2c"}, "errors": {}}],
    "gateway/_connection.html": [
        FORM | {"selected": LOCAL, "asking": False},
        FORM | {"selected": a_view(tested_at=None), "asking": True},
    ],
    "gateway/_trial.html": [{"selected": each} for each in PAGE.connections],
    "gateway/tried.oob.html": [{"page": PAGE, "selected": None}, {"page": PAGE, "selected": a_view()}],
    "gateway/_nearby.html": [
        {"found": []},
        {"found": [Found("ollama", "Ollama", "http://127.0.0.1:11434/v1", 2, ("a", "b"))]},
    ],
    "gateway/_order.html": [{"page": PAGE}, {"page": NOTHING}],
    "gateway/_budgets.html": [{"page": PAGE}, {"page": NOTHING}],
    "gateway/_budget_form.html": [FORM, WRONG],
    "gateway/in_place/_providers.html": {},
    "gateway/in_place/_form.html": [FORM, WRONG, {"values": {"id": SOME, "key_hint": "9f2c"}, "errors": {}}],
    "gateway/in_place/_made.html": [
        FORM | {"made": a_view(), "model": "mistral/small"},
        FORM | {"made": a_view(status="refused"), "model": "", "values": {"id": SOME, "key_hint": "9f2c"}},
    ],
    "gateway/_default.html": [FORM, WRONG],
    "gateway/_model_picker.html": [
        PICKER,
        PICKER | {"value": "x/y", "error": "Choose another."},
        PICKER | {"default": None},
    ],
}


async def _connection(actor: Actor) -> UUID:
    return await service.connect(actor, ConnectForm("openai", key="sk-0123456789abcdef"))


async def _budget(actor: Actor) -> UUID:
    return await service.set_budget(actor, BudgetForm("workspace", 5))


IDS = {"connection_id": _connection, "budget_id": _budget}
BODIES: dict[str, dict[str, Any]] = {
    "gateway:change": {"name": "x"},
    "gateway:change-here": {"name": "x"},
    "api:change-connection": {"name": "x"},
}
