"""What can go wrong between us and a model, in our words, and whether trying again may help.

A vendor's own text is shown only where it says something ours can't (a bad parameter), and never with a key in it:
some vendors repeat the refused key in their answer.
"""

import math
import re
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import msgspec

from app import clock
from flows.sdk.errors import NodeError

Kind = Literal[
    "key",
    "credit",
    "rate",
    "overloaded",
    "timeout",
    "unreachable",
    "broken_off",
    "malformed",
    "too_long",
    "declined",
    "unknown_model",
    "bad_request",
    "no_tools",
    "schema",
    "budget",
    "no_model",
    "no_connection",
    "needs_worker",
    "busy",
    "policy",
]

RETRYABLE: frozenset[Kind] = frozenset(
    {"rate", "overloaded", "timeout", "unreachable", "broken_off", "malformed", "busy"}
)
LONGEST_ADVISED_WAIT = 300.0
"""Seconds. A vendor that asks for more is believed this far; beyond it the next try tells anew."""


class Fault(NodeError):
    """A failed model call. `kind` is stable (logs, tests, fallbacks); the message is for people.

    `sizes`: for "too_long", (tokens sent, tokens the model reads) when the vendor told them.
    """

    kind: Kind

    def __init__(self, kind: Kind, message: str, *, field: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, field=field, retry=kind in RETRYABLE, retry_after=retry_after)
        self.kind = kind
        self.sizes: tuple[int, int] | None = None


class Where(msgspec.Struct, frozen=True):
    """Whom we called: the connection's name as people gave it, the model, and the key that must not be shown."""

    connection: str
    model: str
    key: str = ""


_TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many tokens|prompt is too long|exceed.{0,20}context", re.I
)
_CONTEXT = re.compile(r"(?:context (?:length|size|window)|n_ctx)\D{0,24}(\d[\d,]{2,9})", re.I)
_NO_TOOLS = re.compile(r"tool|function.?call", re.I)
_UNSUPPORTED = re.compile(r"not support|unsupported|does not|requires|enable|template", re.I)
_CREDIT = re.compile(r"insufficient_quota|billing|credit|exceeded your current quota|payment", re.I)
_DECLINED = re.compile(r"content_filter|content policy|content management policy|safety", re.I)


def from_status(where: Where, status: int, body: bytes, retry_after: str | None = None) -> Fault:
    """The fault behind an HTTP answer other than 2xx. `body` is whatever came; `retry_after` the header's text."""
    words, code = vendor_words(body)
    told = f"{code} {words}"
    return from_words(where, status, told, shown=presentable(words, where.key), retry_after=seconds(retry_after))


def from_words(  # noqa: PLR0911 -- one branch a kind: splitting the table would hide its order
    where: Where, status: int, told: str, *, shown: str = "", retry_after: float | None = None
) -> Fault:
    """The table itself: status and the vendor's words → our fault. Order matters: 400 and 429 have several meanings."""
    name, model = where.connection, where.model
    if status in (400, 413, 422) and _TOO_LONG.search(told):
        return too_long(model, told)
    if status == 402 or (status in (403, 429) and _CREDIT.search(told)):
        return Fault(
            "credit",
            f"The account behind connection '{name}' has no credit left ({status}). "
            "Top it up at the provider, or choose another model.",
        )
    if status in (401, 403):
        return Fault(
            "key", f"The key of connection '{name}' was refused ({status}). Enter a new key under Connections."
        )
    if status == 404:
        return Fault(
            "unknown_model",
            f"Connection '{name}' has no model '{model}' (404). "
            "Choose another model, or correct the address under Connections.",
            field="model",
        )
    if status == 429:
        wait = f" It asks to wait {retry_after:g} s." if retry_after else ""
        return Fault(
            "rate",
            f"Connection '{name}' takes no more calls for the moment (429).{wait} "
            "Try again later, or add a fallback under Connections.",
            retry_after=retry_after,
        )
    if status in (408, 504):
        return Fault("timeout", f"Connection '{name}' gave up waiting for model '{model}' ({status}). Try again.")
    if status >= 500:
        return Fault(
            "overloaded",
            f"Connection '{name}' had an error of its own ({status}). Try again, or add a fallback under Connections.",
            retry_after=retry_after,
        )
    if _DECLINED.search(told):
        return Fault(
            "declined", f"Model '{model}' of '{name}' declined to answer this ({status}). Change the text it is given."
        )
    if status in (400, 422) and _NO_TOOLS.search(told) and _UNSUPPORTED.search(told):
        return Fault("no_tools", f"Model '{model}' of '{name}' can't use tools. Choose another model.", field="model")
    said = f" It said: {shown}" if shown else ""
    return Fault(
        "bad_request",
        f"Connection '{name}' did not accept the request for model '{model}' ({status}).{said} "
        "Check the step's settings.",
    )


def unreachable(where: Where, address: str, reason: str) -> Fault:
    return Fault(
        "unreachable",
        f"Connection '{where.connection}' can't be reached at {address} ({reason}). "
        "Start the server there, or correct its address under Connections.",
    )


def timed_out(where: Where, limit: float) -> Fault:
    return Fault(
        "timeout",
        f"Connection '{where.connection}' did not answer within {limit:g} s (model '{where.model}'). "
        "Try again, or choose a faster model.",
    )


def broken_off(where: Where, pieces: int) -> Fault:
    came = f"after {pieces} pieces" if pieces else "before the first word"
    return Fault(
        "broken_off", f"The answer of model '{where.model}' ('{where.connection}') broke off {came}. Try again."
    )


def malformed(where: Where, what: str) -> Fault:
    return Fault(
        "malformed",
        f"Connection '{where.connection}' answered with {what} instead of a model's answer. "
        "Check that its address ends like the provider's documentation says (often /v1).",
    )


def no_model() -> Fault:
    return Fault("no_model", "No model is connected yet. Open Connections and connect one.", field="model")


def too_long(model: str, told: str = "") -> Fault:
    """`told`: the vendor's words. The largest number in them is what was sent, the one after "context" what fits."""
    numbers = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]{2,9}", told)]
    stated = _CONTEXT.search(told)
    context = int(stated[1].replace(",", "")) if stated else min(numbers, default=0)
    sizes = (max(numbers), context) if numbers and max(numbers) > context > 0 else None
    counted = f" ({sizes[0]:,} of {sizes[1]:,} tokens)" if sizes else ""
    fault = Fault(
        "too_long",
        f"The text is longer than model '{model}' can read{counted}. "
        "Shorten it, or choose a model with a larger context.",
        field="model",
    )
    fault.sizes = sizes
    return fault


def vendor_words(body: bytes) -> tuple[str, str]:
    """Message and code out of an error body: OpenAI's form, Ollama's ({"error": "…"}), FastAPI's, or nothing."""
    try:
        data: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "", ""
    if not isinstance(data, dict):
        return "", ""
    error = data.get("error", data)
    if isinstance(error, str):
        return error, ""
    if not isinstance(error, dict):
        return "", ""
    message = error.get("message") or error.get("detail") or ""
    code = " ".join(error[part] for part in ("code", "type") if isinstance(error.get(part), str))
    counts = " ".join(f"{part} {error[part]}" for part in ("n_prompt_tokens", "n_ctx") if error.get(part))  # llama.cpp
    return str(message), f"{code} {counts}".strip()


def presentable(words: str, key: str) -> str:
    """At most 300 characters of the vendor's text, without the key or anything that looks like one."""
    if key:
        words = words.replace(key, "…")
    words = re.sub(r"\b(sk|pk|gsk|xai|key)[-_][\w*\-.]{8,}", "…", " ".join(words.split()))
    return words if len(words) <= 300 else f"{words[:299]}…"


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After header: seconds or an HTTP date. None when absent or unreadable; never negative or endless."""
    if not retry_after:
        return None
    try:
        wait = float(retry_after)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(retry_after) - clock.now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(wait, 0.0), LONGEST_ADVISED_WAIT) if not math.isnan(wait) else None
