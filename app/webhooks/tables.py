"""Tables of this domain. DDL, row security and indexes: migrations/webhooks."""

from piccolo.columns import JSON, UUID, Array, BigInt, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class WebhookEndpoint(Table, tablename="webhook_endpoint"):
    """An address that is told of events. `kinds`: patterns such as run.failed or flow.*; none = all.

    `paused`: a person switched it off. `disabled_at`: we did, after days of failures. Its secret is sealed by the
    vault; the one before signs along until `old_until`. `secret_name`: a secret of the vault that signs instead.
    """

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    name = Text(default="")
    url = Text(required=True, default=None)
    kinds = Array(base_column=Text(), default=list)
    sealed = Bytea(required=True, default=None)
    hint = Text(default="")
    secret_name = Text(default="")
    old_sealed = Bytea(null=True, default=None)
    old_until = Timestamptz(null=True, default=None)
    paused = Boolean(default=False)
    disabled_at = Timestamptz(null=True, default=None)
    failing_since = Timestamptz(null=True, default=None)
    last_ok_at = Timestamptz(null=True, default=None)
    cursor = BigInt(default=0)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())


class WebhookDelivery(Table, tablename="webhook_delivery"):
    """One event for one endpoint. `id` is the webhook-id. `tries`: what came of each; `round` grows by a replay."""

    id = UUID(primary_key=True)
    workspace_id = UUID(required=True, default=None)
    endpoint_id = UUID(required=True, default=None)
    seq = BigInt(null=True, default=None)
    type = Text(required=True, default=None)
    body = Text(required=True, default=None)
    state = Text(default="due")
    round = Integer(default=1)
    tries = JSON(default="[]")
    created_at = Timestamptz(default=TimestamptzNow())
    done_at = Timestamptz(null=True, default=None)
