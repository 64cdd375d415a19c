"""What the templates and routes of variables are tried with."""

from typing import Any
from uuid import UUID

from app.studio import service
from app.studio.variables import Place, rows
from app.studio.version_forms import VariableForm
from app.web.actor import Actor

SOME = UUID("01993d5e-0000-7000-8000-000000000009")
PLACES = [Place(None, "live", {"shop": "Fern <b>", "limit": 5, "note": ""}), Place(SOME, "staging", {"shop": "Test"})]
_PAGE: dict[str, Any] = {"nav": "settings", "tab": "variables"}
SAMPLES: dict[str, Any] = {
    "studio/versions/variables.html": [
        {**_PAGE, "places": [PLACES[0]], "rows": [], "written": {}, "errors": {}},
        {**_PAGE, "places": PLACES, "rows": rows(PLACES), "written": {"name": "", "environment": ""}, "errors": {}},
        {
            **_PAGE, "places": PLACES, "rows": rows(PLACES),
            "errors": {"": "No.", "name": "Not this <i>.", "value": "Nor."},
            "written": {"name": "<x>", "environment": str(SOME), "kind": "json", "value": "<y>"},
        },
    ]
}  # fmt: skip


async def _variable(actor: Actor) -> str:
    await service.put_variable(actor, VariableForm("shop", "Fernhill"))
    return "shop"


IDS = {"variable": _variable}
BODIES: dict[str, dict[str, Any]] = {
    "studio:variable-put": {"name": "shop", "value": "x"},
    "api:variable-put": {"name": "shop", "value": "x"},
}
