"""The flows one can begin with: packages of the kind "flow" that ship with Agentbase (marketplace/packages/flows)."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app.errors import NotFound
from app.studio import service
from app.studio.faces import faces
from app.web import Actor
from flows.document import load_flow
from flows.model import Flow

PACKAGES = Path(__file__).resolve().parents[2] / "marketplace" / "packages" / "flows"
EMPTY = "empty"


class Starter(Struct, frozen=True):
    """`face`: how visitors meet it, "" = not at all. `hint` is the line on its page's top, for visitors."""

    name: str
    title: str
    description: str
    flow: Flow
    face: Literal["chat", "form", ""] = ""
    hint: str = ""
    order: int = 100
    minutes: int = 2

    @property
    def steps(self) -> int:
        return sum(1 for node in self.flow.nodes if node.type != "note.note")


class _Package(Struct):
    """package.toml, as far as a starter needs it."""

    name: str
    title: str
    description: str = ""
    kind: str = "flow"
    flow: str = "flow.json"
    starter: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=1)
def starters() -> tuple[Starter, ...]:
    """All that ship, in the order they are offered. Our own files: one that can't be read is a bug, and raises."""
    found = [_read(path) for path in sorted(PACKAGES.glob("*/package.toml"))]
    return tuple(sorted(found, key=lambda starter: (starter.order, starter.name)))


def starter(name: str) -> Starter:
    for each in starters():
        if each.name == name:
            return each
    raise NotFound(f"There is no starter '{name}'.", remedy="Choose one of those on the page.")


async def begin(actor: Actor, name: str) -> tuple[UUID, str]:
    """Make a flow from a starter. One that visitors can meet is published and gets its page right away.

    Returns the flow and the address of its page ("" when it has none).
    """
    chosen = starter(name)
    named = ("", "") if name == EMPTY else (chosen.title, chosen.description)  # never a page called "Empty canvas"
    flow_id = await service.create_flow(actor, named[0], chosen.flow, named[1])
    if not chosen.face:
        return flow_id, ""
    await service.publish(actor, flow_id, "First version", "")
    return flow_id, await faces().show(actor, flow_id, face=chosen.face, title=chosen.title, text=chosen.hint)


def _read(path: Path) -> Starter:
    about = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Package)
    flow = load_flow((path.parent / about.flow).read_bytes())
    return Starter(
        name=about.name,
        title=about.title,
        description=about.description,
        flow=flow,
        face=about.starter.get("face", ""),
        hint=about.starter.get("hint", ""),
        order=about.starter.get("order", 100),
        minutes=about.starter.get("minutes", 2),
    )
