"""show.answer: the result of the flow."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Advanced, Context, Port, Ports, Template, lines, node


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(title="Name", pattern=r"^[A-Za-z0-9-]{1,100}$")]
    value: Annotated[Template, Meta(title="Value", max_length=1000), lines(1)] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[
        Template,
        Meta(title="Text", description="Empty = the text that comes in; {{ name }} puts in an input."),
        lines(4),
    ] = ""
    status: Annotated[int, Meta(ge=200, le=599, title="Status", description="For webhook callers."), Advanced] = 200
    content_type: Annotated[
        str,
        Meta(
            title="Content type",
            description="For webhook callers; empty = JSON, else the text is sent as this.",
            max_length=100,
            pattern=r"^([\w.+-]+/[\w.+-]+(; ?[\w=-]+)*)?$",
        ),
        Advanced,
    ] = ""
    headers: Annotated[
        list[Header],
        Meta(
            title="Headers",
            description="For webhook callers: names that begin with X-, Cache-Control, ETag, Location and the like.",
            max_length=20,
        ),
        Advanced,
    ] = []


class Inputs(Struct, frozen=True):
    text: Annotated[str, Meta(description="What people read.")] = ""
    data: Annotated[Any, Meta(description="What programs read.")] = None


class Outputs(Struct, frozen=True, omit_defaults=True):
    text: str
    data: Any
    status: int = 200
    content_type: str = ""
    headers: dict[str, str] = {}


INPUTS = (
    Port("text", "text", "Text", "What people read.", required=False),
    Port("data", "any", "Data", "What programs read.", required=False),
)


@node(
    "show.answer",
    version=1,
    title="Answer",
    effect="pure",
    icon="reply",
    result=True,
    ports=lambda settings: Ports(INPUTS),
    summary=lambda settings: settings.text[:80],
)
async def answer(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Gives the result of the run: text for people, data for programs. The first answer step that finishes counts.

    A chat shows the text, a form page too; a webhook caller gets {"text", "data"} as JSON, or the text alone with the
    content type set here.
    """
    headers = {header.name: header.value for header in settings.headers}
    return Outputs(settings.text or inputs.text, inputs.data, settings.status, settings.content_type, headers)
