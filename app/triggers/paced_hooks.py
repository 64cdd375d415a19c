"""Calls of a webhook that has a pace: they become firings, and nobody waits for the result."""

import math
from typing import Any
from uuid import uuid4

from app import clock
from app.db import tenant_tx
from app.runs import service as runs
from app.runs.service import Hook, Paced
from app.triggers.firing import Fired, Trigger, fire

AGAIN = 5
"""Seconds after which a call that was refused for another reason than its pace may be worth trying again."""


async def pace_hook(hook: Hook, key: str, input: Any) -> Paced:
    """One transaction; the caller hears of it after the commit only."""
    trigger = Trigger(
        hook.trigger_id, hook.workspace_id, hook.flow_id, hook.node, "webhook", hook.version_id, hook.alike
    )  # fmt: skip
    async with tenant_tx(hook.workspace_id) as tx:
        done = await fire(tx, trigger, f"call {key or uuid4()}", input)
    if done is not None and done.result in ("started", "merged"):
        await runs.nudge("normal")
    return _said(done)


def _said(done: Fired | None) -> Paced:
    if done is None:
        return Paced(200, {"status": "seen before"})
    if done.result == "started":
        return Paced(202, {"status": "queued", "run": str(done.run_id)})
    if done.result == "held" and done.until is not None:
        seconds = max(0, math.ceil((done.until - clock.now()).total_seconds()))
        return Paced(202, {"status": "held", "until": done.until.isoformat(), "seconds": str(seconds)})
    if done.result == "merged":
        return Paced(202, {"status": "merged"})
    return Paced(429 if done.result == "skipped" else 503, {"status": done.reason}, AGAIN)
