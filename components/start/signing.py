"""How calls from outside are signed: kinds of settings for every step that takes calls.

Of the secret they hold a name at most: it is set on the trigger's page, in the vault, or the key of a connection.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from flows.sdk import Advanced, NodeError, Secret, shown_when

HEADER = r"^[A-Za-z0-9-]{0,100}$"
STAMPED = ("standard", "stripe", "slack")

Signature = Annotated[
    Literal["none", "hmac", "standard", "github", "stripe", "slack"],
    Meta(
        title="Signature",
        description="Who signs the calls, and how.",
        extra_json_schema={
            "x-labels": {
                "none": "None: the address is the secret",
                "standard": "Standard Webhooks",
                "github": "GitHub",
                "stripe": "Stripe",
                "slack": "Slack",
                "hmac": "HMAC in a header",
            }
        },
    ),
]
SignatureHeader = Annotated[
    str,
    Meta(title="Signature header", pattern=HEADER, description="Hex or base64, with or without 'sha256='."),
    shown_when("signature", "hmac"),
]
Algorithm = Annotated[Literal["sha256", "sha512"], Meta(title="Hash"), shown_when("signature", "hmac")]
TimeHeader = Annotated[
    str,
    Meta(
        title="Time header",
        pattern=HEADER,
        description="Empty = only the body is signed. Else Unix seconds; signed is '<time>.<body>'.",
    ),
    shown_when("signature", "hmac"),
]
IdHeader = Annotated[
    str,
    Meta(title="Delivery id header", pattern=HEADER, description="The same id again starts nothing."),
    shown_when("signature", "hmac"),
]
Tolerance = Annotated[
    int,
    Meta(ge=10, le=3600, title="Oldest call, in seconds", description="By the time the sender signed along."),
    shown_when("signature", "hmac", *STAMPED),
    Advanced,
]


NamedSecret = Annotated[
    Secret,
    Meta(title="Secret", description="Its name under Settings, Secrets. Empty = the one set on the trigger's page."),
    shown_when("signature", "hmac", "github", *STAMPED),
]


def checkable(settings: Any) -> None:
    """Raises NodeError for a signature in no header: nobody could be checked."""
    if settings.signature == "hmac" and not settings.header:
        raise NodeError("Say in which header the signature comes.", field="header")
