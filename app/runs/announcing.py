"""What a worker tells the hub about the runs it carries out.

Everything is a whisper: the ledger's run_event is the truth, so a page that missed something reads it from there. Only
the ends and waits of runs are also events of the workspace; they are in the database already (app/runs/news.py), and
the announcer sees to it that they are told at once.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.events import hub
from app.logs import logger
from app.runs.news import tell
from app.runs.outcome import plain
from flows.sweep import Swept

log = logger(__name__)

WORKSPACE_NEWS = frozenset({"run.succeeded", "run.failed", "run.cancelled", "run.in_doubt", "run.dead", "run.waiting"})
"""As in migrations/runs, 0012."""
LIVE_ONLY = frozenset({"step.token", "step.log"})


class Announcer:
    def __init__(self) -> None:
        self._workspaces: dict[str, UUID] = {}
        self._due: set[UUID] = set()
        self._telling: dict[UUID, asyncio.Task[None]] = {}

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
                self._tell(workspace_id)

    def swept(self, swept: Swept) -> None:
        for workspace, run, status in swept.ended:
            event = {"type": f"run.{status}", "run": run}
            hub.whisper(UUID(workspace), f"run:{run}", event["type"], event)
            self._tell(UUID(workspace))

    def _tell(self, workspace_id: UUID) -> None:
        """Soon, and together with what else is new by then: a workspace's events are numbered one after the other."""
        self._due.add(workspace_id)
        if workspace_id not in self._telling:
            self._telling[workspace_id] = asyncio.create_task(self._tell_all(workspace_id))

    async def _tell_all(self, workspace_id: UUID) -> None:
        try:
            while workspace_id in self._due:
                self._due.discard(workspace_id)
                await tell(workspace_id)
        except Exception:  # told in passing; what was not is told within seconds (news.tell_untold)
            log.warning("news of runs could not be told at once", workspace=str(workspace_id), exc_info=True)
        finally:
            del self._telling[workspace_id]
