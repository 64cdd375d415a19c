"""What people have to do with a run: they see it by a link, rate it, answer it."""

from piccolo.columns import UUID, Boolean, Bytea, DoublePrecision, ForeignKey, SmallInt, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.runs.tables.runs import Run


class RunShare(Table, tablename="run_share"):
    """A link that shows one run to whoever has it. The token is derived from the id; only its hash is stored."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade)
    token_hash = Bytea(required=True, default=None)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(required=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class RunRating(Table, tablename="run_rating"):
    """What one person thinks of a run's answer. `user_id` null: the visitor for whom it was."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade)
    user_id = UUID(null=True, default=None)
    good = Boolean(required=True, default=None)
    note = Text(default="")
    created_at = Timestamptz(default=TimestamptzNow())


class RunAsk(Table, tablename="run_ask"):
    """A link by which one person answers a step that waits. `email` "": a member copied the link.

    The token is derived from the id; only its hash is stored. `next_at`: when the next mail is due, the first or a
    reminder; null = none. `sent`: mails so far; `every` (seconds) and `most`: reminders.
    """

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade)
    node_id = Text(required=True, default=None)
    iter_path = Text(default="")
    email = Text(default="")
    token_hash = Bytea(required=True, default=None)
    created_by = UUID(null=True, default=None)
    asked_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(required=True, default=None)
    next_at = Timestamptz(null=True, default=None)
    every = DoublePrecision(default=0)
    most = SmallInt(default=0)
    sent = SmallInt(default=0)
    sent_at = Timestamptz(null=True, default=None)
