"""What a draft has to pass before it is published. The studio knows nothing of tests: app/main.py hands in who does.

Until somebody is handed in (the worker, many tests) nothing stands in the way.
"""

from typing import Protocol
from uuid import UUID

from app.web import Actor
from flows.model import Flow


class Gate(Protocol):
    async def may_publish(self, actor: Actor, flow_id: UUID, document: Flow) -> None:
        """Raises Refused, naming what is in the way. Takes as long as it takes: no transaction is open."""
        ...


class Open:
    async def may_publish(self, actor: Actor, flow_id: UUID, document: Flow) -> None:
        return None


_in_force: list[Gate] = [Open()]


def use(gate: Gate) -> None:
    """Called once, by the composition root."""
    _in_force[0] = gate


def gate() -> Gate:
    return _in_force[0]
