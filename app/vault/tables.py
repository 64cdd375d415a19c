"""Tables of the vault. Nothing in them can be read without the instance's secret."""

from piccolo.columns import UUID, Bytea, Text, Timestamptz
from piccolo.table import Table


class DataKey(Table, tablename="data_key"):
    id = UUID(primary_key=True)
    workspace_id = UUID()
    kek_id = Text()
    wrapped = Bytea()
    created_at = Timestamptz()
    retired_at = Timestamptz(null=True, default=None)


class VaultSecret(Table, tablename="secret"):
    id = UUID(primary_key=True)
    workspace_id = UUID()
    name = Text()
    sealed = Bytea()
    hint = Text()
    hosts = Text(default="")
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz()
    updated_at = Timestamptz()
