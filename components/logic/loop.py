"""logic.loop: the steps inside again and again, with a state that goes from round to round."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Condition, Context, NodeError, Port, Ports, late, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[
        Literal["while", "until"],
        Meta(
            title="Repeat",
            description="while: asked before each round. until: asked after it, so it runs once at least.",
        ),
    ] = "while"
    condition: Annotated[
        Condition,
        Meta(title="Condition", description="Over state and index, such as state.left > 0. Empty = no condition."),
        late("state", "index"),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=100_000, title="At most", description="Rounds.")] = 100
    on_limit: Annotated[
        Literal["fail", "go on"],
        Meta(
            title="When that is reached", description="fail: the step fails. go on: with the state of the last round."
        ),
    ] = "fail"


class Inputs(Struct, frozen=True):
    state: Any = None


class Outputs(Struct, frozen=True):
    state: Any
    rounds: int


PORTS = Ports(
    (
        Port("state", "any", "State", "What the first round gets.", required=False),
        Port("next", "any", "Next state", "What the next round gets.", required=False, inside=True),
    ),
    (
        Port("state", "any", "State", "After the last round."),
        Port("rounds", "number", "Rounds", "How many there were."),
        Port("current", "any", "State", "As it is in this round.", inside=True),
        Port("index", "number", "Index", "0 for the first round.", inside=True),
    ),
)


def _summary(settings: Settings) -> str:
    return f"{settings.mode} {settings.condition}" if settings.condition else f"up to {settings.limit:,} times"


@node(
    "logic.loop",
    version=1,
    title="Repeat",
    effect="pure",
    icon="rotate-cw",
    container=True,
    ports=lambda settings: PORTS,
    summary=_summary,
)
async def loop(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Runs the steps inside again and again, one round after the other, while or until a condition holds.

    What reaches 'Next state' is the state of the next round; a round in which nothing reaches it keeps the state.
    'Stop repeating' inside ends it, 'Next round' skips what is left of a round. There is always a limit.

    Raises NodeError(field="condition") when the condition gives neither true nor false, NodeError(field="limit") when
    the limit is reached and should fail, and NodeError naming round and step when a step inside fails.
    """
    state, index = inputs.state, 0
    while settings.mode == "until" or _holds(settings.condition, state, index):
        if index == settings.limit:
            if settings.on_limit == "go on":
                break
            raise NodeError(
                f"The condition did not end it within {settings.limit:,} rounds. Raise 'At most', or correct it.",
                field="limit",
            )
        ended = await ctx.body.round(index, {"current": state, "index": index})
        index += 1
        if ended.status == "failed":
            raise NodeError(f"Round {index} failed at step '{ended.node}': {ended.error}")
        if ended.status == "done":
            state = ended.value
        if ended.last or (
            settings.mode == "until" and settings.condition is not None and _holds(settings.condition, state, index)
        ):
            break
    return Outputs(state, index)


def _holds(condition: Any, state: Any, index: int) -> bool:
    """Without a condition: yes, go on."""
    if condition is None:
        return True
    found = condition({"state": state, "index": index})
    if not isinstance(found, bool):
        raise NodeError(
            f"The condition must give true or false, but gave '{found}'. Add a comparison to it.", field="condition"
        )
    return found
