"""Tables of this domain. DDL, row security and indexes: migrations/triggers."""

from piccolo.columns import JSON, JSONB, UUID, BigInt, Bytea, Integer, SmallInt, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class TriggerPlan(Table, tablename="trigger_plan"):
    """What a trigger of the live version waits for. `rule`: the settings of its step.

    Schedules have `next_at`; event triggers the number of the last event they have seen (`cursor`); triggers on the end
    of a flow the moment up to which they have looked (`since`), and before which nothing counts (`begins_at`).
    `problem`: why it can't fire, "" = it can.
    """

    trigger_id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    version_id = UUID(required=True, default=None)
    title = Text(default="")
    words = Text(default="")
    rule = JSONB(default="{}")
    next_at = Timestamptz(null=True, default=None)
    cursor = BigInt(null=True, default=None)
    since = Timestamptz(null=True, default=None)
    begins_at = Timestamptz(null=True, default=None)
    problem = Text(default="")
    made_at = Timestamptz(default=TimestamptzNow())


class TriggerFiring(Table, tablename="trigger_firing"):
    """One thing a trigger fired for, or didn't, with the reason. (trigger_id, key) is unique: that makes it once.

    `input` is kept while the firing waits for its turn only. `depth`: how many triggers in a row led here. `times`:
    how often the same refusal came within its minute, or how many are merged in it. `pace_key`, `slot_at`: what the
    pace counts it for, and when it starts or started.
    """

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    trigger_id = UUID(required=True, default=None)
    key = Text(required=True, default=None)
    result = Text(required=True, default=None)
    reason = Text(default="")
    planned_at = Timestamptz(null=True, default=None)
    run_id = UUID(null=True, default=None)
    input = JSON(null=True, default=None)
    depth = SmallInt(default=0)
    times = Integer(default=1)
    pace_key = Text(null=True, default=None)
    slot_at = Timestamptz(null=True, default=None)
    at = Timestamptz(default=TimestamptzNow())


class TriggerPace(Table, tablename="trigger_pace"):
    """How often a trigger may start something (app/triggers/pacing.py); no row = as it comes."""

    trigger_id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    mode = Text(required=True, default=None)
    seconds = Integer(required=True, default=None)
    key = Text(default="")
    take = Text(default="last")
    longest = Integer(null=True, default=None)
    most = Integer(default=1)
    over = Text(default="queue")


class TriggerSecret(Table, tablename="trigger_secret"):
    """A secret that a sender signs with, sealed by the vault. `until`: replaced, and good up to then."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    trigger_id = UUID(required=True, default=None)
    sealed = Bytea(required=True, default=None)
    hint = Text(default="")
    until = Timestamptz(null=True, default=None)
    made_at = Timestamptz(default=TimestamptzNow())
