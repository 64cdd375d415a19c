"""Where a flow meets visitors. The studio knows nothing of sites: app/main.py hands in who does, at start.

Until somebody is handed in (the worker, many tests) flows have no faces and nothing here fails.
"""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from app.web import Actor


class Faces(Protocol):
    async def show(self, actor: Actor, flow_id: UUID, *, face: str, title: str, text: str) -> str:
        """Give a published flow a page of its own on the workspace's site and publish it. Returns the page's address.

        `face`: "chat" or "form".
        """
        ...

    async def addresses(self, actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, str]:
        """For each flow that visitors can meet: the address of its first live page."""
        ...


class NoFaces:
    async def show(self, actor: Actor, flow_id: UUID, *, face: str, title: str, text: str) -> str:
        return ""

    async def addresses(self, actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, str]:
        return {}


_in_force: list[Faces] = [NoFaces()]


def use(faces: Faces) -> None:
    """Called once, by the composition root."""
    _in_force[0] = faces


def faces() -> Faces:
    return _in_force[0]
