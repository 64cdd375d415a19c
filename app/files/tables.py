"""The table of workspace files."""

from piccolo.columns import UUID, BigInt, Bytea, Text, Timestamptz
from piccolo.table import Table


class WorkspaceFile(Table, tablename="workspace_file"):
    id = UUID(primary_key=True)
    workspace_id = UUID()
    hash = Text()
    name = Text()
    media_type = Text()
    size = BigInt()
    content = Bytea()
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz()
