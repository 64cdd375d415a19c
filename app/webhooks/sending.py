"""From the event log to the receiver: which events go to which endpoint, and one call for each letter of the outbox.

At least once, always under the same webhook-id. A worker killed in between leaves the letter to another (outbox.LEASE).
Tries: 8 over about 27 hours (outbox.TRIES); then the delivery is dead, and sent again only when somebody asks.
"""

import time
from typing import Any
from uuid import UUID

import msgspec

from app import clock, db, egress
from app.db import Tx, system_tx, tenant_tx
from app.errors import NotFound
from app.events import hub, outbox, publish, read
from app.logs import logger
from app.vault import service as vault
from app.webhooks.service import KIND as KIND  # noqa: PLC0414 -- the worker registers `deliver` under it
from app.webhooks.service import place, store, wanted
from app.webhooks.signing import signature

log = logger(__name__)

LIMITS = egress.Limits(seconds=15.0, connect=10.0, silence=15.0, size=64_000, redirects=0)
"""A receiver says 2xx and little else. A redirect is a failure: signed data goes to the address that was given."""
KEPT_ANSWER = 1_000
KEPT_TRIES = 20
DISABLE_AFTER_DAYS = 5
"""Days without a single success, after which an endpoint whose delivery was given up is switched off."""
BATCH = 200

BEHIND = """
select e.id, e.workspace_id from webhook_endpoint e join event_counter c on c.workspace_id = e.workspace_id
 where c.last > e.cursor and not e.paused and e.disabled_at is null limit 200
"""
FOUND = """
select d.*, e.url, e.secret_name, e.sealed, e.old_sealed, e.paused or e.disabled_at is not null as off, e.failing_since,
       e.old_until > clock_timestamp() as overlap
  from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id where d.id = $1
"""
NOTE = """
update webhook_delivery set state = $2, done_at = case when $2 <> 'due' then clock_timestamp() end,
       tries = (select coalesce(json_agg(t order by n), '[]') from (
           select t, n from (select value as t, ordinality as n from json_array_elements(tries) with ordinality
                             union all select $3::json, 1000000000) every_try order by n desc limit $4) kept)
 where id = $1
"""


class Failed(Exception):
    """The receiver did not take it; the outbox tries again."""


async def tell_endpoints() -> int:
    """Make deliveries of what happened since each endpoint was looked at. Every second, by one worker for each."""
    async with system_tx("endpoints of webhooks") as tx:
        rows = await tx.fetch(BEHIND)
    told = 0
    for row in rows:
        try:
            async with tenant_tx(row["workspace_id"]) as tx:
                told += await _tell(tx, row["workspace_id"], row["id"])
        except Exception:  # one endpoint must not hold up the others
            log.exception("events could not be handed to an endpoint; tried again", endpoint=str(row["id"]))
    return told


async def _tell(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> int:
    row = await tx.fetchrow(
        """select cursor, kinds from webhook_endpoint where id = $1 and not paused and disabled_at is null
           for update skip locked""",
        endpoint_id,
    )
    if row is None:
        return 0
    events = await read(tx, workspace_id, row["cursor"], limit=BATCH)
    told = 0
    for event in events:
        if wanted(row["kinds"], event.type):
            data = {"topic": event.topic, "number": event.seq, **(event.data if isinstance(event.data, dict) else {})}
            await store(tx, workspace_id, endpoint_id, event.seq, event.type, data)
            told += 1
    if events:
        await tx.execute("update webhook_endpoint set cursor = $2 where id = $1", endpoint_id, events[-1].seq)
    return told


async def deliver(letter: outbox.Letter) -> None:
    """The outbox's handler for KIND. Raises Failed, and Undeliverable when trying again can't help."""
    delivery_id = UUID(letter.payload["delivery"])
    async with tenant_tx(letter.workspace_id) as tx:
        row = await tx.fetchrow(FOUND, delivery_id)
        if row is None or row["state"] == "done":
            return  # the endpoint was removed, or another try was faster
        if row["off"] and row["type"] != "webhook.test":
            await tx.execute("update webhook_delivery set state = 'held' where id = $1", delivery_id)
            return
        try:
            keys, unsigned = await _keys(tx, row), ""
        except NotFound as problem:  # it was removed from the vault: it may come back
            keys, unsigned = [], f"It can't be signed: {problem.message}"
    outcome = await _call(row, keys) if keys else _unsent(unsigned)
    good = 200 <= outcome["status"] < 300
    last = letter.attempt >= outbox.TRIES or outcome["status"] == 410
    async with tenant_tx(letter.workspace_id) as tx:
        text = msgspec.json.encode(outcome).decode()
        await tx.execute(NOTE, delivery_id, "done" if good else "dead" if last else "due", text, KEPT_TRIES)
        told = {"endpoint": str(row["endpoint_id"])}
        db.on_commit(lambda: hub.whisper(letter.workspace_id, "workspace", "webhook.delivered", told))
        await _note_endpoint(tx, row, good=good, last=last, gone=outcome["status"] == 410)
    if good:
        return
    reason = outcome["error"] or f"The receiver answered {outcome['status']}."
    raise outbox.Undeliverable(reason) if last else Failed(reason)


async def _keys(tx: Tx, row: Any) -> list[str]:
    if row["secret_name"]:
        return [str(await vault.read_secret(tx, row["workspace_id"], row["secret_name"]))]
    at = place(row["workspace_id"], row["endpoint_id"])
    sealed = [row["sealed"], *([row["old_sealed"]] if row["overlap"] and row["old_sealed"] else [])]
    return [str(await vault.unseal(tx, at, each)) for each in sealed]


def _unsent(why: str) -> dict[str, Any]:
    return {"at": int(clock.epoch()), "status": 0, "ms": 0, "error": why[:500], "answer": ""}


async def _call(row: Any, keys: list[str]) -> dict[str, Any]:
    body, delivery, stamp = row["body"].encode(), f"msg_{row['id'].hex}", int(clock.epoch())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signature(key, delivery, stamp, body) for key in keys),
    }
    began, status, answer, error = time.perf_counter(), 0, "", ""
    try:
        async with egress.stream("POST", row["url"], headers=headers, body=body, limits=LIMITS) as reply:
            status = reply.status
            answer = await _beginning(reply)
    except egress.EgressError as problem:
        error = str(problem)
    ms = round((time.perf_counter() - began) * 1000)
    return {"at": stamp, "status": status, "ms": ms, "error": error[:500], "answer": answer}


async def _beginning(reply: egress.StreamingReply) -> str:
    """The first characters of the answer, for the page; the status counts, whatever becomes of the rest."""
    kept = b""
    try:
        async for piece in reply.pieces():
            kept += piece
            if len(kept) >= KEPT_ANSWER:
                break
    except egress.EgressError:
        pass
    return kept[:KEPT_ANSWER].decode("utf-8", "replace").replace("\0", "\ufffd")


async def _note_endpoint(tx: Tx, row: Any, *, good: bool, last: bool, gone: bool) -> None:
    if row["type"] == "webhook.test":
        return
    if good:
        await tx.execute(
            """update webhook_endpoint set failing_since = null, last_ok_at = clock_timestamp() where id = $1
               and (failing_since is not null or last_ok_at is null
                    or last_ok_at < clock_timestamp() - interval '1 minute')""",
            row["endpoint_id"],
        )
        return
    await tx.execute(
        "update webhook_endpoint set failing_since = coalesce(failing_since, clock_timestamp()) where id = $1",
        row["endpoint_id"],
    )
    if not last:
        return
    disabled = await tx.fetchval(
        """update webhook_endpoint set disabled_at = clock_timestamp() where id = $1 and disabled_at is null
           and ($2 or failing_since < clock_timestamp() - make_interval(days => $3)) returning true""",
        row["endpoint_id"],
        gone,
        DISABLE_AFTER_DAYS,
    )
    if disabled:
        why = "It answered that it is gone (410)." if gone else f"Nothing was taken for {DISABLE_AFTER_DAYS} days."
        told = {"endpoint": str(row["endpoint_id"]), "url": row["url"], "why": why}
        await publish(tx, row["workspace_id"], "workspace", "webhook.disabled", told)


__all__ = ["KIND", "deliver", "tell_endpoints"]
