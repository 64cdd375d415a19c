"""What comes in about versions."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

ID_OR_NOTHING = "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"


class AboutVersionForm(Struct, forbid_unknown_fields=True):
    """What a version is called and what is new in it; both may be empty."""

    name: Annotated[str, Meta(max_length=120, title="Name")] = ""
    notes: Annotated[str, Meta(max_length=4_000, title="What is new")] = ""


Ref = Annotated[
    str,
    Meta(max_length=40, description='"draft", "live", "nothing", a version\'s number or its id; "" = the usual side.'),
]


class RolloutForm(Struct, forbid_unknown_fields=True):
    """Give a version to a part of those who ask. `stop_above`: percent of failed runs above which the rollout ends by
    itself, "" or null = never; it looks once `after_runs` runs of the new version have ended.
    """

    version_id: UUID
    percent: Annotated[int, Meta(ge=1, le=99, title="Share in percent")]
    stop_above: Annotated[int, Meta(ge=0, le=99, title="Stop above")] | None = None
    after_runs: Annotated[int, Meta(ge=1, le=100_000, title="After runs")] = 20


class RuleForm(Struct, forbid_unknown_fields=True):
    """`approval`: an owner has to agree before anything new goes live."""

    approval: bool = False


class AskForm(Struct, forbid_unknown_fields=True):
    """`words`: what the owners should know."""

    words: Annotated[str, Meta(max_length=2_000, title="What is new")] = ""


class AnswerForm(Struct, forbid_unknown_fields=True):
    """`live`: agree, and it goes live at once. `approve`: agree; those who asked choose when. `reject`: no."""

    decision: Literal["live", "approve", "reject"]
    answer: Annotated[str, Meta(max_length=2_000, title="Comment")] = ""


class ShareFlowForm(Struct, forbid_unknown_fields=True):
    """`version_id`: a published version that never changes; "" = the draft, as it is when somebody looks."""

    days: Literal[7, 30, 365] = 30
    version_id: Annotated[str, Meta(pattern=ID_OR_NOTHING, title="What")] = ""

    @property
    def version(self) -> UUID | None:
        return UUID(self.version_id) if self.version_id else None


class EnvironmentForm(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=30, title="Name")]


class InsteadForm(Struct, forbid_unknown_fields=True):
    """Where a flow says `given`, the environment says `instead`. `text`: anywhere in a setting. The others only as a
    whole: the id of a connection, the name of a secret in the vault, a model.
    """

    kind: Literal["text", "connection", "secret", "model"]
    given: Annotated[str, Meta(max_length=2_000, title="Where a flow says")]
    instead: Annotated[str, Meta(max_length=2_000, title="Say instead")] = ""


class StageForm(Struct, forbid_unknown_fields=True):
    """Run this version there. `environment` "" = live."""

    version_id: UUID
    environment: Annotated[str, Meta(pattern=ID_OR_NOTHING, title="Environment")] = ""

    @property
    def environment_id(self) -> UUID | None:
        return UUID(self.environment) if self.environment else None


class VariableForm(Struct, forbid_unknown_fields=True):
    """Steps read it as `vars.name`. `kind` json: `value` is a number, yes or no, a list. `environment` "" = live."""

    name: Annotated[str, Meta(max_length=80, title="Name")]
    value: Annotated[str, Meta(max_length=20_000, title="Value")] = ""
    kind: Literal["text", "json"] = "text"
    environment: Annotated[str, Meta(pattern=ID_OR_NOTHING, title="Where")] = ""

    @property
    def environment_id(self) -> UUID | None:
        return UUID(self.environment) if self.environment else None
