"""What starts runs from outside: triggers, and their addresses in environments."""

from piccolo.columns import UUID, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.runs.tables.versions import Environment


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


class StageAddress(Table, tablename="stage_address"):
    """A webhook's own address in an environment. The token is derived from the id; only its hash is stored."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    flow_id = UUID(required=True, default=None)
    environment_id = ForeignKey(Environment, null=False, on_delete=OnDelete.cascade)
    node_id = Text(required=True, default=None)
    token_hash = Bytea(required=True, default=None)
    enabled = Boolean(default=True)
