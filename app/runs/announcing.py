"""What a worker tells the hub about the runs it carries out.

Everything is a whisper: the ledger's run_event is the truth, so a page that missed something reads it from there. Only
the end of a run is also an event of the workspace, for cards, counts and boards; it is stored with the next breath.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.db import tenant_tx
from app.events import hub, publish
from app.logs import logger
from app.runs.outcome import plain
from flows.sweep import Swept

log = logger(__name__)

WORKSPACE_NEWS = frozenset({"run.succeeded", "run.failed", "run.cancelled", "run.in_doubt", "run.dead", "run.waiting"})
LIVE_ONLY = frozenset({"step.token", "step.log"})


class Announcer:
    def __init__(self) -> None:
        self._workspaces: dict[str, UUID] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def follow(self, run: str, workspace_id: UUID) -> None:
        self._workspaces[run] = workspace_id

    def leave(self, run: str) -> None:
        self._workspaces.pop(run, None)

    def listen(self, event: dict[str, Any]) -> None:
        """Called by the engine at once, before anything is stored: pieces of text must not wait for a commit."""
        if event["type"] in LIVE_ONLY and (workspace_id := self._workspaces.get(event["run"])) is not None:
            hub.whisper(workspace_id, f"run:{event['run']}", event["type"], event)

    def events(self, run: str, first: int, events: Sequence[dict[str, Any]]) -> None:
        """Called by the ledger after the commit that stored them."""
        workspace_id = self._workspaces.get(run)
        if workspace_id is None:
            return
        for nth, event in enumerate(events):
            if event["type"] in LIVE_ONLY:
                continue
            hub.whisper(workspace_id, f"run:{run}", event["type"], {**plain(event), "seq": first + nth})
            if event["type"] in WORKSPACE_NEWS:
                self._tell(workspace_id, run, event["type"], event)

    def swept(self, swept: Swept) -> None:
        for workspace, run, status in swept.ended:
            event = {"type": f"run.{status}", "run": run}
            hub.whisper(UUID(workspace), f"run:{run}", event["type"], event)
            self._tell(UUID(workspace), run, event["type"], event)

    def _tell(self, workspace_id: UUID, run: str, type: str, event: Mapping[str, Any]) -> None:
        task = asyncio.create_task(_publish(workspace_id, run, type, event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def _publish(workspace_id: UUID, run: str, type: str, event: Mapping[str, Any]) -> None:
    try:
        async with tenant_tx(workspace_id) as tx:
            await publish(tx, workspace_id, "workspace", type, {"run": run, "node": event.get("node", "")})
    except Exception:  # told in passing: the run itself is long committed, and nobody waits for this
        log.warning("a run's end was not announced; its page shows it all the same", run=run, exc_info=True)
