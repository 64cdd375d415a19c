"""Tables of this domain; exact definitions in migrations/checks. Read by this domain only."""

from typing import ClassVar

from piccolo.columns import JSON, UUID, BigInt, Boolean, DoublePrecision, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table


class CheckCase(Table, tablename="check_case"):
    """A test of a flow. `removed_at`: somebody deleted it and may still take that back. `earlier`: what was recorded
    before the last recording.
    """

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
    earlier: ClassVar[JSON] = JSON(null=True, default=None)


class CheckSuite(Table, tablename="check_suite"):
    """Some tests of a flow, by name. `gates`: they run before it is published, where the flow's rule asks for tests."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    gates: ClassVar[Boolean] = Boolean(default=False)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    removed_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class CheckSuiteCase(Table, tablename="check_suite_case"):
    """A test that is in a suite."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    suite_id: ClassVar[UUID] = UUID(required=True, default=None)
    case_id: ClassVar[UUID] = UUID(required=True, default=None)


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


class Dataset(Table, tablename="dataset"):
    """Inputs of a flow, and what should come out. `removed_at`: somebody deleted it and may still take that back."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    name: ClassVar[Text] = Text(required=True, default=None)
    source: ClassVar[Text] = Text(default="")
    rows: ClassVar[Integer] = Integer(default=0)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    removed_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class DatasetRow(Table, tablename="dataset_row"):
    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    dataset_id: ClassVar[UUID] = UUID(required=True, default=None)
    place: ClassVar[Integer] = Integer(required=True, default=None)
    input: ClassVar[JSON] = JSON(required=True, default=None)
    expected: ClassVar[JSON] = JSON(null=True, default=None)
    source_run: ClassVar[UUID] = UUID(null=True, default=None)


class Experiment(Table, tablename="experiment"):
    """Every row of a dataset with every variant. `leased_until`: which worker looks after it, until then."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    dataset_id: ClassVar[UUID] = UUID(required=True, default=None)
    flow_id: ClassVar[UUID] = UUID(required=True, default=None)
    status: ClassVar[Text] = Text(default="running")
    said: ClassVar[Text] = Text(default="")
    trigger: ClassVar[Text] = Text(default="")
    expect: ClassVar[JSON] = JSON(default="[]")
    variants: ClassVar[JSON] = JSON(required=True, default=None)
    most_micros: ClassVar[BigInt] = BigInt(default=0)
    created_by: ClassVar[UUID] = UUID(null=True, default=None)
    created_at: ClassVar[Timestamptz] = Timestamptz(default=TimestamptzNow())
    leased_until: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
    finished_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)


class Trial(Table, tablename="experiment_trial"):
    """One row with one variant."""

    id: ClassVar[UUID] = UUID(primary_key=True)
    workspace_id: ClassVar[UUID] = UUID(required=True, default=None)
    experiment_id: ClassVar[UUID] = UUID(required=True, default=None)
    row_id: ClassVar[UUID] = UUID(required=True, default=None)
    variant: ClassVar[Integer] = Integer(required=True, default=None)
    place: ClassVar[Integer] = Integer(required=True, default=None)
    status: ClassVar[Text] = Text(default="queued")
    run_id: ClassVar[UUID] = UUID(null=True, default=None)
    passed: ClassVar[Boolean] = Boolean(null=True, default=None)
    score: ClassVar[DoublePrecision] = DoublePrecision(null=True, default=None)
    verdicts: ClassVar[JSON] = JSON(default="[]")
    error: ClassVar[Text] = Text(default="")
    output: ClassVar[Text] = Text(default="")
    ms: ClassVar[DoublePrecision] = DoublePrecision(default=0.0)
    cost_micros: ClassVar[BigInt] = BigInt(default=0)
    started_at: ClassVar[Timestamptz] = Timestamptz(null=True, default=None)
