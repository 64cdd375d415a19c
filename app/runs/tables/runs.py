"""A run, what happened in it, and what it is told."""

from piccolo.columns import JSON, UUID, Array, BigInt, Boolean, ForeignKey, Integer, SmallInt, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.runs.tables.versions import FlowVersion


class Run(Table, tablename="run"):
    """One execution of a version. An express run keeps its steps in `steps`; a durable one in node_exec."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    version_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    status = Text(required=True, default=None)
    lane = Text(default="normal")
    priority = SmallInt(default=0)
    trigger = Text(required=True, default=None)
    trigger_id = UUID(null=True, default=None)
    started_by = UUID(null=True, default=None)
    visitor = Text(default="")
    draft = Boolean(default=False)
    idempotency_key = Text(null=True, default=None)
    epoch = BigInt(default=0)
    write_seq = Integer(default=0)
    owner_worker = UUID(null=True, default=None)
    wake_at = Timestamptz(null=True, default=None)
    deadline_at = Timestamptz(null=True, default=None)
    dispatched_at = Timestamptz(null=True, default=None)
    dispatch_seq = Integer(default=0)
    crash_count = SmallInt(default=0)
    cancel_requested_at = Timestamptz(null=True, default=None)
    awaits = Array(base_column=Text(), default=list)
    next_event_seq = BigInt(default=1)
    input = JSON(default="null")
    output = JSON(null=True, default=None)
    error = JSON(null=True, default=None)
    steps = JSON(null=True, default=None)
    origin_run = UUID(null=True, default=None)
    from_step = Text(default="")
    prompt_tokens = Integer(default=0)
    completion_tokens = Integer(default=0)
    cost_micros = BigInt(default=0)
    created_at = Timestamptz(default=TimestamptzNow())
    queued_at = Timestamptz(default=TimestamptzNow())
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    afresh = Boolean(default=False)
    line = Text(default="")
    breaks = JSON(null=True, default=None)
    variables_id = UUID(null=True, default=None)
    idle_crashes = SmallInt(default=0)


class RunEvent(Table, tablename="run_event"):
    """What happened in a run, numbered 1, 2, 3 … without gaps. Primary key: run_id, seq."""

    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade, primary_key=True)
    seq = BigInt(required=True, default=None)
    workspace_id = UUID(required=True, default=None)
    type = Text(required=True, default=None)
    payload = JSON(required=True, default=None)
    epoch = BigInt(default=0)
    created_at = Timestamptz(default=TimestamptzNow())


class RunNews(Table, tablename="run_news"):
    """An end or a wait of a run that its workspace was not told of yet. Written by a trigger on run_event."""

    id = BigInt(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    run_id = UUID(required=True, default=None)
    type = Text(required=True, default=None)
    node = Text(default="")
    at = Timestamptz(default=TimestamptzNow())


class RunSignal(Table, tablename="run_signal"):
    """A message to a run, or to one of its steps. `taken_by`: the epoch of the claim that used it."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    run_id = ForeignKey(Run, null=False, on_delete=OnDelete.cascade)
    name = Text(required=True, default=None)
    data = JSON(default="null")
    sent_by = UUID(null=True, default=None)
    sender = Text(default="")
    dedupe_key = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    taken_by = Text(null=True, default=None)
    step = Text(default="")


class RunFollowed(Table, tablename="run_followed"):
    """How far a job that follows ended runs has come: words (search), spans (OpenTelemetry). Of no workspace."""

    name = Text(primary_key=True)
    up_to = Timestamptz(required=True, default=None)
