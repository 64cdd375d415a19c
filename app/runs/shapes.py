"""What pages and programs see of a run: its steps, their attempts and what they said. Plain data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from app.runs.remedies import Remedy, remedy
from app.runs.why import Why
from flows.sdk.context import Wait


class AttemptView(Struct, frozen=True):
    """One try. `began`: ms since the run began. `at`: when, `worker`: who, where the ledger knows (durable runs).

    `heard`, `stopped`: when that worker was heard last, and when it signed off.
    """

    attempt: int
    status: str
    began: float
    ms: float
    error: str = ""
    late: bool = False
    at: datetime | None = None
    ended: datetime | None = None
    worker: str = ""
    heard: datetime | None = None
    stopped: datetime | None = None


class LogView(Struct, frozen=True):
    """A line that a step said (`ctx.log`). `began`: ms since the run began."""

    text: str
    level: str = "info"
    began: float = 0
    attempt: int = 1
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


class StepView(Struct, frozen=True):
    """Milliseconds: `began` since the run began, `ms` of work. `wait` is there while the step waits for somebody.

    `taken_over`: the outcome is that of the run this one goes on from. `edited`: ports whose value a person put in.
    `why`: of a step that did not run, the wires that stayed silent, back to the cause. `kept`: its result was kept from
    a run before. `error_field`: the setting or the port that caused the error, where one did. `error_kind`: its line in
    remedies.py.
    """

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
    logs: list[LogView] = field(default_factory=list)
    effect: str = ""
    taken_over: bool = False
    edited: tuple[str, ...] = ()
    why: Why | None = None
    kept: bool = False
    error_field: str = ""
    error_kind: str = ""

    @property
    def key(self) -> str:
        return f"{self.node}:{self.iter}" if self.iter else self.node

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def paused(self) -> bool:
        """The run pauses before this step: it has not begun."""
        return self.status == "paused"

    @property
    def resumable(self) -> bool:
        """A step of a flow that this flow runs is resumed with the step that runs it."""
        return "/" not in self.node and self.status != "skipped"


class Rating(Struct, frozen=True):
    """What somebody thinks of a run's answer. `user_id` None: the visitor for whom it was; `by`: a member's name."""

    good: bool
    note: str
    user_id: UUID | None
    by: str
    at: datetime


class RunView(Struct, frozen=True):
    """`ms` counts up to now while the run goes on. `needs_you`: somebody has to answer or decide.

    `origin`: the run this one goes on from, at `from_step`; "" = from its beginning. `waits`: why a queued run has not
    begun, "" when only its turn has not come.
    """

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
    origin: UUID | None = None
    from_step: str = ""
    finished_at: datetime | None = None
    kept_until: datetime | None = None
    """When it is deleted with all that belongs to it; null until it has ended."""
    environment: str = ""
    waits: str = ""
    ratings: list[Rating] = []
    error_kind: str = ""
    error_field: str = ""

    @property
    def remedy(self) -> Remedy:
        """What leads on from the run's error."""
        return remedy(self.error_kind, self.error_field, self.error_node, self.flow_id, self.id)

    def remedy_of(self, step: StepView) -> Remedy:
        """What leads on from the error of one of its steps."""
        return remedy(step.error_kind, step.error_field, step.node, self.flow_id, self.id)

    @property
    def live(self) -> bool:
        return self.status in ("queued", "running", "waiting")

    @property
    def tries(self) -> int:
        """Tries beyond the first, of all steps."""
        return sum(step.attempt - 1 for step in self.steps if step.attempt > 1 and not step.taken_over)

    @property
    def state(self) -> str:
        """The word for its badge; templates/parts/status.html has icon and colour."""
        paused = self.status in ("waiting", "running") and any(step.paused for step in self.steps)
        return "paused" if paused else state_of(self.status, self.needs_you)


def state_of(status: str, needs_you: bool) -> str:
    """A wait for the clock is not "Needs you"; a run that was given up reads as failed."""
    if status == "waiting":
        return "waiting" if needs_you else "sleeping"
    return "failed" if status == "dead" else status
