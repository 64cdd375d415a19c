"""Large values of runs, which the record only names (docs/flow-semantics.md, 100 to 105): read, downloaded, swept."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import Tx, system_tx, tenant_tx
from app.errors import NotFound
from app.runs.redacting import redacted
from app.web import Actor
from flows.ledger import postgres_values as verbs
from flows.stored import HASH, MARK, Lost, all_stored, filled

BATCH = 500
MOST_HANDED_ON = 1_000_000
"""Bytes of large values that are handed to a flow which starts after another: its input may have no more."""
GONE = "This value is not kept any more."


class Content(Struct, frozen=True):
    """A value as it is downloaded, without secrets: a text as it is, anything else as JSON. Or a file.

    `shown`: a page may have it in place (image, audio).
    """

    body: bytes
    media_type: str
    name: str
    shown: bool = False

    @property
    def headers(self) -> dict[str, str]:
        how = "inline" if self.shown else "attachment"
        return {
            "content-disposition": f'{how}; filename="{self.name}"',
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
        }


async def whole(workspace_id: UUID, run_id: UUID, value: Any) -> Any:
    """A value of a run's record with what it names in its place. 1 statement for each large value in it, else none.

    Raises NotFound for one that is gone or damaged.
    """
    named = all_stored(value)
    if not named:
        return value
    found: dict[str, bytes] = {}
    async with tenant_tx(workspace_id) as tx:
        for one in named:
            found[one.hash] = await _fetched(tx, run_id, one.hash)
    return filled(value, found)


async def whole_text(workspace_id: UUID, run_id: UUID, text: str | None) -> str | None:
    """The same for JSON text."""
    if text is None or MARK not in text:
        return text
    return msgspec.json.encode(await whole(workspace_id, run_id, msgspec.json.decode(text))).decode()


async def whole_output(tx: Tx, run_id: UUID, text: str | None) -> Any:
    """The whole answer of an ended run, from its row. `tx`: of any role. What is too large for an input stays named."""
    if text is None or MARK not in text:
        return None if text is None else msgspec.json.decode(text)
    value = msgspec.json.decode(text)
    if sum(one.size for one in all_stored(value)) > MOST_HANDED_ON:
        return value
    return filled(value, {one.hash: await _fetched(tx, run_id, one.hash) for one in all_stored(value)})


async def whole_event(workspace_id: UUID, event: dict[str, Any]) -> dict[str, Any]:
    """An event of a run with its whole answer. Those of steps keep the references."""
    if event["type"] not in ("run.succeeded", "run.answered") or not all_stored(event.get("output")):
        return event
    return {**event, "output": await whole(workspace_id, UUID(event["run"]), event["output"])}


async def content(actor: Actor, run_id: UUID, hash: str) -> Content:
    """One value of a run. 1 statement. Raises NotFound, also for a value of another run."""
    if not HASH.fullmatch(hash):
        raise NotFound(GONE)
    async with tenant_tx(actor.workspace_id) as tx:
        raw = await _fetched(tx, run_id, hash)
    value = redacted(msgspec.json.decode(raw))
    name = f"value-{hash[:12]}"
    if isinstance(value, str):
        return Content(value.encode(), "text/plain; charset=utf-8", f"{name}.txt")
    return Content(msgspec.json.format(msgspec.json.encode(value), indent=2), "application/json", f"{name}.json")


async def _fetched(tx: Tx, run_id: UUID, hash: str) -> bytes:
    try:
        return await verbs.fetch(tx, run_id, hash)
    except Lost as lost:
        raise NotFound(f"{GONE} ({lost})", remedy="Run the flow again to have it anew.") from None


async def forget_values() -> int:
    """Remove what no run names any more, in batches. Returns how many values went."""
    done, more = 0, BATCH
    while more >= BATCH:
        async with system_tx("forget values of runs") as tx:
            more = await verbs.forget(tx, BATCH)
        done += more
    return done
