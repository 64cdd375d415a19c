# ruff: noqa: E501 -- SQL keeps its own shape
"""Ended runs as OpenTelemetry spans, sent by OTLP over HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT points.

A job makes them from the record, seconds after the run: the run itself knows nothing of it. One span a run, one a step,
named and described by the conventions for generative AI where a model was called. What people and models wrote is not
sent, only names, times, counts and costs. Ids are derived from the run, so that a batch sent twice is the same spans.

Needs the dependency group `telemetry`; it is loaded when, and only when, an endpoint is set.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from app import config
from app.db import system_tx
from app.errors import NotFound
from app.logs import logger
from app.runs import queries
from app.runs.shapes import RunView, StepView

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

log = logger(__name__)

BATCH = 200
"""Runs in one request."""
BEHIND = timedelta(seconds=10)
"""Runs are looked at so long after their end: by then their transaction has committed."""
OLDEST = timedelta(hours=1)
"""After an outage of the receiver, what is older is not sent any more."""
LOCK = 0x4F54454C  # "OTEL"

UP_TO = "select up_to from run_followed where name = 'spans'"
CAME_TO = "insert into run_followed (name, up_to) values ('spans', $1) on conflict (name) do update set up_to = excluded.up_to"
ENDED = "select id, workspace_id, finished_at from run where finished_at > $1 and finished_at <= $2 order by finished_at limit $3"


async def send_spans() -> int:
    """Send what has ended since the last time. Nothing without an endpoint. Returns how many runs were sent.

    Raises when the receiver refuses or is away: the same runs come again next time.
    """
    if not config.settings().otlp_endpoint:
        return 0
    async with system_tx("send spans") as tx:
        if not await tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
            return 0
        now = await tx.fetchval("select clock_timestamp()")
        came_to = await tx.fetchval(UP_TO)
        if came_to is None:  # what ended before anybody listened is not news
            await tx.execute(CAME_TO, now - BEHIND)
            return 0
        rows = await tx.fetch(ENDED, max(came_to, now - OLDEST), now - BEHIND, BATCH)
        runs = [run for row in rows if (run := await _run(row)) is not None]
        if runs:
            await asyncio.to_thread(_send, runs)
        await tx.execute(CAME_TO, rows[-1]["finished_at"] if len(rows) == BATCH else now - BEHIND)
    return len(runs)


async def _run(row: Any) -> "tuple[str, RunView] | None":
    try:
        # a task of its own: it opens a transaction of the run's workspace beside the one that holds the lock
        run, _ = await asyncio.create_task(queries.opened_in(row["workspace_id"], row["id"]))
    except NotFound:
        return None  # deleted meanwhile
    return str(row["workspace_id"]), run


def _send(runs: "Sequence[tuple[str, RunView]]") -> None:
    """In a thread: the exporter waits for the receiver."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    settings = config.settings()
    headers = dict(pair.split("=", 1) for pair in settings.otlp_headers.split(",") if "=" in pair)
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", headers=headers, timeout=10)
    try:
        spans = [span for workspace, run in runs for span in spans_of(workspace, run)]
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise ConnectionError(f"{settings.otlp_endpoint} did not take the spans of {len(runs)} runs.")
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


def spans_of(workspace: str, run: RunView) -> "list[ReadableSpan]":
    """The run's span, then those of its steps in its timeline's order. Skipped and taken-over steps have none."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    if run.finished_at is None:
        return []
    resource = Resource.create({"service.name": config.settings().otlp_service})
    scope = InstrumentationScope("agentbase.runs")
    began = round(run.finished_at.timestamp() * 1e9 - run.ms * 1e6)

    def context(key: str) -> SpanContext:
        span_id = int.from_bytes(blake2b(f"{run.id}:{key}".encode(), digest_size=8).digest(), "big") or 1
        return SpanContext(run.id.int, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    def status(failed: bool, words: str) -> Status:
        return Status(StatusCode.ERROR, words[:500]) if failed else Status(StatusCode.OK)

    top = context("")
    failed = run.status in ("failed", "dead")
    spans = [
        ReadableSpan(
            f"run {run.flow}", top, None, resource, _of_run(workspace, run), kind=SpanKind.SERVER,
            status=status(failed, run.error), start_time=began, end_time=began + round(run.ms * 1e6),
            instrumentation_scope=scope,
        )
    ]  # fmt: skip
    known = {step.key for step in run.steps}
    for step in run.steps:
        if step.status in ("skipped", "queued") or step.taken_over:
            continue
        start = began + round(step.began * 1e6)
        around = _around(step, known)
        model = _model(step)
        spans.append(
            ReadableSpan(
                f"chat {model}" if model else step.title, context(step.key), context(around) if around else top, resource,
                _of_step(step, model), kind=SpanKind.CLIENT if model or step.family == "connect" else SpanKind.INTERNAL,
                status=status(step.status == "failed", step.error), start_time=start,
                end_time=start + round(step.ms * 1e6), instrumentation_scope=scope,
            )
        )  # fmt: skip
    return spans


def _of_run(workspace: str, run: RunView) -> dict[str, Any]:
    found = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": run.flow,
        "agentbase.workspace.id": workspace,
        "agentbase.flow.id": str(run.flow_id),
        "agentbase.flow.version": run.version,
        "agentbase.run.id": str(run.id),
        "agentbase.run.status": run.status,
        "agentbase.run.trigger": run.trigger,
        "agentbase.cost.usd": run.cost_micros / 1e6,
    }
    if run.prompt_tokens or run.completion_tokens:
        found |= {
            "gen_ai.usage.input_tokens": run.prompt_tokens,
            "gen_ai.usage.output_tokens": run.completion_tokens,
        }
    if run.status in ("failed", "dead"):
        found["error.type"] = run.status
    return found


def _of_step(step: StepView, model: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "agentbase.step.id": step.node,
        "agentbase.step.type": step.kind,
        "agentbase.step.status": step.status,
        "agentbase.step.attempts": max(1, step.attempt),
    }
    if step.iter:
        found["agentbase.step.round"] = step.iter
    if model:
        found |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.usage.input_tokens": step.prompt_tokens,
            "gen_ai.usage.output_tokens": step.completion_tokens,
            "agentbase.cost.usd": step.cost_micros / 1e6,
        }
    if step.status == "failed":
        found["error.type"] = "step_failed"
    return found


def _model(step: StepView) -> str:
    """The model that answered, "" for a step that called none."""
    if not step.tokens:
        return ""
    named = step.output.get("model") if isinstance(step.output, dict) else None
    return named if isinstance(named, str) and named else "unknown"


def _around(step: StepView, known: set[str]) -> str:
    """The key of the step that carries out another flow, of which this one is a part; "" at the run's own level."""
    outer = step.node.rpartition("/")[0]
    while outer:
        for key in (f"{outer}:{step.iter}" if step.iter else outer, outer):
            if key in known:
                return key
        outer = outer.rpartition("/")[0]
    return ""
