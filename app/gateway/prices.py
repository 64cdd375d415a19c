"""What models cost and can do: the price list inside the installed litellm package, read as data.

The list is as old as the pinned litellm (docs/adr/0004-litellm-pin.md). A vendor that states its prices in its own
/v1/models, as OpenRouter does, is believed over the list.
"""

from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec import Struct

from app import clock

_LIST = "model_prices_and_context_window_backup.json"
_PICO = 1_000_000_000_000


class Price(Struct, frozen=True):
    """Prices are whole millionths of a millionth of a US dollar per token: 0.15 USD per million tokens = 150_000."""

    prompt: int
    completion: int

    def cost_micros(self, prompt_tokens: int, completion_tokens: int) -> int:
        """In millionths of a US dollar, rounded up; 0 only when nothing was used or it is free.

        Raises ValueError on a negative count: a provider's answer was misread, and guessing would bill somebody.
        """
        if prompt_tokens < 0 or completion_tokens < 0:
            raise ValueError(
                f"Token counts must not be negative: prompt {prompt_tokens}, completion {completion_tokens}."
            )
        return -(-(prompt_tokens * self.prompt + completion_tokens * self.completion) // 1_000_000)


FREE = Price(0, 0)


class Known(
    Struct, frozen=True, rename={"prompt_usd": "input_cost_per_token", "completion_usd": "output_cost_per_token"}
):
    """One entry of litellm's list, the part we use. Prices are US dollars per token."""

    prompt_usd: float | None = None
    completion_usd: float | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    mode: str = "chat"
    deprecation_date: str = ""
    litellm_provider: str = ""
    supports_function_calling: bool = False
    supports_response_schema: bool = False

    @property
    def price(self) -> Price | None:
        if self.prompt_usd is None and self.completion_usd is None:
            return None
        return Price(round((self.prompt_usd or 0) * _PICO), round((self.completion_usd or 0) * _PICO))


def price_from_text(prompt: object, completion: object) -> Price | None:
    """Prices as OpenRouter writes them: US dollars per token, as decimal text. None when they are not numbers ≥ 0."""
    try:
        numbers = [Decimal(str(each or 0)) for each in (prompt, completion)]
    except InvalidOperation:
        return None
    if any(not number.is_finite() or number < 0 for number in numbers):
        return None
    return Price(*(int(number * _PICO) for number in numbers))


@cache
def _entries() -> dict[str, msgspec.Raw]:
    """Name → the entry's own JSON, decoded when asked for. Empty when litellm is not installed.

    find_spec does not import the package; importlib.resources.files would, and that costs seconds and 190 MB.
    """
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).with_name(_LIST)
    if not path.is_file():
        return {}
    entries = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    entries.pop("sample_spec", None)
    return entries


@lru_cache(maxsize=4096)
def known(family: str, model: str) -> Known | None:
    """What the list says about a vendor's model: "family/model" first, then the bare name if it is of that family."""
    for name in (f"{family}/{model}", model):
        raw = _entries().get(name)
        if raw is None:
            continue
        try:
            entry = msgspec.json.decode(raw, type=Known, strict=False)
        except msgspec.ValidationError:  # a handful of entries hold prose where numbers belong
            continue
        if name != model or entry.litellm_provider.startswith(family):
            return entry
    return None


@lru_cache(maxsize=64)
def models_of(family: str) -> tuple[str, ...]:
    """A vendor's chat and embedding models that are still served, without the vendor's prefix, in the list's order."""
    found: dict[str, None] = {}
    today, own = clock.now().date().isoformat(), {family, f"{family}_chat", f"{family}_converse"}
    for name in _entries():
        model = name.removeprefix(f"{family}/")
        if "/" in model and model == name:
            continue
        entry = known(family, model)
        if entry is None or entry.litellm_provider not in own or entry.mode not in ("chat", "embedding"):
            continue
        if not model.startswith("ft:") and not "" < entry.deprecation_date < today:
            found[model] = None
    return tuple(found)
