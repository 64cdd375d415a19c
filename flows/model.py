"""The flow document: plain data. Its JSON form is described in docs/flow-format.md."""

from typing import Any, Literal

from msgspec import Struct, field

FORMAT = 1
"""The number of this document shape. A change to it is one pure function in flows/upgrade.py.

A field that older readers would refuse raises it from the first release on. Documents without a number are of format 1.
"""


class Retry(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`tries` counts the first one too. `delay`: the first pause in seconds; it doubles, with full jitter."""

    tries: int = 1
    delay: float = 1.0


OnError = Literal["stop", "default", "wire", "continue"]
"""After the last try: stop the run | give `default` as outputs | send the error along port `error` | go on without."""


class Exposed(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A setting that stands on the flow's settings page, for people who don't open the canvas.

    `label`, `help`: what it is called there; "" = as in the component.
    """

    label: str = ""
    help: str = ""


class NodeUse(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One step of a flow: a node type with settings at a place.

    `parent` is the id of the container this node lies in. x, y are canvas pixels at zoom 1, relative to the parent.
    `exposed`: settings by name that the flow's settings page offers; it changes nothing about a run.
    `timeout` is in seconds, None = the node type's own. `keep`: seconds its results are kept (rule 90).
    """

    id: str
    type: str
    version: int = 1
    label: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    x: float = 0
    y: float = 0
    w: float | None = None
    h: float | None = None
    parent: str = ""
    disabled: bool = False
    retry: Retry = Retry()
    on_error: OnError = "stop"
    default: dict[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    keep: float | None = None
    exposed: dict[str, Exposed] = field(default_factory=dict)


class Edge(Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}):
    """A wire. Both ends are "node.port"."""

    source: str
    target: str

    @property
    def id(self) -> str:
        return f"{self.source}>{self.target}"


class Flow(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """`cost_limit`: US dollars that one run may cost, None = no limit (rule 27)."""

    nodes: list[NodeUse] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    name: str = ""
    description: str = ""
    cost_limit: float | None = None
    format: int = 1
