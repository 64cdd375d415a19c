"""What is refused before anything is reserved, and how a refusal of a budget reads."""

from collections.abc import Sequence

from app.gateway.faults import Fault
from app.gateway.ledger import Verdict
from flows.sdk.capabilities import ChatRequest

MOST_BYTES = 4_000_000
"""Of all messages of one call together: about a million tokens."""
MOST_MESSAGES = 2_000
MOST_TEXTS = 2_048
MOST_TOOLS = 128

_SCOPES = {
    "workspace": ("The workspace's budget", "Raise the limit under Connections, or use the model on this machine."),
    "flow": ("The budget of this flow", "Raise the flow's limit under Connections."),
    "run": ("The budget of one run", "Raise the limit for runs under Connections."),
    "visitor": ("The budget of one visitor", "It starts anew with the next period."),
}


def check(request: ChatRequest) -> None:
    """Raises Fault("policy") for a call no model should see."""
    if not request.messages:
        raise Fault("policy", "The model was given no message. Connect a text to this step.", field="messages")
    if len(request.messages) > MOST_MESSAGES:
        raise Fault(
            "policy",
            f"The conversation has {len(request.messages):,} turns, at most {MOST_MESSAGES:,} are sent. "
            "Shorten the history.",
        )
    size = sum(len(message.text) for message in request.messages)
    if size > MOST_BYTES:
        raise Fault(
            "policy",
            f"The text for the model has {size:,} characters, at most {MOST_BYTES:,} are sent. Split it first.",
        )
    if len(request.tools) > MOST_TOOLS:
        raise Fault(
            "policy", f"The step offers {len(request.tools)} tools, at most {MOST_TOOLS} are sent. Remove some."
        )
    if request.max_tokens is not None and request.max_tokens < 1:
        raise Fault("policy", "The longest answer must be at least 1 token. Raise it.", field="max_tokens")


def check_texts(texts: Sequence[str]) -> None:
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > MOST_BYTES:
        raise Fault(
            "policy",
            f"{len(texts):,} texts are too much for one call: at most {MOST_TEXTS:,} with {MOST_BYTES:,} characters. "
            "Send them in parts.",
        )


def over_budget(verdict: Verdict) -> Fault:
    whose, remedy = _SCOPES[verdict.scope]
    return Fault(
        "budget",
        f"{whose} is used up: {dollars(verdict.used_micros)} of {dollars(verdict.limit_micros)}, "
        f"and this call could cost more than what is left. {remedy}",
    )


def dollars(micros: int) -> str:
    """Two digits from one dollar on, four below: $12.40, $0.0042."""
    return f"${micros / 1_000_000:,.2f}" if micros >= 1_000_000 else f"${micros / 1_000_000:.4f}"
