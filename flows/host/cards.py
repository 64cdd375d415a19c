"""What a boxed package says of its node types, and what a step hands to it. Both sides import this."""

from typing import Any

from msgspec import Struct

from flows.sdk.node import Effect, Family
from flows.sdk.ports import Port


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """A node type, without any of its code. `special`: what it makes use of that a boxed node may not."""

    name: str
    version: int
    title: str
    description: str
    effect: Effect
    icon: str
    family: Family
    needs: list[str]
    timeout: float | None
    settings: dict[str, Any]
    inputs: list[Port]
    outputs: list[Port]
    special: list[str] = []


class Cards(Struct, frozen=True, forbid_unknown_fields=True):
    nodes: list[Card]


class StepCall(Struct, frozen=True, array_like=True):
    """`node` "": describe all. `seconds`: CPU it may use. No workspace: its id is nothing a package needs."""

    node: str = ""
    settings: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    run_id: str = ""
    flow_id: str = ""
    node_id: str = ""
    iter: str = ""
    attempt: int = 1
    trigger: str = ""
    deadline: float | None = None
    input: Any = None
    seconds: float = 30.0
