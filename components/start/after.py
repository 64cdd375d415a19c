"""start.after: the end of another flow's run starts this one."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, FlowRef, NodeError, Nothing, Ports, node
from flows.sdk.ports import ports_of

WORDS = {"failed": "When a run has failed", "succeeded": "When a run has succeeded", "either": "When a run has ended"}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    flow: Annotated[FlowRef, Meta(title="Flow")] = ""
    when: Annotated[
        Literal["failed", "succeeded", "either"],
        Meta(title="Starts", extra_json_schema={"x-labels": WORDS}),
    ] = "failed"


class Outputs(Struct, frozen=True):
    run: Annotated[str, Meta(description="Id of the run that ended.")]
    flow: Annotated[str, Meta(description="Name of its flow.")]
    status: Annotated[str, Meta(description="succeeded, failed or dead.")]
    output: Annotated[Any, Meta(description="Its result; nothing when it failed.")]
    reason: Annotated[str, Meta(description="Why it failed, in a sentence.")]


def _ports(settings: Settings) -> Ports:
    if not settings.flow:
        raise NodeError("Choose the flow whose end starts this one.", field="flow")
    return ports_of(Nothing, Outputs)


@node(
    "start.after",
    version=1,
    title="After another flow",
    effect="pure",
    icon="workflow",
    trigger="after",
    ports=_ports,
    summary=lambda settings: WORDS[settings.when],
)
async def after(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when a run of another flow has ended: each run once. Tries from the editor do not count.

    With 'When a run has failed' it is the place for what must happen when something goes wrong. The run's input is
    {"run", "flow", "status", "output", "error"}.
    """
    given = ctx.input
    return Outputs(
        str(given.get("run") or ""),
        str(given.get("flow") or ""),
        str(given.get("status") or ""),
        given.get("output"),
        str(given.get("error") or ""),
    )
