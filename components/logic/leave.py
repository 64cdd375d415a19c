"""logic.next, logic.leave, logic.stop: end a round, a container or the flow before its last step."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from flows.sdk import Context, Port, Ports, Template, lines, node, shown_when


class Settings(Struct, frozen=True, forbid_unknown_fields=True): ...


class Inputs(Struct, frozen=True):
    value: Annotated[Any | UnsetType, Meta(description="What the round hands over; may be left out.")] = UNSET


class Outputs(Struct, frozen=True):
    value: Any | UnsetType = UNSET


ONLY_IN = Ports((Port("value", "any", "Value", "What the round hands over; may be left out.", required=False),), ())


@node(
    "logic.next",
    version=1,
    title="Next round",
    effect="pure",
    icon="skip-forward",
    ends="round",
    ports=lambda _: ONLY_IN,
)
async def next_round(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Ends this round of the container around it; what is left of the round is skipped, and the next one goes on.

    The value, when one is wired, is what the round hands over: its result, or the next state.
    """
    return Outputs(inputs.value)


@node(
    "logic.leave",
    version=1,
    title="Stop repeating",
    effect="pure",
    icon="log-out",
    ends="rounds",
    ports=lambda _: ONLY_IN,
)
async def leave(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Ends the container around it with this round: earlier rounds finish, later ones are called off and don't count.

    The value, when one is wired, is what this round hands over: its result, or the last state.
    """
    return Outputs(inputs.value)


class StopSettings(Struct, frozen=True, forbid_unknown_fields=True):
    outcome: Annotated[Literal["success", "failure"], Meta(title="The flow ends as")] = "success"
    text: Annotated[
        Template,
        Meta(title="Answer", description="Empty = the text that comes in."),
        shown_when("outcome", "success"),
        lines(3),
    ] = ""
    message: Annotated[Template, Meta(title="What went wrong"), shown_when("outcome", "failure"), lines(2)] = (
        "The flow was stopped."
    )


class StopInputs(Struct, frozen=True):
    text: str = ""
    data: Any = None


class Stopped(Struct, frozen=True, omit_defaults=True):
    """Like the output of "Answer", which callers of the flow know; `failed` is for the engine."""

    text: str
    data: Any
    status: int = 200
    content_type: str = ""
    failed: str = ""


STOP_PORTS = Ports(
    (
        Port("text", "text", "Text", "The answer of the run.", required=False),
        Port("data", "any", "Data", "Any value, for those that call the flow.", required=False),
    ),
    (),
)


@node(
    "logic.stop",
    version=1,
    title="Stop flow",
    effect="pure",
    icon="octagon-x",
    result=True,
    ends="flow",
    ports=lambda _: STOP_PORTS,
    summary=lambda settings: settings.message if settings.outcome == "failure" else "",
)
async def stop(settings: StopSettings, inputs: StopInputs, ctx: Context) -> Stopped:
    """Ends the flow at once, from any depth of containers: as a success with this answer, or as a failure.

    What runs is called off, what has not begun is skipped. In a flow that another one calls only the called one ends.
    If an answer was given before, that one counts.
    """
    if settings.outcome == "failure":
        return Stopped("", None, failed=settings.message.strip() or "The flow was stopped.")
    return Stopped(settings.text or inputs.text, inputs.data)
