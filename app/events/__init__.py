"""What happened in a workspace: an append-only log without gaps, live streams from it, and the outbox.

    async with tenant_tx(workspace_id) as tx:
        …
        await publish(tx, workspace_id, f"run:{run_id}", "run.started", {"run": str(run_id)})

    async with hub.subscribe(workspace_id, ["workspace"], last_event_id) as stream:
        async for event in stream: …

The log is the truth; Redis only says "look", and with Redis dead the hub looks by itself every second.
"""

from app.events.log import Event, append, publish, read
from app.events.streams import hub
from app.events.subscription import Subscription

__all__ = ["Event", "Subscription", "append", "hub", "publish", "read"]
