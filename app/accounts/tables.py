"""Tables of this domain. DDL, row security and indexes: migrations/accounts."""

from piccolo.columns import UUID, Array, Bytea, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class Workspace(Table, tablename="workspace"):
    id = UUID(primary_key=True)
    name = Text()
    created_at = Timestamptz(default=TimestamptzNow())


class UserAccount(Table, tablename="user_account"):
    id = UUID(primary_key=True)
    email = Text()
    name = Text()
    password_hash = Text(secret=True)
    theme = Text(default="system")
    density = Text(default="comfortable")
    language = Text(default="")
    disabled_at = Timestamptz(null=True, default=None)
    last_sign_in_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())


class Membership(Table, tablename="membership"):
    """Primary key is (workspace_id, user_id): Piccolo knows one column only, so rows are addressed by both."""

    workspace_id = ForeignKey(Workspace, null=False, on_delete=OnDelete.cascade, primary_key=True)
    user_id = ForeignKey(UserAccount, null=False, on_delete=OnDelete.cascade)
    role = Text()
    created_at = Timestamptz(default=TimestamptzNow())


class Session(Table, tablename="session"):
    id = UUID(primary_key=True)
    digest = Bytea(secret=True)
    user_id = ForeignKey(UserAccount, null=False, on_delete=OnDelete.cascade)
    workspace_id = ForeignKey(Workspace, null=False, on_delete=OnDelete.cascade)
    user_agent = Text()
    address = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    seen_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz()


class ApiKey(Table, tablename="api_key"):
    id = UUID(primary_key=True)
    workspace_id = ForeignKey(Workspace, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(UserAccount, null=False, on_delete=OnDelete.cascade)
    name = Text()
    prefix = Text()
    digest = Bytea(secret=True)
    scopes = Array(base_column=Text())
    used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())


class Identity(Table, tablename="identity"):
    id = UUID(primary_key=True)
    user_id = ForeignKey(UserAccount, null=False, on_delete=OnDelete.cascade)
    issuer = Text()
    subject = Text()
    label = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    used_at = Timestamptz(null=True, default=None)


class Invite(Table, tablename="invite"):
    id = UUID(primary_key=True)
    workspace_id = ForeignKey(Workspace, null=False, on_delete=OnDelete.cascade)
    digest = Bytea(secret=True)
    role = Text()
    email = Text()
    created_by = ForeignKey(UserAccount, null=False, on_delete=OnDelete.cascade)
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)
    used_by = ForeignKey(UserAccount, null=True, default=None, on_delete=OnDelete.set_null)
