"""people.approval: a person says yes or no."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from components.people.addresses import addresses
from components.start.fields import Field, Kind, ports_for, read_fields
from flows.sdk import Advanced, Asked, Context, Json, NodeError, Port, Ports, Template, Wait, lines, node

SIGNAL = "approval"
APPROVE, REJECT, PATH = "approve", "reject", "own path"
HOUR = 3_600
ASKED: dict[Kind, str] = {
    "text": "string",
    "long text": "string",
    "number": "number",
    "yes/no": "boolean",
    "choice": "string",
}
"""Kinds of fields that a person can fill in with an answer, as JSON Schema types."""
OWN = frozenset({"approved", "rejected", "comment", "by", "value", "choice"})


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[Template, Meta(title="Question", min_length=1, max_length=500), lines(1)] = "Please decide"
    description: Annotated[Template, Meta(title="Details", description="What the person should know."), lines(4)] = ""
    hours: Annotated[
        Annotated[float, Meta(ge=0, le=24 * 365)] | None,
        Meta(title="Time to decide, in hours", description="Empty = no limit."),
    ] = None
    on_timeout: Annotated[
        Literal["approve", "reject", "own path"],
        Meta(title="When nobody decides in time", description="Own path: along the output 'Nobody decided'."),
    ] = "reject"
    mail_to: Annotated[
        Template,
        Meta(title="Ask by e-mail", description="Addresses, with commas between. Each gets a link of its own."),
        lines(1),
    ] = ""
    remind_hours: Annotated[
        Annotated[float, Meta(gt=0, le=24 * 365)] | None,
        Meta(title="Remind every … hours", description="Empty = no reminders."),
        Advanced,
    ] = None
    reminders: Annotated[int, Meta(ge=1, le=20, title="Reminders at most"), Advanced] = 3
    escalate_hours: Annotated[
        Annotated[float, Meta(gt=0, le=24 * 365)] | None,
        Meta(title="Ask others too, after … hours", description="When nobody has decided until then."),
        Advanced,
    ] = None
    escalate_to: Annotated[
        Template, Meta(title="The others", description="Addresses, with commas."), lines(1), Advanced
    ] = ""
    fields: Annotated[
        list[Field],
        Meta(title="Fields to fill in", description="With an approval; each is an output.", max_length=20),
    ] = []


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(description="What is decided about; goes on along the chosen branch.")] = None


class Outputs(Struct, frozen=True):
    approved: Annotated[Any | UnsetType, Meta(title="Approved")] = UNSET
    rejected: Annotated[Any | UnsetType, Meta(title="Rejected")] = UNSET
    late: Annotated[Any | UnsetType, Meta(title="Nobody decided")] = UNSET
    comment: str = ""
    by: Annotated[str, Meta(title="Decided by", description="Empty = nobody did in time.")] = ""
    values: dict[str, Json] = {}


def _ports(settings: Settings) -> Ports:
    """Raises NodeError(field="fields") for a name that is taken and a kind that nobody can type in."""
    for each in settings.fields:
        if each.name in OWN or (each.name == "late" and settings.on_timeout == PATH):
            raise NodeError(f"The name '{each.name}' is taken. Give the field another one.", field="fields")
        if each.kind not in ASKED:
            raise NodeError(
                f"'{each.label or each.name}' is {each.kind}: an approval can't ask for that.", field="fields"
            )
    asked = ports_for(settings.fields).outputs
    inputs = (Port("value", "any", "Value", "What is decided about; goes on along the chosen branch.", required=False),)
    outputs = (
        Port("approved", "any", "Approved", branch=True),
        Port("rejected", "any", "Rejected", branch=True),
        *((Port("late", "any", "Nobody decided", branch=True),) if settings.on_timeout == PATH else ()),
        Port("comment", "text", "Comment"),
        Port("by", "text", "Decided by", "Empty = nobody did in time."),
    )
    return Ports(inputs, (*outputs, *(Port(p.name, p.type, p.title, p.description, branch=True) for p in asked)))


def form(fields: list[Field]) -> dict[str, Any]:
    """JSON Schema of what is asked; `format` "long" = several lines."""
    properties: dict[str, Any] = {}
    for each in fields:
        shape: dict[str, Any] = {"type": ASKED[each.kind], "title": each.label or each.name}
        if each.help:
            shape["description"] = each.help
        if each.kind == "choice":
            shape["enum"] = each.choices
        if each.kind == "long text":
            shape["format"] = "long"
        properties[each.name] = shape
    properties["comment"] = {"type": "string", "title": "Comment"}
    required = [each.name for each in fields if each.required and each.kind != "yes/no"]
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _question(settings: Settings, inputs: Inputs, wrong: str = "") -> Wait:
    return Wait(
        seconds=None if settings.hours is None else settings.hours * HOUR,
        signal=SIGNAL,
        title=settings.title,
        description="\n\n".join(text for text in (wrong, settings.description) if text),
        choices=(APPROVE, REJECT),
        form=form(settings.fields),
        data=inputs.value,
        people=_people(settings),
    )


def _people(settings: Settings) -> Asked | None:
    """Raises NodeError(field="mail_to" or "escalate_to") for what is no address, or too many of them."""
    to = addresses(settings.mail_to, "mail_to")
    then = addresses(settings.escalate_to, "escalate_to") if settings.escalate_hours else ()
    if not to and not then:
        return None
    every = (settings.remind_hours or 0) * HOUR
    return Asked(to, every, settings.reminders if every else 0, then, (settings.escalate_hours or 0) * HOUR)


@node(
    "people.approval",
    version=1,
    title="Approval",
    effect="pure",
    icon="user-check",
    waits=True,
    ports=_ports,
    summary=lambda settings: settings.title,
)
async def approval(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    """Asks a person, waits without holding a worker, and goes on along 'approved' or 'rejected'.

    The answer is the signal "approval" with {"choice": "approve" | "reject", "comment": text}. Anything but "approve"
    counts as a rejection: what nobody allowed must not happen. Fields are asked with it: {"fields": {name: value}}. An
    approval whose fields don't fit is asked again, with the reason, and its time begins anew. With `mail_to`, people
    are asked by e-mail as well; whoever answers first decides.
    """
    if ctx.signal is None:
        return _question(settings, inputs)
    filled: dict[str, Json] = {}
    if ctx.signal.name != SIGNAL:
        choice, comment = settings.on_timeout, ""
        if choice == PATH:
            return Outputs(late=inputs.value)
    else:
        said = ctx.signal.data if isinstance(ctx.signal.data, dict) else {}
        choice, comment = said.get("choice", REJECT), str(said.get("comment") or "")
        if choice == APPROVE and settings.fields:
            given = said.get("fields")
            try:
                filled = read_fields(settings.fields, given if isinstance(given, dict) else {})
            except NodeError as wrong:
                return _question(settings, inputs, wrong.message)
    if choice == APPROVE:
        return Outputs(approved=inputs.value, comment=comment, by=ctx.signal.by, values=filled)
    return Outputs(rejected=inputs.value, comment=comment, by=ctx.signal.by)
