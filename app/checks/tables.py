"""Tables of this domain; exact definitions in migrations/checks. Read by this domain only."""

from typing import ClassVar

from piccolo.columns import JSON, UUID, BigInt, Boolean, DoublePrecision, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class CheckCase(Table, tablename="check_case"):
    """A test of a flow. `removed_at`: somebody deleted it and may still take that back."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    trigger: ClassVar[Text] = Text(default="")
    input: ClassVar[JSON] = JSON(required=True, default=None)
    expect: ClassVar[JSON] = JSON(default="[]")
    answers: ClassVar[JSON] = JSON(default="[]")
    source_run: ClassVar[UUID] = UUID(null=True, default=None)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    updated_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    removed_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class CheckResult(Table, tablename="check_result"):
    """One time a test ran. `passed` null: it has not ended."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    case_id: ClassVar[UUID] = UUID(required=True, default=None)
    version_id: ClassVar[UUID] = UUID(required=True, default=None)
    run_id: ClassVar[UUID] = UUID(null=True, default=None)
    passed: ClassVar[Boolean] = Boolean(null=True, default=None)
    error: ClassVar[Text] = Text(default="")
    verdicts: ClassVar[JSON] = JSON(default="[]")
    ms: ClassVar[DoublePrecision] = DoublePrecision(default=0.0)
    cost_micros: ClassVar[BigInt] = BigInt(default=0)
    started_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    finished_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class CheckRule(Table, tablename="check_rule"):
    """Whether a flow's tests must pass before it is published."""

    flow_id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    required: ClassVar[Boolean] = Boolean(required=True, default=None)
