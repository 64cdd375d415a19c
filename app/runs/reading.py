"""A run as it is shown: its steps from either lane in one shape, secrets left out, and why a step did not run."""

from typing import Any

import msgspec
from msgspec import UnsetType

from app.language.sentences import say
from app.runs.arriving import Arrivals
from app.runs.redacting import redacted
from app.runs.shapes import AttemptView, LogView, Rating, RunView, StepView
from app.runs.why import reasons
from flows import catalogue
from flows.breaks import BREAK
from flows.express import StepRecord
from flows.model import Flow, NodeUse
from flows.sdk.context import Wait
from flows.sdk.logs import LogLine, lines_in

_records = msgspec.json.Decoder(list[StepRecord])
_ratings = msgspec.json.Decoder(list[Rating])


def loads(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def run_view(row: Any, flow: Flow, steps: list[Any], tries: list[Any], logs: list[Any]) -> RunView:
    """Put together what the ledger holds about one run."""
    uses = {use.id: use for use in flow.nodes}
    made = _express(row, uses) if row["steps"] is not None else _durable(row, uses, steps, tries, logs)
    fault = loads(row["error"]) or {}
    return RunView(
        id=row["id"],
        flow_id=row["flow_id"],
        version_id=row["version_id"],
        flow=row["flow"] or "Unnamed flow",
        version=row["number"],
        draft=row["draft"],
        environment=row.get("environment") or "",
        status=row["status"],
        lane=row["lane"],
        trigger=row["trigger"],
        by=row["by"] or "",
        created_at=row["created_at"],
        ms=float(row["ms"] or 0),
        input=redacted(loads(row["input"])),
        output=redacted(loads(row["output"])),
        error=redacted(str(fault.get("message", ""))),
        error_node=str(fault.get("node", "")),
        error_kind=str(fault.get("kind", "")),
        error_field=str(fault.get("field", "")),
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        cost_micros=row["cost_micros"],
        crash_count=row["crash_count"],
        cancel_requested=row["cancel"],
        needs_you=row["needs_you"],
        steps=_explained(_with_inputs(made, flow), flow, row["trigger"]),
        origin=row["origin_run"],
        from_step=row["from_step"],
        finished_at=row["finished_at"],
        ratings=_ratings.decode(row.get("ratings") or "[]"),
    )


def _express(row: Any, uses: dict[str, NodeUse]) -> list[StepView]:
    records = sorted(_records.decode(row["steps"]), key=lambda record: record.began)
    return [
        _view(
            uses, record.node, record.iter, record.status, record.attempt, record.began, record.ms,
            redacted(record.output), redacted(record.fault.message) if record.fault else "",
            (record.usage.prompt_tokens, record.usage.completion_tokens, record.usage.cost_micros)
            if record.usage else (0, 0, 0), effect=record.effect, kept=record.kept is True,
            error_field=record.fault.field if record.fault else "",
            error_kind=record.fault.kind if record.fault else "",
            logs=_said(row, [] if isinstance(record.logs, UnsetType) else record.logs),
        )
        for record in records
    ]  # fmt: skip


def _durable(row: Any, uses: dict[str, NodeUse], steps: list[Any], tries: list[Any], logs: list[Any]) -> list[StepView]:
    attempts: dict[tuple[str, str], list[AttemptView]] = {}
    for each in tries:
        error = loads(each["error"]) or {}
        attempts.setdefault((each["node_id"], each["iter_path"]), []).append(
            AttemptView(
                each["attempt"], each["outcome"] or "started", float(each["began"] or 0), float(each["ms"] or 0),
                redacted(str(error.get("message", ""))), each["late"], each["started_at"], each["ended_at"],
                str(each["worker"] or "")[:8], each["heartbeat_at"], each["stopped_at"],
            )
        )  # fmt: skip
    said = lines_in(loads(each["payload"]) for each in logs)
    over = row["status"] in ("succeeded", "failed", "cancelled")
    views = []
    for step in steps:
        if step["status"] == "ready" and over:
            continue  # it was to begin here, and the run ended before
        key = (step["node_id"], step["iter_path"])
        error = loads(step["error"]) or {}
        wait = msgspec.json.decode(step["wait"], type=Wait) if step["wait"] and step["status"] == "waiting" else None
        wait = msgspec.structs.replace(wait, data=redacted(wait.data)) if wait is not None else None
        views.append(
            _view(
                uses, step["node_id"], step["iter_path"], step["status"], step["attempt"], float(step["began"] or 0),
                float(step["took"] or 0), redacted(loads(step["output"])), redacted(str(error.get("message", ""))),
                (step["prompt_tokens"], step["completion_tokens"], step["cost_micros"]), wait,
                attempts.get(key, []), _said(row, said.get(key, [])), step["effect_class"], step["taken_over"],
                redacted(loads(step["edits"])), step["kept"], str(error.get("field", "")),
                str(error.get("kind", "")),
            )
        )  # fmt: skip
    return views


def _said(row: Any, lines: list[LogLine]) -> list[LogView]:
    began = row["started_at"] or row["created_at"]
    return [
        LogView(
            redacted(line.text),
            line.level,
            max(0.0, (line.at - began.timestamp()) * 1000) if line.at else line.began,
            line.attempt,
            redacted(line.data),
        )
        for line in lines
    ]


def _view(  # noqa: PLR0913, PLR0917 -- every value of the view, once
    uses: dict[str, NodeUse],
    node: str,
    iter: str,
    status: str,
    attempt: int,
    began: float,
    ms: float,
    output: Any,
    error: str,
    used: tuple[int, int, int],
    wait: Wait | None = None,
    attempts: list[AttemptView] | None = None,
    logs: list[LogView] | None = None,
    effect: str = "",
    taken_over: bool = False,
    edits: dict[str, Any] | None = None,
    kept: bool = False,
    error_field: str = "",
    error_kind: str = "",
) -> StepView:
    use = uses.get(node)
    kind = catalogue.load().get(use.type) if use is not None else None
    title = (use.label if use else "") or say(kind.title if kind else "") or node
    return StepView(
        node, iter, title, use.type if use else "", kind.family if kind else "", kind.icon if kind else "circle-help",
        node.count("/") + (iter.count(".") + 1 if iter else 0), _word(status, wait), attempt, began, ms,
        dict(edits or {}), output, error, *used, wait, attempts or [], logs or [], effect, taken_over,
        tuple(edits or ()), kept=kept, error_field=error_field, error_kind=error_kind,
    )  # fmt: skip


def _word(status: str, wait: Wait | None) -> str:
    """The ledger's status as the design's states: a wait for the clock is not "Needs you"."""
    if status == "waiting" and wait is not None and wait.signal == BREAK:
        return "paused"
    if status == "waiting":
        return "waiting" if wait is not None and wait.signal and wait.asks else "sleeping"
    return {"started": "running", "backoff": "retrying", "ready": "queued"}.get(status, status)


def _with_inputs(steps: list[StepView], flow: Flow) -> list[StepView]:
    """With what arrived at each step; what a person put in takes its place."""
    arrivals = Arrivals(flow, {(step.node, step.iter): step.output for step in steps if step.output is not None})
    filled = []
    for step in steps:
        if step.paused and (shown := _before(step)) is not None:
            filled.append(msgspec.structs.replace(step, inputs=shown))
            continue
        inputs = arrivals.at(step.node, step.iter) if step.status != "skipped" else {}
        filled.append(msgspec.structs.replace(step, inputs=inputs | step.inputs) if inputs else step)
    return filled


def _before(step: StepView) -> dict[str, Any] | None:
    """What would go into a step before which the run pauses, as the engine kept it with the pause."""
    data = step.wait.data if step.wait is not None else None
    inputs = data.get("inputs") if isinstance(data, dict) else None
    return inputs if isinstance(inputs, dict) else None


def _explained(steps: list[StepView], flow: Flow, trigger: str) -> list[StepView]:
    """Skipped steps with the reason."""
    if not any(step.status == "skipped" for step in steps):
        return steps
    seen = {(step.node, step.iter): (step.status, step.output) for step in steps}
    why = reasons(flow, seen, trigger)
    return [
        msgspec.structs.replace(step, why=why(step.node, step.iter)) if step.status == "skipped" else step
        for step in steps
    ]
