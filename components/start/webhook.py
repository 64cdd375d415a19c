"""start.webhook: an HTTP request to the flow's own address starts it."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Advanced, Context, NodeError, Nothing, Ports, node, shown_when
from flows.sdk.ports import ports_of

HEADER = r"^[A-Za-z0-9-]{0,100}$"
SIGNED = ("hmac", "standard", "github", "stripe", "slack")
LABELS = {"x-labels": {"POST": "POST", "PUT": "PUT", "GET": "GET", "any": "Any"}}
STAMPED = ("standard", "stripe", "slack")


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    answer: Annotated[
        Literal["result", "at once"],
        Meta(title="Answer", description="'result': the caller waits for the answer step. 'at once': 202, runs after."),
    ] = "result"
    signature: Annotated[
        Literal["none", "hmac", "standard", "github", "stripe", "slack"],
        Meta(
            title="Signature",
            description="Who signs the calls. The secret is set on the trigger's own page.",
            extra_json_schema={
                "x-labels": {
                    "none": "None: the address is the secret", "standard": "Standard Webhooks", "github": "GitHub",
                    "stripe": "Stripe", "slack": "Slack", "hmac": "HMAC in a header",
                }
            },
        ),
    ] = "none"  # fmt: skip
    header: Annotated[
        str,
        Meta(title="Signature header", pattern=HEADER, description="Hex or base64, with or without 'sha256='."),
        shown_when("signature", "hmac"),
    ] = "X-Signature"
    algorithm: Annotated[Literal["sha256", "sha512"], Meta(title="Hash"), shown_when("signature", "hmac")] = "sha256"
    stamp_header: Annotated[
        str,
        Meta(
            title="Time header",
            pattern=HEADER,
            description="Empty = only the body is signed. Else Unix seconds; signed is '<time>.<body>'.",
        ),
        shown_when("signature", "hmac"),
    ] = ""
    id_header: Annotated[
        str,
        Meta(title="Delivery id header", pattern=HEADER, description="The same id again starts nothing."),
        shown_when("signature", "hmac"),
    ] = ""
    tolerance: Annotated[
        int,
        Meta(ge=10, le=3600, title="Oldest call, in seconds", description="By the time the sender signed along."),
        shown_when("signature", "hmac", *STAMPED),
        Advanced,
    ] = 300
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
    """Raises NodeError for a signature in no header: nobody could be checked."""
    if settings.signature == "hmac" and not settings.header:
        raise NodeError("Say in which header the signature comes.", field="header")
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
