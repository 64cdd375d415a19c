"""Large values, stored once for each workspace and named by runs."""

from piccolo.columns import UUID, BigInt, Boolean, Bytea, Integer, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class StoredValue(Table, tablename="stored_value"):
    """A large value of a step, once for each workspace. Its key is (workspace_id, hash); Piccolo never writes here."""

    workspace_id = UUID(primary_key=True)
    hash = Bytea(required=True, default=None)
    size = BigInt(required=True, default=None)
    touched_at = Timestamptz(default=TimestamptzNow())


class StoredPiece(Table, tablename="stored_piece"):
    """Its JSON in pieces of 1 MB. Key: (workspace_id, hash, nth)."""

    workspace_id = UUID(primary_key=True)
    hash = Bytea(required=True, default=None)
    nth = Integer(required=True, default=None)
    content = Bytea(required=True, default=None)


class RunValue(Table, tablename="run_value"):
    """Which run names which value. `looked`: its record was looked through after its end. Key: (run_id, hash)."""

    run_id = UUID(primary_key=True)
    hash = Bytea(required=True, default=None)
    workspace_id = UUID(required=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    looked = Boolean(default=False)
