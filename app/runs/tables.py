"""Tables of this domain. DDL, row security and indexes: migrations/runs. Statuses: docs/flow-semantics.md."""

from piccolo.columns import (
    JSON,
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    DoublePrecision,
    ForeignKey,
    Integer,
    Interval,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class FlowVersion(Table, tablename="flow_version"):
    """An immutable snapshot of a flow. `kind`: published; draft = what was tried from the editor; staged = a published
    one as an environment runs it.
    """

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    number = Integer(default=0)
    kind = Text(default="published")
    name = Text(default="")
    notes = Text(default="")
    document = JSONB(required=True, default=None)
    content_hash = Bytea(required=True, default=None)
    engine_abi = SmallInt(default=1)
    node_versions = JSONB(default="{}")
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    live_at = Timestamptz(null=True, default=None)
    environment_id = UUID(null=True, default=None)


class Environment(Table, tablename="environment"):
    """A place besides live where versions run: dev, staging. Sites know only live."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    name = Text(required=True, default=None)
    position = Integer(default=0)
    created_at = Timestamptz(default=TimestamptzNow())


class EnvironmentValue(Table, tablename="environment_value"):
    """Where a flow says `given`, this environment says `instead` (app/runs/binding.py). Names only, never a secret."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    environment_id = ForeignKey(Environment, null=False, on_delete=OnDelete.cascade)
    kind = Text(required=True, default=None)
    given = Text(required=True, default=None)
    instead = Text(required=True, default=None)


class FlowStage(Table, tablename="flow_stage"):
    """What an environment runs of a flow: `staged_id`, a copy of `version_id`. `before_id`: what it ran before."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    environment_id = ForeignKey(Environment, null=False, on_delete=OnDelete.cascade)
    version_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    staged_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    before_id = ForeignKey(FlowVersion, null=True, on_delete=OnDelete.set_null)
    by_user = UUID(null=True, default=None)
    updated_at = Timestamptz(default=TimestamptzNow())


class StageAddress(Table, tablename="stage_address"):
    """A webhook's own address in an environment. The token is derived from the id; only its hash is stored."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    environment_id = ForeignKey(Environment, null=False, on_delete=OnDelete.cascade)
    node_id = Text(required=True, default=None)
    token_hash = Bytea(required=True, default=None)
    enabled = Boolean(default=True)


class FlowRollout(Table, tablename="flow_rollout"):
    """A new version for `percent` of those who ask, beside `before_id`. One at a time a flow; ended ones stay."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    version_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    before_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    percent = Integer(required=True, default=None)
    stop_above = Integer(null=True, default=None)
    after_runs = Integer(default=20)
    started_by = UUID(null=True, default=None)
    started_at = Timestamptz(default=TimestamptzNow())
    ended_at = Timestamptz(null=True, default=None)
    outcome = Text(default="")
    why = Text(default="")


class FlowLive(Table, tablename="flow_live"):
    """The version of a flow that triggers, sites and the API run."""

    flow_id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    version_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    updated_at = Timestamptz(default=TimestamptzNow())


class Trigger(Table, tablename="trigger"):
    """What starts a flow: one row per start step of its live version.

    Webhooks, mail and file drop have an address; its token is derived from the id and `token_round`, and only its
    hash is stored. `enabled`: the live version has this step; `paused`: a person switched it off;
    `planned`: app.triggers has looked at the step as it is in the live version;
    `paced`: it has a row in trigger_pace. `environment_id`: where it starts runs, null = live.
    """

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    node_id = Text(required=True, default=None)
    kind = Text(required=True, default=None)
    token_hash = Bytea(null=True, default=None)
    token_round = Integer(default=1)
    enabled = Boolean(default=True)
    paused = Boolean(default=False)
    planned = Boolean(default=False)
    paced = Boolean(default=False)
    environment_id = ForeignKey(Environment, null=True, on_delete=OnDelete.cascade)
    created_at = Timestamptz(default=TimestamptzNow())


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


class VariableSet(Table, tablename="variable_set"):
    """Variables of live (`environment_id` null) or of an environment, at one moment (app/runs/variables.py)."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    environment_id = UUID(null=True, default=None)
    vars = JSONB(default="{}")
    by_user = UUID(null=True, default=None)
    made_at = Timestamptz(default=TimestamptzNow())


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


class RunQuota(Table, tablename="run_quota"):
    """How many runs of a workspace may run and wait at once; no row = the defaults in flows/ledger/postgres_sql.py."""

    workspace_id = UUID(primary_key=True)
    running = Integer(default=50)
    queued = Integer(default=10_000)
    value_bytes = BigInt(null=True, default=None)


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


class RunKeeping(Table, tablename="run_keeping"):
    """Days that ended runs of a workspace are kept; no row = KEEP_DAYS of app/runs/retention.py."""

    workspace_id = UUID(primary_key=True)
    days = Integer(required=True, default=None)


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


class RunFollowed(Table, tablename="run_followed"):
    """How far a job that follows ended runs has come: words (search), spans (OpenTelemetry). Of no workspace."""

    name = Text(primary_key=True)
    up_to = Timestamptz(required=True, default=None)


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
