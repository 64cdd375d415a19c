"""How much may run at once, how long it is kept, and who does the work."""

from piccolo.columns import UUID, Array, BigInt, Boolean, Integer, Interval, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class RunQuota(Table, tablename="run_quota"):
    """How many runs of a workspace may run and wait at once; no row = the defaults in flows/ledger/postgres_sql.py."""

    workspace_id = UUID(primary_key=True)
    running = Integer(default=50)
    queued = Integer(default=10_000)
    value_bytes = BigInt(null=True, default=None)


class FlowLimit(Table, tablename="flow_limit"):
    """Runs of a flow that may be under way at once, in all and for each key, and whether they queue in the lane bulk.

    No row = no limit but the workspace's, and the lane normal.
    """

    flow_id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    running = Integer(null=True, default=None)
    key = Text(default="")
    per_key = Integer(null=True, default=None)
    bulk = Boolean(default=False)


class RunKeeping(Table, tablename="run_keeping"):
    """Days that ended runs of a workspace are kept; no row = KEEP_DAYS of app/runs/retention.py."""

    workspace_id = UUID(primary_key=True)
    days = Integer(required=True, default=None)


class WorkerRow(Table, tablename="worker"):
    """A worker process and its heartbeat. Of no workspace."""

    id = UUID(primary_key=True)
    boot_id = UUID(required=True, default=None)
    host = Text(required=True, default=None)
    pid = Integer(required=True, default=None)
    version = Text(default="")
    capabilities = Array(base_column=Text(), default=list)
    lanes = Array(base_column=Text(), default=list)
    slots = Integer(required=True, default=None)
    draining = Boolean(default=False)
    started_at = Timestamptz(default=TimestamptzNow())
    heartbeat_at = Timestamptz(default=TimestamptzNow())
    dead_after = Interval(required=True, default=None)
    stopped_at = Timestamptz(null=True, default=None)
