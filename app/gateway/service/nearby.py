"""Model servers that already run on this machine, found on the ports they are known for, and offered."""

import asyncio
from urllib.parse import urlsplit

from msgspec import Struct

from app import config
from app.db import tenant_tx
from app.gateway.calls import Target
from app.gateway.faults import Fault
from app.gateway.models import from_listing
from app.gateway.providers import PROVIDERS
from app.gateway.vendors import wire
from app.web.actor import Actor

KNOWN_PORTS = {11434: "ollama", 8000: "vllm", 8080: "llamacpp", 1234: "compatible"}
"""Where Ollama, vLLM, llama.cpp's server and LM Studio listen unless told otherwise."""
PATIENCE = 0.6
"""Seconds. A server on this machine answers in a few milliseconds or is not there."""


class Found(Struct, frozen=True):
    """A server that answered. `models`: how many it lists; `some`: the first few of them."""

    provider: str
    title: str
    base_url: str
    models: int
    some: tuple[str, ...] = ()


async def nearby(actor: Actor) -> list[Found]:
    """What listens on 127.0.0.1 and lists models, and is not connected yet. For owners: others get nothing."""
    if not actor.is_owner:
        return []
    settings = config.settings()
    own = {settings.port, settings.metrics_port, urlsplit(settings.local_model_url).port}
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch("select base_url from connection where removed_at is null and base_url <> ''")
    connected = {urlsplit(row["base_url"]).port for row in rows if wire.reach(row["base_url"]).loopback}
    ports = [port for port in KNOWN_PORTS if port not in own and port not in connected]
    found = await asyncio.gather(*(_look(port) for port in ports))
    return [each for each in found if each is not None]


async def _look(port: int) -> Found | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    target = Target("", "", "compatible", "direct", "", base_url=base_url)
    try:
        got = await wire.get(target, "/models", PATIENCE)
        models = from_listing(got.body)
    except (Fault, ValueError):
        return None
    kind = KNOWN_PORTS[port]
    for owner, provider in ((b'"vllm"', "vllm"), (b'"llamacpp"', "llamacpp")):
        if owner in got.body:
            kind = provider
    return Found(kind, PROVIDERS[kind].title, base_url, len(models), tuple(info.id for info in models[:3]))
