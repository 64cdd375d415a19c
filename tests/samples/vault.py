"""What the templates and routes of the vault are tried with."""

from typing import Any
from uuid import UUID

from app.vault import service
from app.web.actor import Actor

FORM: dict[str, Any] = {"values": {}, "errors": {}}
WRONG: dict[str, Any] = {"values": {"name": "x"}, "errors": {"": "No.", "value": "Fill this in."}}

SAMPLES = {
    "vault/_secret_form.html": [FORM, WRONG],
    "vault/_secret_here.html": [FORM, WRONG, {"values": {"name": "x", "hosts": "", "known": True}, "errors": {}}],
    "vault/_secret_kept.html": {"name": "Shop <key>"},
}


async def _secret(actor: Actor) -> UUID:
    return await service.put_secret(actor, "Shop", "a-value-of-length")


IDS = {"secret_id": _secret}
