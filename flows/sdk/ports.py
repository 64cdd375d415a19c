"""Ports: the typed ends of wires, derived from a node's Inputs and Outputs."""

from typing import Any, Literal

from msgspec import Struct

PortType = Literal["text", "number", "yesno", "object", "list", "file", "message", "any"]


class Port(Struct, frozen=True, omit_defaults=True):
    """One typed end.

    `many`: an input that takes any number of wires and receives a list, in wire order, without skipped ones.
    `branch`: an output that may stay silent (value UNSET); what hangs on it is then skipped.
    `inside`: a port on the inner edge of a container, wired only to the container's own children.
    """

    name: str
    type: PortType = "any"
    title: str = ""
    description: str = ""
    required: bool = True
    many: bool = False
    branch: bool = False
    inside: bool = False


class Ports(Struct, frozen=True):
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()


FITS: dict[tuple[PortType, PortType], str] = {
    ("message", "text"): "takes the message's text",
    ("text", "message"): "becomes a message of the user",
    ("number", "text"): "written out",
    ("yesno", "text"): "written as yes or no",
}
"""Besides equal types and `any` on either end: (from, to) -> what happens to the value."""


def fits(source: PortType, target: PortType) -> bool:
    return source == target or "any" in (source, target) or (source, target) in FITS


def port_type_of(annotation: Any) -> PortType:
    """The port type of a Python annotation; see docs/extend/nodes.md for the table."""
    raise NotImplementedError
