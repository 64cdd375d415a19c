"""Tables of this domain. DDL, row security, indexes and the functions of the money: migrations/gateway.

References to other domains' tables are plain UUID columns here: the database holds them, this domain never joins there.
"""

from piccolo.columns import JSONB, UUID, Array, BigInt, Boolean, Bytea, Date, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class Connection(Table, tablename="connection"):
    id = UUID(primary_key=True)
    workspace_id = UUID(default=None)
    slug = Text()
    provider = Text()
    name = Text()
    base_url = Text()
    options = JSONB(default="{}")
    key_sealed = Bytea(null=True, default=None, secret=True)
    key_hint = Text()
    models = JSONB(default="[]")
    models_at = Timestamptz(null=True, default=None)
    status = Text(default="untried")
    tested = JSONB(default="{}")
    tested_at = Timestamptz(null=True, default=None)
    removed_at = Timestamptz(null=True, default=None)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


class GatewaySetting(Table, tablename="gateway_setting"):
    workspace_id = UUID(primary_key=True, default=None)
    default_model = Text()
    embedding_model = Text()
    fallbacks = JSONB(default="[]")
    local_offered = Boolean(default=False)
    rev = BigInt(default=1)
    updated_at = Timestamptz(default=TimestamptzNow())


class Budget(Table, tablename="budget"):
    id = UUID(primary_key=True)
    workspace_id = UUID(default=None)
    scope = Text()
    subject = Text()
    period = Text()
    limit_micros = BigInt()
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


class BudgetUse(Table, tablename="budget_use"):
    """Primary key is (budget_id, subject, period_start): Piccolo knows one column only; rows are addressed by all."""

    budget_id = UUID(primary_key=True, default=None)
    subject = Text()
    period_start = Date(default=None)
    workspace_id = UUID(default=None)
    spent_micros = BigInt()
    held_micros = BigInt()


class ModelCall(Table, tablename="model_call"):
    id = UUID(primary_key=True)
    workspace_id = UUID(default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    kind = Text()
    connection_id = UUID(null=True, default=None)
    provider = Text()
    model_asked = Text()
    model = Text()
    flow_id = UUID(null=True, default=None)
    run_id = UUID(null=True, default=None)
    node_id = Text()
    visitor = Text()
    outcome = Text(default="running")
    fault = Text()
    message = Text()
    prompt_tokens = Integer()
    completion_tokens = Integer()
    cost_micros = BigInt()
    counted = Boolean(default=True)
    priced = Boolean(default=True)
    latency_ms = Integer()
    first_token_ms = Integer(null=True, default=None)
    held_micros = BigInt()
    held_budgets = Array(base_column=UUID())
    held_subjects = Array(base_column=Text())
    held_starts = Array(base_column=Date())
    expires_at = Timestamptz(default=None)
