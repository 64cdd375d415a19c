"""Tables of this domain; exact definitions in migrations/drafting. Read by this domain only."""

from typing import ClassVar

from piccolo.columns import JSON, UUID, BigInt, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class Proposal(Table, tablename="proposal"):
    """What somebody described and what a model made of it. `flow_id` null: a new flow. `base_rev`: the revision of the
    flow it was made for.
    """

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(null=True, default=None)
    wish: ClassVar[Text] = Text(required=True, default=None)
    model: ClassVar[Text] = Text(required=True, default=None)
    status: ClassVar[Text] = Text(default="working")
    said: ClassVar[Text] = Text(default="")
    base_rev: ClassVar[Integer] = Integer(default=0)
    before: ClassVar[JSON] = JSON(required=True, default=None)
    after: ClassVar[JSON] = JSON(null=True, default=None)
    notes: ClassVar[JSON] = JSON(default="[]")
    log: ClassVar[JSON] = JSON(default="[]")
    seen: ClassVar[JSON] = JSON(default="[]")
    rounds: ClassVar[Integer] = Integer(default=0)
    cost_micros: ClassVar[BigInt] = BigInt(default=0)
    made_flow: ClassVar[UUID] = UUID(null=True, default=None)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    updated_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
