"""The pipeline of this process. Web answers what speaks OpenAI's format; a worker, after `begin_worker`, everything."""

import asyncio
from weakref import WeakKeyDictionary

from app.db import system_tx
from app.gateway.calls import Vendor
from app.gateway.directory import Directory, FixedDirectories, PostgresDirectories, bundled
from app.gateway.ledger import NoLedger, PostgresLedger
from app.gateway.pipeline import Pipeline
from app.gateway.providers import LOCAL, PROVIDERS
from app.gateway.vendors.minilm import MiniLM
from app.gateway.vendors.openai import OpenAIVendor

_pipelines: "WeakKeyDictionary[asyncio.AbstractEventLoop, Pipeline]" = WeakKeyDictionary()
_vendors: dict[str, Vendor] = {"direct": OpenAIVendor(), "minilm": MiniLM()}


def pipeline() -> Pipeline:
    """One per event loop, because its queue belongs to one."""
    loop = asyncio.get_running_loop()
    made = _pipelines.get(loop)
    if made is None:
        made = _pipelines[loop] = Pipeline(PostgresDirectories(), PostgresLedger(), _vendors)
    return made


def bare_pipeline() -> Pipeline:
    """Without a workspace and without a record: the bundled model alone."""
    return Pipeline(FixedDirectories(Directory(0, {LOCAL: bundled()})), NoLedger(), _vendors)


def vendor(name: str) -> Vendor | None:
    """None when this process must not speak to such vendors."""
    return _vendors.get(name)


def is_worker() -> bool:
    return "litellm" in _vendors


async def begin_worker() -> None:
    """From now on this process answers every vendor.

    litellm (seconds, 140 MB) is imported now, in a thread, when a connection needs it, else at the first call that
    does: an installation that never talks to such a vendor does not pay for it.
    """
    from app.gateway.vendors.litellm import LitellmVendor, load

    _vendors["litellm"] = LitellmVendor()
    needing = [provider.id for provider in PROVIDERS.values() if provider.lane == "litellm"]
    async with system_tx("warm up") as tx:
        wanted = await tx.fetchval(
            "select exists (select from connection where removed_at is null and provider = any($1::text[]))", needing
        )
    if wanted:
        await load()


async def drain() -> None:
    """Wait until calls that were cut short are settled. At shutdown, before the database pools close."""
    made = _pipelines.get(asyncio.get_running_loop())
    if made is not None:
        await made.drain()
