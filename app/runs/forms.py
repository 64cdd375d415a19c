"""What comes in, with limits."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field


class RunForm(Struct, forbid_unknown_fields=True):
    """Start a run. `wait`: answer with the result (at most 60 s). `stream`: answer with its events as they come.

    `version_id`: another published version than the live one. `priority`: among the queued runs of the workspace the
    higher one begins first; `lane` bulk: behind all others. Both without `wait` and `stream` only. `afresh`: take no
    results that steps keep for a while. `sticky`: the conversation or visitor it is for, which keeps its version while
    a new one is rolled out; "" = key. `environment`: where it runs ("staging"), instead of live.
    """

    input: dict[str, Any] = {}
    wait: bool = False
    stream: bool = False
    version_id: str = ""
    priority: Annotated[int, Meta(ge=-10, le=10)] = 0
    lane: Literal["normal", "bulk"] = "normal"
    afresh: bool = False
    sticky: Annotated[str, Meta(max_length=200)] = ""
    environment: Annotated[str, Meta(max_length=30)] = ""


class SignalForm(Struct, forbid_unknown_fields=True):
    """`dedupe_key`: the same signal sent twice counts once. `step`: "ask" or "ask:1", for that step or round only."""

    data: Any = None
    step: Annotated[str, Meta(max_length=700)] = ""
    dedupe_key: Annotated[str, Meta(max_length=200)] = ""


class AnswerForm(Struct):
    """What a person chose on a step that asks them."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    step: Annotated[str, Meta(max_length=700)] = ""
    choice: Annotated[str, Meta(max_length=100)] = ""
    comment: Annotated[str, Meta(max_length=10_000)] = ""
    next: Annotated[str, Meta(max_length=200)] = ""


class AskForm(Struct, forbid_unknown_fields=True):
    """A link to a question. `step`: "ask" or "ask:1"; `email`: to whom it is mailed, "" = nobody, only to be copied."""

    step: Annotated[str, Meta(min_length=1, max_length=700)]
    email: Annotated[str, Meta(max_length=320)] = ""


class LinkAnswerForm(Struct):
    """What somebody says who has a link. What a question asks besides is in fields of its own."""

    choice: Annotated[str, Meta(max_length=100)] = ""
    comment: Annotated[str, Meta(max_length=10_000)] = ""


class DecisionForm(Struct):
    """`output`: what the step gave, as JSON, when it happened and later steps need it. `next`: where to go then."""

    node: Annotated[str, Meta(min_length=1, max_length=500)]
    happened: Annotated[str, Meta(pattern="^(yes|no)$")]
    iter: Annotated[str, Meta(max_length=200)] = ""
    output: Annotated[str, Meta(max_length=1_000_000)] = ""
    next: Annotated[str, Meta(max_length=200)] = ""


class Doubt(Struct, forbid_unknown_fields=True):
    """One step in doubt and what somebody says about it."""

    run: UUID
    node: Annotated[str, Meta(min_length=1, max_length=500)]
    happened: bool
    iter: Annotated[str, Meta(max_length=200)] = ""
    output: dict[str, Any] | None = None


class DecisionsForm(Struct, forbid_unknown_fields=True):
    decisions: Annotated[list[Doubt], Meta(min_length=1, max_length=500)]


class LimitsForm(Struct, forbid_unknown_fields=True):
    """Runs of a flow at once. `key`: CEL over `input` and `vars`; `per_key`: at once for each of its values. null = no
    limit.

    `bulk`: runs that nobody waits for queue behind all others of the workspace.
    """

    running: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    key: Annotated[str, Meta(max_length=500)] = ""
    per_key: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    bulk: bool = False


class LimitsPageForm(Struct):
    """The same from a page: numbers as they were written, "" = no limit."""

    running: Annotated[str, Meta(max_length=10)] = ""
    key: Annotated[str, Meta(max_length=500)] = ""
    per_key: Annotated[str, Meta(max_length=10)] = ""
    bulk: Annotated[str, Meta(max_length=10)] = ""


class RunsForm(Struct, forbid_unknown_fields=True):
    """Many runs at once."""

    runs: Annotated[list[UUID], Meta(min_length=1, max_length=500)]


class ReplayForm(Struct, forbid_unknown_fields=True):
    """Run again. `from_step`: "step" or "step:round", "" = from the beginning. `version`: "" = the one it ran, "live",
    or a version's id. `input`: null = the same again. `edits`: values by input port of the step. `afresh`: take no
    results that steps kept from runs before.
    """

    from_step: Annotated[str, Meta(max_length=500)] = ""
    version: Annotated[str, Meta(max_length=40)] = ""
    input: dict[str, Any] | None = None
    edits: dict[str, Any] = {}
    afresh: bool = False


class GoOnForm(Struct, forbid_unknown_fields=True):
    """`step`: "step" or "step:round" that the run pauses before. `edits`: values by input port, in the place of what
    the wires carried.

    `how`: "next" = to the next breakpoint; "step" = this step, then pause before whatever comes next; "end" = without
    pausing again, also where other branches pause now; "skip" = leave the step out, then to the next breakpoint.
    """

    step: Annotated[str, Meta(min_length=1, max_length=700)]
    how: Literal["next", "step", "end", "skip"] = "next"
    edits: dict[str, Any] = field(default_factory=dict)


class KeepingForm(Struct, forbid_unknown_fields=True):
    """Days that ended runs are kept."""

    days: Annotated[int, Meta(ge=1, le=3650)]


class ShareForm(Struct, forbid_unknown_fields=True):
    """Days that a link to a run works."""

    days: Annotated[int, Meta(ge=1, le=30)] = 7


class RatingForm(Struct, forbid_unknown_fields=True):
    """What somebody thinks of a run's answer. `note`: why, in some words."""

    good: bool
    note: Annotated[str, Meta(max_length=1_000)] = ""
