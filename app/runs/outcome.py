"""How a run stands, for whoever waited for it."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct


class Outcome(Struct, frozen=True):
    """`output` is the run's result; `error` the sentence a person reads; `node` where it happened."""

    run_id: UUID
    status: str
    output: Any = None
    error: str = ""
    node: str = ""

    @property
    def over(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")

    @property
    def answered(self) -> bool:
        """The run goes on, but has given its answer ("Answer now")."""
        return not self.over and self.output is not None

    def event(self) -> dict[str, Any]:
        """The same as the last event of a stream."""
        event: dict[str, Any] = {"type": f"run.{self.status}", "run": str(self.run_id)}
        if self.output is not None:
            event["output"] = self.output
        if self.error:
            event |= {"error": self.error, "node": self.node}
        return event


def outcome_of(run_id: UUID, status: str, output: str | None, error: str | None) -> Outcome:
    """From the ledger's row, where `output` and `error` are JSON text."""
    fault = msgspec.json.decode(error) if error else {}
    return Outcome(
        run_id,
        status,
        msgspec.json.decode(output) if output else None,
        str(fault.get("message", "")),
        str(fault.get("node", "")),
    )


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """The ledger's last event has the result as JSON text; whoever listens gets the value, as in the express lane."""
    if event["type"] == "run.succeeded" and isinstance(event.get("output"), str):
        return {**event, "output": msgspec.json.decode(event["output"])}
    return event
