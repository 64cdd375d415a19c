"""Tables of this domain; exact definitions in migrations/studio. Read by this domain only."""

from typing import Any, ClassVar

from piccolo.columns import JSONB, UUID, Array, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table


class Folder(Table, tablename="folder"):
    """A name under which the workspace keeps flows. A flow lies in one folder or in none."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()


class FlowDraft(Table, tablename="flow"):
    """One flow: its draft is `document`; `rev` counts its edits. `live_version_id`: what runs in public."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    description: ClassVar[Text] = Text(default="")
    document: ClassVar[JSONB] = JSONB(required=True, default=None)
    rev: ClassVar[Integer] = Integer(default=0)
    step_count: ClassVar[Integer] = Integer(default=0)
    live_version_id: ClassVar[UUID] = UUID(null=True, default=None)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    updated_at: ClassVar[Timestamptz] = Timestamptz()
    archived_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    folder_id: ClassVar[ForeignKey[Folder]] = ForeignKey(Folder, on_delete=OnDelete.set_null, null=True)
    tags: ClassVar[Array] = Array(base_column=Text(), default=list)


class FlowOp(Table, tablename="flow_op"):
    """One edit: append-only. `undoes`: the edit that an undo, or the undo that a redo takes back."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(FlowDraft, on_delete=OnDelete.cascade, null=False)
    rev: ClassVar[Integer] = Integer(required=True, default=None)
    batch: ClassVar[Text] = Text(required=True, default=None)
    client: ClassVar[Text] = Text(required=True, default=None)
    user_id: ClassVar[UUID] = UUID(null=True, default=None)
    kind: ClassVar[Text] = Text(required=True, default=None)
    undoes: ClassVar[UUID] = UUID(null=True, default=None)
    ops: ClassVar[JSONB] = JSONB(required=True, default=None)
    inverse: ClassVar[JSONB] = JSONB(required=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz()


class FlowStar(Table, tablename="flow_star"):
    """One person's star on one flow; the two together are the key."""

    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(
        FlowDraft, on_delete=OnDelete.cascade, null=False, primary_key=True
    )
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    user_id: ClassVar[UUID] = UUID(required=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz()


class FlowPin(Table, tablename="flow_pin"):
    """What a step gives in tries of the draft, instead of being called. The flow and the step are the key."""

    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(
        FlowDraft, on_delete=OnDelete.cascade, null=False, primary_key=True
    )
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    node_id: ClassVar[Text] = Text(required=True, default=None)
    output: ClassVar[JSONB] = JSONB(required=True, default=None)
    by_user: ClassVar[UUID] = UUID(null=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz()


class FlowBreak(Table, tablename="flow_break"):
    """A step before which a person's own tries of the draft pause. Flow, person and step are the key."""

    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(
        FlowDraft, on_delete=OnDelete.cascade, null=False, primary_key=True
    )
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    user_id: ClassVar[UUID] = UUID(required=True, default=None)
    node_id: ClassVar[Text] = Text(required=True, default=None)
    rounds: ClassVar[Text] = Text(default="each")
    at: ClassVar[Timestamptz] = Timestamptz()


class FlowComment(Table, tablename="flow_comment"):
    """One comment. The first of a thread has no `thread_id`, and says what the thread is about and whether it is over.

    `node_title`: what the step was called when the thread began; the thread outlives the step.
    """

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(FlowDraft, on_delete=OnDelete.cascade, null=False)
    thread_id: ClassVar[ForeignKey[Any]] = ForeignKey("self", on_delete=OnDelete.cascade, null=True)
    node_id: ClassVar[Text] = Text(default="")
    node_title: ClassVar[Text] = Text(default="")
    text: ClassVar[Text] = Text(required=True, default=None)
    user_id: ClassVar[UUID] = UUID(required=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    edited_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    removed_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    resolved_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    resolved_by: ClassVar[UUID] = UUID(null=True, default=None)


class CommentMention(Table, tablename="comment_mention"):
    """Somebody named in a comment; `seen_at` when they said so, answered, or the thread was resolved by them."""

    comment_id: ClassVar[ForeignKey[FlowComment]] = ForeignKey(
        FlowComment, on_delete=OnDelete.cascade, null=False, primary_key=True
    )
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    user_id: ClassVar[UUID] = UUID(required=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz()
    seen_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class PublishingRule(Table, tablename="publishing_rule"):
    """What a workspace wants before something goes live; no row = nothing."""

    workspace_id: ClassVar[UUID] = UUID(primary_key=True)
    approval: ClassVar[Boolean] = Boolean(default=False)
    set_by: ClassVar[UUID] = UUID(null=True, default=None)
    set_at: ClassVar[Timestamptz] = Timestamptz()


class PublishRequest(Table, tablename="publish_request"):
    """Somebody asks whether a version may go live. `decision` "" = nobody has answered. Nobody answers themselves."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(FlowDraft, on_delete=OnDelete.cascade, null=False)
    version_id: ClassVar[UUID] = UUID(required=True, default=None)
    asked_by: ClassVar[UUID] = UUID(required=True, default=None)
    words: ClassVar[Text] = Text(default="")
    asked_at: ClassVar[Timestamptz] = Timestamptz()
    decision: ClassVar[Text] = Text(default="")
    answer: ClassVar[Text] = Text(default="")
    decided_by: ClassVar[UUID] = UUID(null=True, default=None)
    decided_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class StudioTour(Table, tablename="studio_tour"):
    """How far one person is with the tour in one workspace. Both ids are the key."""

    user_id: ClassVar[UUID] = UUID(required=True, default=None, primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(FlowDraft, on_delete=OnDelete.set_null, null=True)
    state: ClassVar[Text] = Text(required=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz()


class FlowShare(Table, tablename="flow_share"):
    """A link that shows one flow to whoever has it; only a hash of its secret is stored. No version = the draft."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[ForeignKey[FlowDraft]] = ForeignKey(FlowDraft, on_delete=OnDelete.cascade, null=False)
    version_id: ClassVar[UUID] = UUID(null=True, default=None)
    token_hash: ClassVar[Bytea] = Bytea(required=True, default=None)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    expires_at: ClassVar[Timestamptz] = Timestamptz(required=True, default=None)
    revoked_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    opened: ClassVar[Integer] = Integer(default=0)
    copied: ClassVar[Integer] = Integer(default=0)
    last_opened_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
