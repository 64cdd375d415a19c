"""The steps of a run, and the results that are kept for the next."""

from piccolo.columns import JSON, UUID, BigInt, Boolean, Bytea, DoublePrecision, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.runs.tables.runs import Run


class NodeExec(Table, tablename="node_exec"):
    """The latest state of one step. Primary key is (run_id, node_id, iter_path): rows are addressed by all three."""

    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade, primary_key=True)
    node_id = Text(required=True, default=None)
    iter_path = Text(default="")
    workspace_id = UUID(required=True, default=None)
    status = Text(required=True, default=None)
    attempt = Integer(default=0)
    epoch = BigInt(required=True, default=None)
    effect_class = Text(required=True, default=None)
    idem_key = Text(required=True, default=None)
    output = JSON(null=True, default=None)
    error = JSON(null=True, default=None)
    handled = Boolean(default=False)
    wait = JSON(null=True, default=None)
    signal = JSON(null=True, default=None)
    next_at = Timestamptz(null=True, default=None)
    ms = DoublePrecision(default=0)
    prompt_tokens = Integer(default=0)
    completion_tokens = Integer(default=0)
    cost_micros = BigInt(default=0)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    taken_over = Boolean(default=False)
    edits = JSON(null=True, default=None)
    kept = Boolean(default=False)
    told = Boolean(default=False)


class NodeAttempt(Table, tablename="node_attempt"):
    """One try of one step; append-only, money is counted here. Primary key: run_id, node_id, iter_path, attempt."""

    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade, primary_key=True)
    node_id = Text(required=True, default=None)
    iter_path = Text(default="")
    attempt = Integer(required=True, default=None)
    workspace_id = UUID(required=True, default=None)
    seq = BigInt(required=True, default=None)
    epoch = BigInt(required=True, default=None)
    worker = UUID(null=True, default=None)
    started_at = Timestamptz(default=TimestamptzNow())
    ended_at = Timestamptz(null=True, default=None)
    ms = DoublePrecision(default=0)
    outcome = Text(null=True, default=None)
    late = Boolean(default=False)
    error = JSON(null=True, default=None)
    prompt_tokens = Integer(default=0)
    completion_tokens = Integer(default=0)
    cost_micros = BigInt(default=0)


class StepCache(Table, tablename="step_cache"):
    """A result of a step, kept for equal inputs until `expires_at`. `key`: a hash (flows/keeping.py)."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    key = Bytea(required=True, default=None)
    type = Text(required=True, default=None)
    output = JSON(required=True, default=None)
    bytes = Integer(default=0)
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(required=True, default=None)
