"""Tables of this domain; exact definitions in migrations/gitsync. Read by this domain only."""

from typing import ClassVar

from piccolo.columns import JSON, UUID, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class GitLink(Table, tablename="git_link"):
    """A workspace's repository. `busy_at`: since when a sync is under way. `wanted_at`: somebody asked for one."""

    workspace_id: ClassVar[UUID] = UUID(primary_key=True, default=None)
    url: ClassVar[Text] = Text(required=True, default=None)
    branch: ClassVar[Text] = Text(required=True, default=None)
    folder: ClassVar[Text] = Text(default="")
    form: ClassVar[Text] = Text(default="json")
    git_user: ClassVar[Text] = Text(default="")
    token_sealed: ClassVar[Bytea] = Bytea(null=True, default=None)
    token_hint: ClassVar[Text] = Text(default="")
    push_on_publish: ClassVar[Boolean] = Boolean(default=False)
    pull_minutes: ClassVar[Integer] = Integer(default=0)
    tests: ClassVar[Boolean] = Boolean(default=False)
    hook_digest: ClassVar[Bytea] = Bytea(null=True, default=None)
    head: ClassVar[Text] = Text(default="")
    state: ClassVar[Text] = Text(default="new")
    said: ClassVar[Text] = Text(default="")
    busy_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    wanted_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    looked_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    synced_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())


class GitFile(Table, tablename="git_file"):
    """One file and its flow. `base`: what both sides agreed on last, null = nothing. `theirs`: what stands there."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    path: ClassVar[Text] = Text(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(null=True, default=None)
    base: ClassVar[Text] = Text(null=True, default=None)
    theirs: ClassVar[Text] = Text(null=True, default=None)
    state: ClassVar[Text] = Text(default="same")
    said: ClassVar[Text] = Text(default="")
    updated_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())


class GitEvent(Table, tablename="git_event"):
    """What one sync did. `lines`: [[kind, name], …]."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    why: ClassVar[Text] = Text(default="")
    by: ClassVar[Text] = Text(default="")
    commit_id: ClassVar[Text] = Text(default="")
    ok: ClassVar[Boolean] = Boolean(default=True)
    said: ClassVar[Text] = Text(default="")
    lines: ClassVar[JSON] = JSON(default="[]")
