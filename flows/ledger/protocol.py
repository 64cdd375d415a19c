"""The ledger: the truth about durable runs, as the engine sees it.

Who does what:
- The worker claims a run (epoch + 1) and hands `Claim` to the engine, which only reads (`load`) and appends (`write`).
- Every `write` is ONE transaction, guarded by the claim's epoch. A claim that lost its run gets `LostRun` and stops.
- A step's `started` is written before its effect, its outcome before any successor touches the outside world.
  The engine decides what goes into one write; `pure` steps have no `started` row and may be computed again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from flows.breaks import Breaks
from flows.sdk.capabilities import Usage
from flows.sdk.context import Act, Signal, Wait

StepStatus = Literal[
    "ready", "started", "succeeded", "backoff", "failed", "skipped", "waiting", "cancelled", "in_doubt"
]
RunStatus = Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled", "in_doubt"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
SETTLED: frozenset[str] = frozenset({"succeeded", "failed", "skipped", "cancelled"})
"""States of a step in which nothing is open."""


class LostRun(Exception):
    """The epoch of the claim is no longer the run's: somebody else owns it now. Stop at once and write nothing."""


def awaited(name: str, node: str, iter: str) -> tuple[str, str]:
    """What a waiting step is woken by: its signal's name, and the name meant for this step alone."""
    return name, meant_for(name, f"{node}:{iter}" if iter else node)


def meant_for(name: str, step: str) -> str:
    """The key of a signal. `step`: "node" or "node:round", "" = the first step that waits for the name."""
    return f"{name}\x1e{step}" if step else name


class Claim(Struct, frozen=True):
    """The right to advance one run. `epoch` grows by one with every claim and every lost owner."""

    run: str
    epoch: int = 1


class Fault(Struct, frozen=True, omit_defaults=True):
    """Why a step or a run failed, as a person reads it. `node`, `iter`: where. `kind`: the word the error gives
    itself, else the exception's name; "" = the run as a whole.
    """

    message: str
    field: str = ""
    node: str = ""
    iter: str = ""
    kind: str = ""


class StepChange(Struct, frozen=True, omit_defaults=True):
    """The new state of one step; `node` + `iter` are its key inside the run, `iter` is "" outside containers.

    `node` is a path: "outer/inner" for step `inner` of the sub-flow that step `outer` runs.
    `output`: JSON text of the node's Outputs, given with `succeeded`, and with a `failed` that the flow went on from.
    `handled`: a `failed` step from which the run goes on (default value, error wire, continue).
    `next_at` (Unix seconds): with `backoff` the next try, with `waiting` the latest moment; None = a signal only.
    `started_at` (Unix seconds), `ms`: of this attempt. `effect`: so that the sweeper knows what a crash means.
    `signal`: what ended the wait this step was in; the row keeps it, so that a crash right after does not lose it.
    `kept`: the output was kept from a run before; the step was not called.
    `acts`: changes of the host's database, in the transaction of this write (rule 68); none of them without the others.
    """

    node: str
    iter: str
    status: StepStatus
    attempt: int = 1
    effect: str = "pure"
    output: str | None = None
    fault: Fault | None = None
    handled: bool = False
    next_at: float | None = None
    wait: Wait | None = None
    started_at: float = 0
    ms: float = 0
    usage: Usage | None = None
    signal: Signal | None = None
    idempotency_key: str = ""
    kept: bool = False
    acts: tuple[Act, ...] = ()


class RunChange(Struct, frozen=True, omit_defaults=True):
    """The run's new state, written together with the last step changes.

    `waiting`: the claim ends; `wake_at` = Unix seconds of the next timer (None = no timer), `signals` = what `awaited`
    gives.
    `usage`: of the whole run until now, all claims and tries together.
    A signal or cancel that was stored since `load` must make the run claimable at once instead of letting it sleep.
    """

    status: RunStatus
    output: str | None = None
    fault: Fault | None = None
    wake_at: float | None = None
    signals: tuple[str, ...] = ()
    usage: Usage | None = None


class StepRow(Struct, frozen=True, omit_defaults=True):
    """The latest state of a step, as `load` gives it: the fields of the last StepChange.

    `edits`: values by port that a person put in the place of what arrives; with "ready", before its first try.
    """

    node: str
    iter: str
    status: StepStatus
    attempt: int = 1
    effect: str = "pure"
    output: str | None = None
    fault: Fault | None = None
    handled: bool = False
    next_at: float | None = None
    wait: Wait | None = None
    signal: Signal | None = None
    usage: Usage | None = None
    edits: dict[str, Any] | None = None


class RunRow(Struct, frozen=True, omit_defaults=True):
    """`signals`: stored and not yet used by a step, oldest first. `afresh`: it takes no result that was kept.
    `value_bytes`: what one value may be in this workspace, None = as the engine has it. `stored_bytes`: large values of
    the run in storage. `repeats`: tries of its steps beyond the first.

    `steps`: all but the rounds of containers, and of these what is still open or has something to undo. The others come
    by `Ledger.rounds`, so that a run of 100,000 rounds is taken up without holding them all.

    `usage`: of all tries on record, failed ones too. `breaks`: where it pauses (rule 110); None: nowhere.
    `vars`: the workspace's variables as they were when it began (rule 122); None: nothing in it reads them.
    """

    run: str
    status: RunStatus = "queued"
    input: dict[str, Any] = field(default_factory=dict)
    output: str | None = None
    fault: Fault | None = None
    cancel_requested: bool = False
    deadline: float | None = None
    workspace_id: str = ""
    flow_id: str = ""
    version_id: str = ""
    trigger: str = ""
    afresh: bool = False
    value_bytes: int | None = None
    stored_bytes: int = 0
    repeats: int = 0
    usage: Usage | None = None
    steps: Sequence[StepRow] = ()
    signals: Sequence[Signal] = ()
    breaks: Breaks | None = None
    vars: dict[str, Any] | None = None


class Ledger(Protocol):
    async def load(self, claim: Claim) -> RunRow:
        """The run and its steps, see RunRow. Raises LostRun when the epoch is not the claim's."""
        ...

    async def rounds(self, claim: Claim, iters: Sequence[str]) -> Sequence[StepRow]:
        """All steps of these rounds ("3", "3.0"), in no order; not those of containers inside of them."""
        ...

    async def write(
        self,
        claim: Claim,
        steps: Sequence[StepChange] = (),
        run: RunChange | None = None,
        events: Sequence[dict[str, Any]] = (),
        used: Sequence[Signal] = (),
    ) -> None:
        """One transaction: upsert the steps in order, then the run, append the events, and mark signals as used.

        `events` are dicts of docs/flow-semantics.md without step.token (those are only whispered, never stored).

        Raises LostRun, having changed nothing, when the epoch is not the claim's. A run in a final state stays in it.
        """
        ...

    async def keep(self, claim: Claim, values: Mapping[str, bytes]) -> None:
        """Put large values (JSON by hash, flows/stored.py) in storage for this run, before a write that names them.

        Equal values of a workspace are there once. Whether the claim still holds is the write's business.
        """
        ...

    async def fetch(self, claim: Claim, hash: str) -> bytes:
        """A value that was kept for this run. Raises flows.stored.Lost when it is gone or damaged."""
        ...
