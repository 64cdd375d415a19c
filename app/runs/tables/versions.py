"""Versions of a flow, and where each of them runs: live, a share of live, an environment."""

from piccolo.columns import JSONB, UUID, Bytea, ForeignKey, Integer, SmallInt, Text, Timestamptz
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


class FlowLive(Table, tablename="flow_live"):
    """The version of a flow that triggers, sites and the API run."""

    flow_id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    version_id = ForeignKey(FlowVersion, null=False, on_delete=OnDelete.cascade)
    updated_at = Timestamptz(default=TimestamptzNow())


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


class VariableSet(Table, tablename="variable_set"):
    """Variables of live (`environment_id` null) or of an environment, at one moment (app/runs/variables.py)."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    environment_id = UUID(null=True, default=None)
    vars = JSONB(default="{}")
    by_user = UUID(null=True, default=None)
    made_at = Timestamptz(default=TimestamptzNow())
