"""A run as it is shown: its steps from either lane in one shape, values readable first."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from flows import catalogue
from flows.express import StepRecord
from flows.model import Flow, NodeUse
from flows.sdk.context import Wait

_records = msgspec.json.Decoder(list[StepRecord])


class AttemptView(Struct, frozen=True):
    """One try. `began`: ms since the run began."""

    attempt: int
    status: str
    began: float
    ms: float
    error: str = ""
    late: bool = False


class StepView(Struct, frozen=True):
    """Milliseconds: `began` since the run began, `ms` of work. `wait` is there while the step waits for somebody."""

    node: str
    iter: str
    title: str
    kind: str
    family: str
    icon: str
    depth: int
    status: str
    attempt: int
    began: float
    ms: float
    inputs: dict[str, Any]
    output: Any
    error: str
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    wait: Wait | None = None
    attempts: list[AttemptView] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.node}:{self.iter}" if self.iter else self.node

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class RunView(Struct, frozen=True):
    """`ms` counts up to now while the run goes on. `needs_you`: somebody has to answer or decide."""

    id: UUID
    flow_id: UUID
    version_id: UUID
    flow: str
    version: int
    draft: bool
    status: str
    lane: str
    trigger: str
    by: str
    created_at: datetime
    ms: float
    input: Any
    output: Any
    error: str
    error_node: str
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    crash_count: int
    cancel_requested: bool
    needs_you: bool
    steps: list[StepView]

    @property
    def live(self) -> bool:
        return self.status in ("queued", "running", "waiting")

    @property
    def tries(self) -> int:
        """Tries beyond the first, of all steps."""
        return sum(step.attempt - 1 for step in self.steps if step.attempt > 1)


def loads(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def run_view(row: Any, flow: Flow, steps: list[Any], tries: list[Any], logs: list[Any]) -> RunView:
    """Put together what the ledger holds about one run."""
    made = _express(row, flow) if row["steps"] is not None else _durable(row, flow, steps, tries, logs)
    fault = loads(row["error"]) or {}
    return RunView(
        id=row["id"],
        flow_id=row["flow_id"],
        version_id=row["version_id"],
        flow=row["flow"] or "Unnamed flow",
        version=row["number"],
        draft=row["draft"],
        status=row["status"],
        lane=row["lane"],
        trigger=row["trigger"],
        by=row["by"] or "",
        created_at=row["created_at"],
        ms=float(row["ms"] or 0),
        input=loads(row["input"]),
        output=loads(row["output"]),
        error=str(fault.get("message", "")),
        error_node=str(fault.get("node", "")),
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        cost_micros=row["cost_micros"],
        crash_count=row["crash_count"],
        cancel_requested=row["cancel"],
        needs_you=row["needs_you"],
        steps=_with_inputs(made, flow),
    )


def _express(row: Any, flow: Flow) -> list[StepView]:
    records = sorted(_records.decode(row["steps"]), key=lambda record: record.began)
    return [
        _view(
            flow, record.node, record.iter, record.status, record.attempt, record.began, record.ms, record.output,
            record.fault.message if record.fault else "",
            (record.usage.prompt_tokens, record.usage.completion_tokens, record.usage.cost_micros)
            if record.usage else (0, 0, 0),
        )
        for record in records
    ]  # fmt: skip


def _durable(row: Any, flow: Flow, steps: list[Any], tries: list[Any], logs: list[Any]) -> list[StepView]:
    attempts: dict[tuple[str, str], list[AttemptView]] = {}
    for each in tries:
        error = loads(each["error"]) or {}
        attempts.setdefault((each["node_id"], each["iter_path"]), []).append(
            AttemptView(
                each["attempt"], each["outcome"] or "started", float(each["began"] or 0), float(each["ms"] or 0),
                str(error.get("message", "")), each["late"],
            )
        )  # fmt: skip
    said: dict[tuple[str, str], list[str]] = {}
    for each in logs:
        event = loads(each["payload"])
        said.setdefault((event.get("node", ""), event.get("iter", "")), []).append(str(event.get("text", "")))
    views = []
    for step in steps:
        key = (step["node_id"], step["iter_path"])
        error = loads(step["error"]) or {}
        wait = msgspec.json.decode(step["wait"], type=Wait) if step["wait"] and step["status"] == "waiting" else None
        views.append(
            _view(
                flow, step["node_id"], step["iter_path"], step["status"], step["attempt"], float(step["began"] or 0),
                float(step["took"] or 0), loads(step["output"]), str(error.get("message", "")),
                (step["prompt_tokens"], step["completion_tokens"], step["cost_micros"]), wait,
                attempts.get(key, []), said.get(key, []),
            )
        )  # fmt: skip
    return views


def _view(  # noqa: PLR0913, PLR0917 -- every value of the view, once
    flow: Flow,
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
    logs: list[str] | None = None,
) -> StepView:
    use = _use(flow, node)
    kind = catalogue.load().get(use.type) if use is not None else None
    title = (use.label if use else "") or (kind.title if kind else "") or node
    return StepView(
        node, iter, title, use.type if use else "", kind.family if kind else "", kind.icon if kind else "circle-help",
        node.count("/") + (iter.count(".") + 1 if iter else 0), _word(status, wait), attempt, began, ms, {}, output,
        error, *used, wait, attempts or [], logs or [],
    )  # fmt: skip


def _word(status: str, wait: Wait | None) -> str:
    """The ledger's status as the design's states: a wait for the clock is not "Needs you"."""
    if status == "waiting":
        return "waiting" if wait is not None and wait.signal else "sleeping"
    return {"started": "running", "backoff": "retrying"}.get(status, status)


def _use(flow: Flow, node: str) -> NodeUse | None:
    return next((use for use in flow.nodes if use.id == node), None)


def _with_inputs(steps: list[StepView], flow: Flow) -> list[StepView]:
    """What arrived at each step, taken from what the steps before gave: it is not stored twice."""
    given = {(step.node, step.iter): step.output for step in steps}
    filled = []
    for step in steps:
        inputs: dict[str, Any] = {}
        for edge in flow.edges:
            source, _, out = edge.source.rpartition(".")
            target, _, port = edge.target.rpartition(".")
            if target != step.node:
                continue
            output = given.get((source, step.iter), given.get((source, "")))
            if isinstance(output, dict):
                values = output.get("values")
                if out in output:
                    inputs[port] = output[out]
                elif isinstance(values, dict) and out in values:
                    inputs[port] = values[out]
        filled.append(msgspec.structs.replace(step, inputs=inputs) if inputs else step)
    return filled
