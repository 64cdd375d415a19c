"""Tables of this domain; exact definitions in migrations/sites. Read by this domain only."""

from typing import ClassVar

from piccolo.columns import JSONB, UUID, Bytea, ForeignKey, Integer, Real, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table


class Site(Table, tablename="site"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    slug: ClassVar[Text] = Text(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    theme: ClassVar[Text] = Text(default="plot")
    hue: ClassVar[Real] = Real(default=150.0)
    strength: ClassVar[Real] = Real(default=1.0)
    keep_days: ClassVar[Integer] = Integer(default=30)
    turns_per_day: ClassVar[Integer] = Integer(default=100)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    updated_at: ClassVar[Timestamptz] = Timestamptz()


class Page(Table, tablename="page"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    site_id: ClassVar[ForeignKey[Site]] = ForeignKey(Site, on_delete=OnDelete.cascade, null=False)
    path: ClassVar[Text] = Text(required=True, default=None)
    title: ClassVar[Text] = Text(required=True, default=None)
    description: ClassVar[Text] = Text(default="")
    position: ClassVar[Integer] = Integer(default=0)
    blocks: ClassVar[JSONB] = JSONB(default="[]")
    rev: ClassVar[Integer] = Integer(default=1)
    live_version_id: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    updated_at: ClassVar[Timestamptz] = Timestamptz()


class PageVersion(Table, tablename="page_version"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    page_id: ClassVar[ForeignKey[Page]] = ForeignKey(Page, on_delete=OnDelete.cascade, null=False)
    number: ClassVar[Integer] = Integer(required=True, default=None)
    path: ClassVar[Text] = Text(required=True, default=None)
    title: ClassVar[Text] = Text(required=True, default=None)
    description: ClassVar[Text] = Text(required=True, default=None)
    position: ClassVar[Integer] = Integer(required=True, default=None)
    blocks: ClassVar[JSONB] = JSONB(required=True, default=None)
    published_by: ClassVar[UUID] = UUID(null=True, default=None)
    published_at: ClassVar[Timestamptz] = Timestamptz()


class Conversation(Table, tablename="conversation"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    site_id: ClassVar[ForeignKey[Site]] = ForeignKey(Site, on_delete=OnDelete.cascade, null=False)
    page_id: ClassVar[ForeignKey[Page]] = ForeignKey(Page, on_delete=OnDelete.cascade, null=False)
    block_id: ClassVar[Text] = Text(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    visitor: ClassVar[Bytea] = Bytea(required=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
    last_at: ClassVar[Timestamptz] = Timestamptz()
    ended_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class Turn(Table, tablename="turn"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    conversation_id: ClassVar[ForeignKey[Conversation]] = ForeignKey(
        Conversation, on_delete=OnDelete.cascade, null=False
    )
    visitor: ClassVar[Bytea] = Bytea(required=True, default=None)
    role: ClassVar[Text] = Text(required=True, default=None)
    text: ClassVar[Text] = Text(default="")
    state: ClassVar[Text] = Text(default="done")
    run_id: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()


class Submission(Table, tablename="submission"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    site_id: ClassVar[ForeignKey[Site]] = ForeignKey(Site, on_delete=OnDelete.cascade, null=False)
    page_id: ClassVar[ForeignKey[Page]] = ForeignKey(Page, on_delete=OnDelete.cascade, null=False)
    block_id: ClassVar[Text] = Text(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    visitor: ClassVar[Bytea] = Bytea(required=True, default=None)
    input: ClassVar[JSONB] = JSONB(required=True, default=None)
    state: ClassVar[Text] = Text(default="working")
    result: ClassVar[Text] = Text(default="")
    run_id: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz()
