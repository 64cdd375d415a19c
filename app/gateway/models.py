"""What a connection offers: its models, as its own /v1/models tells, completed from the price list."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from app.gateway.prices import FREE, Price, known, models_of, price_from_text
from app.gateway.providers import LOCAL_EMBEDDING, LOCAL_MODEL, Provider, family_of


class ModelInfo(Struct, frozen=True, omit_defaults=True):
    """One model of a connection. `context` in tokens, 0 = unknown; `tools` None = unknown; `price` None = unknown."""

    id: str
    context: int = 0
    price: Price | None = None
    tools: bool | None = None
    embeds: bool = False
    max_output: int = 0


LOCAL_CONTEXT = 2_048
"""Tokens. Its server takes twice as many, but reads few a second on one core: more would only mean longer waits."""
BUNDLED = (
    ModelInfo(LOCAL_MODEL, context=LOCAL_CONTEXT, price=FREE, tools=False),
    ModelInfo(LOCAL_EMBEDDING, context=256, price=FREE, embeds=True),
)


def from_listing(body: bytes) -> list[ModelInfo]:
    """The models in an answer of GET /v1/models, in its order, at most 1,000.

    Fields beyond `id` are whoever's own: OpenRouter's prices and context_length, vLLM's max_model_len, llama.cpp's
    meta.n_ctx, Mistral's max_context_length and capabilities. Raises ValueError when it is not such a list.
    """
    data: Any = msgspec.json.decode(body)
    entries = data.get("data") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no list of models")
    return [_read(entry) for entry in entries[:1000] if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _read(entry: dict[str, Any]) -> ModelInfo:
    meta, pricing = entry.get("meta") or {}, entry.get("pricing")
    contexts = (
        entry.get("context_length"),
        entry.get("max_model_len"),
        entry.get("max_context_length"),
        meta.get("n_ctx") if isinstance(meta, dict) else None,
    )
    context = next((n for n in contexts if isinstance(n, int) and n > 0), 0)
    price = None
    if isinstance(pricing, dict):
        price = price_from_text(pricing.get("prompt"), pricing.get("completion"))
    tools: bool | None = None
    capabilities, parameters = entry.get("capabilities"), entry.get("supported_parameters")
    if isinstance(parameters, list):
        tools = "tools" in parameters
    elif isinstance(capabilities, dict) and isinstance(capabilities.get("function_calling"), bool):
        tools = capabilities["function_calling"]
    architecture = entry.get("architecture")
    modalities = architecture.get("output_modalities", ()) if isinstance(architecture, dict) else ()
    embeds = "embed" in entry["id"].lower() or "embeddings" in modalities
    return ModelInfo(entry["id"], context, price, tools, embeds)


def completed(info: ModelInfo, provider: Provider, options: dict[str, str]) -> ModelInfo:
    """The same model with what the price list knows and the vendor did not say. Own servers cost nothing."""
    entry = known(family_of(provider, options), info.id) if family_of(provider, options) else None
    price = info.price or (FREE if provider.free else entry.price if entry else None)
    if entry is None:
        return msgspec.structs.replace(info, price=price)
    return ModelInfo(
        info.id,
        context=info.context or entry.max_input_tokens or 0,
        price=price,
        tools=entry.supports_function_calling if info.tools is None else info.tools,
        embeds=info.embeds or entry.mode == "embedding",
        max_output=entry.max_output_tokens or 0,
    )


def listed(provider: Provider, options: dict[str, str]) -> list[ModelInfo]:
    """Models of a vendor that has no /v1/models of our kind: the price list's, or the deployments the person named."""
    named = [name.strip() for name in options.get("models", "").split(",") if name.strip()]
    names: Iterable[str] = named or models_of(family_of(provider, options))
    return [completed(ModelInfo(name), provider, options) for name in names]
