"""The guard of signed webhooks in this process: secrets, the check, and a note on the trigger's page when it fails.

app/triggers/controllers.py puts it in place.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app import clock
from app.db import tenant_tx
from app.logs import logger
from app.runs.service import Admitted, Forged
from app.triggers import signatures
from app.triggers.firing import Trigger, note
from app.triggers.keys import named_secret, secrets_of

log = logger(__name__)

WRITTEN_EVERY = 5.0
"""Seconds between two notes of the same refusal: whoever floods an address must not fill the database."""
MOST_COUNTED = 1_000

_counted: dict[tuple[UUID, str], int] = {}
_last: dict[tuple[UUID, str], float] = {}
_writing: set["asyncio.Task[None]"] = set()


async def guard(
    trigger_id: UUID, workspace_id: UUID, settings: Any, headers: Mapping[bytes, bytes], body: bytes
) -> Admitted:
    try:
        name = getattr(settings, "secret", "")
        secrets = await (named_secret(workspace_id, name) if name else secrets_of(trigger_id, workspace_id))
        return signatures.check(settings, secrets, headers, body, clock.epoch())
    except Forged as forged:
        _note(trigger_id, workspace_id, forged)
        raise


def _note(trigger_id: UUID, workspace_id: UUID, forged: Forged) -> None:
    key = (trigger_id, forged.code)
    _counted[key] = _counted.get(key, 0) + 1
    if clock.monotonic() - _last.get(key, -WRITTEN_EVERY) < WRITTEN_EVERY:
        return
    if len(_last) >= MOST_COUNTED:
        _last.clear()
        _counted.clear()
        _counted[key] = 1
    _last[key] = clock.monotonic()
    times = _counted.pop(key)
    task = asyncio.create_task(_write(trigger_id, workspace_id, forged, times))
    _writing.add(task)
    task.add_done_callback(_writing.discard)


async def _write(trigger_id: UUID, workspace_id: UUID, forged: Forged, times: int) -> None:
    minute = f"{clock.now():%Y-%m-%dT%H:%M}"
    about = Trigger(trigger_id, workspace_id, workspace_id, "", "webhook", workspace_id)
    try:
        async with tenant_tx(workspace_id) as tx:
            await note(tx, about, f"{forged.code} {minute}", "refused", str(forged), times)
    except Exception:  # the call was refused all the same; only its line in the log is missing
        log.warning("a refused webhook call was not noted", trigger=str(trigger_id), exc_info=True)
