"""What comes in from an editor: small named operations on one flow document, and the forms around them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from flows.keeping import LONGEST_KEPT
from flows.model import Edge, Exposed, Flow, NodeUse, OnError, Retry

NodeId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="No dot: a wire's end is node.port.")]
Coordinate = Annotated[float, Meta(ge=-1_000_000, le=1_000_000, description="Canvas pixels at zoom 1.")]
Side = Annotated[float, Meta(ge=48, le=20_000)]
Name = Annotated[str, Meta(max_length=120)]
End = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,64}$", description="node.port")]


class NodeAdd(Struct, tag_field="op", tag="node.add", forbid_unknown_fields=True, omit_defaults=True):
    """`at` is the place in the document's list; None = the end. An undo uses it to restore the very same document."""

    node: NodeUse
    at: int | None = None


class NodeMove(Struct, tag_field="op", tag="node.move", forbid_unknown_fields=True):
    id: NodeId
    x: Coordinate
    y: Coordinate


class NodeResize(Struct, tag_field="op", tag="node.resize", forbid_unknown_fields=True):
    """None = as large as its content asks for."""

    id: NodeId
    w: Side | None
    h: Side | None


class NodeConfig(Struct, tag_field="op", tag="node.config", forbid_unknown_fields=True):
    """Set one top-level setting; without `value` it goes back to its default."""

    id: NodeId
    field: Annotated[str, Meta(min_length=1, max_length=80)]
    value: Any | UnsetType = UNSET


class NodeLabel(Struct, tag_field="op", tag="node.label", forbid_unknown_fields=True):
    id: NodeId
    label: Name


class NodeExpose(Struct, tag_field="op", tag="node.expose", forbid_unknown_fields=True):
    """Put one setting on the flow's settings page, or (`shown` null) take it off again."""

    id: NodeId
    field: Annotated[str, Meta(min_length=1, max_length=80)]
    shown: Exposed | None = None


class NodeDelete(Struct, tag_field="op", tag="node.delete", forbid_unknown_fields=True, omit_defaults=True):
    """Takes the node's wires and, for a container, its children along.

    `keep_chain`: afterwards wire what came in to what went out, where the types fit.
    """

    id: NodeId
    keep_chain: bool = False


class NodeReparent(Struct, tag_field="op", tag="node.reparent", forbid_unknown_fields=True):
    """`parent` "" = the flow itself. x, y are relative to the new parent."""

    id: NodeId
    parent: Annotated[str, Meta(max_length=40)]
    x: Coordinate
    y: Coordinate


class NodePolicy(Struct, tag_field="op", tag="node.policy", forbid_unknown_fields=True):
    """What happens when the step fails, takes too long, or is switched off. Only the given fields change.

    `keep`: seconds its results are kept for equal inputs, null = not at all.
    """

    id: NodeId
    retry: Retry | UnsetType = UNSET
    on_error: OnError | UnsetType = UNSET
    default: dict[str, Any] | UnsetType = UNSET
    timeout: Annotated[float, Meta(gt=0, le=86_400)] | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET
    keep: Annotated[float, Meta(gt=0, le=LONGEST_KEPT)] | UnsetType | None = UNSET


class EdgeAdd(
    Struct,
    tag_field="op",
    tag="edge.add",
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"source": "from", "target": "to"},
):
    """`at` as in node.add: the order of wires is the order in which a port that takes many receives them."""

    source: End
    target: End
    at: int | None = None


class EdgeDelete(
    Struct,
    tag_field="op",
    tag="edge.delete",
    forbid_unknown_fields=True,
    rename={"source": "from", "target": "to"},
):
    source: End
    target: End


class NoteText(Struct, tag_field="op", tag="note.text", forbid_unknown_fields=True):
    id: NodeId
    text: Annotated[str, Meta(max_length=20_000)]


class FlowMeta(Struct, tag_field="op", tag="flow.meta", forbid_unknown_fields=True):
    """`cost_limit`: US dollars one run may cost, null = no limit."""

    name: Name | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=2_000)] | UnsetType = UNSET
    cost_limit: Annotated[float, Meta(gt=0, le=100_000)] | UnsetType | None = UNSET


class FlowReplace(Struct, tag_field="op", tag="flow.replace", forbid_unknown_fields=True):
    """The whole document at once: restore of a version, PUT of the API. Editors do not send it."""

    document: Flow


EditorOp = (
    NodeAdd
    | NodeMove
    | NodeResize
    | NodeConfig
    | NodeLabel
    | NodeExpose
    | NodeDelete
    | NodeReparent
    | NodePolicy
    | EdgeAdd
    | EdgeDelete
    | NoteText
    | FlowMeta
)
Op = EditorOp | FlowReplace


class OpsForm(Struct, forbid_unknown_fields=True):
    """One edit. `base` is the revision the editor had; `batch` makes sending it twice harmless; `client` is one tab."""

    base: Annotated[int, Meta(ge=0)]
    batch: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    client: Annotated[str, Meta(min_length=1, max_length=64)]
    ops: Annotated[list[EditorOp], Meta(min_length=1, max_length=20_000)]


class RestoreForm(Struct, forbid_unknown_fields=True):
    """Make this version the draft."""

    version_id: UUID


class StepBackForm(Struct, forbid_unknown_fields=True):
    """Undo and redo."""

    client: Annotated[str, Meta(max_length=64)] = ""


class CollapseForm(Struct, forbid_unknown_fields=True):
    """Make a flow of its own of these steps. `name`: what it is called, "" = after this flow."""

    base: Annotated[int, Meta(ge=0)]
    batch: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    client: Annotated[str, Meta(min_length=1, max_length=64)]
    ids: Annotated[list[NodeId], Meta(min_length=1, max_length=5_000)]
    name: Name = ""


class InlineForm(Struct, forbid_unknown_fields=True):
    """Put the steps of the flow that step `id` runs in its place."""

    base: Annotated[int, Meta(ge=0)]
    batch: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    client: Annotated[str, Meta(min_length=1, max_length=64)]
    id: NodeId


class FlowForm(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=120)] = "New flow"
    description: Annotated[str, Meta(max_length=2_000)] = ""
    document: Flow | UnsetType = UNSET


class ReplaceForm(Struct, forbid_unknown_fields=True):
    """`base`: refuse (409) when the flow has another revision by now; None = replace whatever is there."""

    document: Flow
    base: int | None = None


class PublishForm(Struct, forbid_unknown_fields=True):
    """`audience` "nobody": the version is kept and can be rolled out step by step; nothing else runs from now on."""

    name: Annotated[str, Meta(max_length=120)] = ""
    notes: Annotated[str, Meta(max_length=4_000)] = ""
    audience: Literal["everybody", "nobody"] = "everybody"


Tag = Annotated[str, Meta(max_length=40)]


class FolderForm(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=60, title="Name of the folder")]


Tags = list[Tag] | Tag | None


class ChosenForm(Struct, forbid_unknown_fields=True):
    """Several flows, and where to put them: one page has both deeds on it, so one form carries both.

    `folder`: a folder's id, empty = no folder. `add`, `remove`: tags. A page sends one value where only one was chosen.
    """

    flows: Annotated[list[UUID], Meta(min_length=1, max_length=500, title="Flows")] | UUID
    folder: Annotated[str, Meta(pattern="^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$", title="Folder")] | None = None
    add: Annotated[Tags, Meta(title="Tags")] = None
    remove: Tags = None

    @property
    def chosen(self) -> list[UUID]:
        return self.flows if isinstance(self.flows, list) else [self.flows]

    @property
    def into(self) -> UUID | None:
        return UUID(self.folder) if self.folder else None


def words(tags: Tags) -> list[str]:
    return tags if isinstance(tags, list) else [tags] if tags else []


class FragmentForm(Struct, forbid_unknown_fields=True):
    ids: Annotated[list[NodeId], Meta(min_length=1, max_length=5_000)]


class Fragment(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the clipboard carries: steps and the wires among them. `agentbase` is the format's number."""

    agentbase: int
    nodes: list[NodeUse]
    edges: list[Edge] = []


class PasteForm(Struct, forbid_unknown_fields=True):
    """x, y: where the upper left corner of the pasted steps comes to lie, relative to `parent`."""

    base: Annotated[int, Meta(ge=0)]
    batch: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    client: Annotated[str, Meta(min_length=1, max_length=64)]
    fragment: Fragment
    x: Coordinate = 0
    y: Coordinate = 0
    parent: Annotated[str, Meta(max_length=40)] = ""
