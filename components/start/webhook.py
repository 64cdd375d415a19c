"""start.webhook: an HTTP request to the flow's own address starts it."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from components.start.signing import (
    Algorithm,
    IdHeader,
    NamedSecret,
    Signature,
    SignatureHeader,
    TimeHeader,
    Tolerance,
    checkable,
)
from flows.sdk import Advanced, Context, NodeError, Nothing, Ports, node
from flows.sdk.ports import ports_of

LABELS = {"x-labels": {"POST": "POST", "PUT": "PUT", "GET": "GET", "any": "Any"}}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    answer: Annotated[
        Literal["result", "at once"],
        Meta(title="Answer", description="'result': the caller waits for the answer step. 'at once': 202, runs after."),
    ] = "result"
    signature: Signature = "none"
    secret: NamedSecret = ""
    header: SignatureHeader = "X-Signature"
    algorithm: Algorithm = "sha256"
    stamp_header: TimeHeader = ""
    id_header: IdHeader = ""
    tolerance: Tolerance = 300
    methods: Annotated[
        Literal["POST", "PUT", "GET", "any"],
        Meta(title="Method", extra_json_schema=LABELS),
        Advanced,
    ] = "POST"
    most_kb: Annotated[int, Meta(ge=1, le=1000, title="Largest body, in kB"), Advanced] = 1000
    keep_raw: Annotated[
        bool, Meta(title="Hand on the raw body", description="As text, in the output 'raw'."), Advanced
    ] = False


class Outputs(Struct, frozen=True):
    body: Annotated[Any, Meta(description="Read as JSON when it is JSON, else the text.")]
    query: dict[str, Any]
    headers: dict[str, Any]
    method: str
    raw: Annotated[str, Meta(description="The body as it came; only when 'Hand on the raw body' is on.")] = ""


def _ports(settings: Settings) -> Ports:
    """Raises NodeError for a signature in no header, and for one of calls without a body."""
    checkable(settings)
    if settings.signature != "none" and settings.methods in ("GET", "any"):
        raise NodeError("A signature covers the body, which GET calls don't have. Choose POST or PUT.", field="methods")
    return ports_of(Nothing, Outputs)


def _summary(settings: Settings) -> str:
    answers = "Waits for the result" if settings.answer == "result" else "Answers at once"
    return answers if settings.signature == "none" else f"{answers}, signed ({settings.signature})"


@node(
    "start.webhook",
    version=1,
    title="Webhook",
    effect="pure",
    icon="webhook",
    trigger="webhook",
    ports=_ports,
    summary=_summary,
)
async def webhook(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when another program calls its address, and hands on what it sent.

    The run's input is {"method", "headers", "query", "body"}; names of headers are in small letters. With a signature,
    calls that are forged, too old or come a second time start nothing.
    """
    given = ctx.input
    return Outputs(
        given.get("body"),
        dict(given.get("query") or {}),
        dict(given.get("headers") or {}),
        given.get("method") or "POST",
        str(given.get("raw") or ""),
    )
