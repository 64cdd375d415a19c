"""Calls that a run waits for (docs/flow-semantics.md, 57 to 59): one call of an address is the signal of one wait."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock
from app.db import system_tx, tenant_tx
from app.errors import Conflict, DomainError, NotFound, Unavailable
from app.gateway import service as gateway
from app.logs import logger
from app.runs import doors
from app.runs.call_addresses import PREFIX, Place, place_of
from app.runs.hooks import PRIVATE, read_body
from app.runs.running import host
from app.vault import service as vault
from components.logic.webhook import signal_of
from flows.ledger import postgres_verbs as verbs

log = logger(__name__)

NOWHERE = "There is nothing at this address."
OVER = "Nothing waits for this call any more."
USED = "This address has been used."
MOST_BODY = 1_000_000
ONCE = "call"
"""The key under which one call of an address is stored: a second one finds it there."""

FOUND = "select workspace_id, version_id, status from run where id = $1"
STORED = "select data from run_signal where run_id = $1 and name = $2 and dedupe_key = $3"
WENT_ON = """
select exists (select from node_exec where run_id = $1 and status = 'succeeded' and (node_id, iter_path) <> ($2, $3)
    and right(output->>'address', length($4)) = $4)
"""
"""Whether the step that waited for this address is over: it gives the address as one of its outputs."""


class Taken(Struct, frozen=True):
    """`again`: the same call was here before. `answer`: what to say at once, without taking anything (a challenge)."""

    again: bool = False
    answer: bytes | None = None


async def take(token: str, headers: Mapping[bytes, bytes], query: Mapping[str, Any], body: bytes) -> Taken:
    """Give a run the call it waits for, or will wait for. What is taken is kept, whatever crashes.

    Raises NotFound for an address that was not made here, Conflict for a used one and (410) for one that nothing waits
    at any more, DomainError(401) for a signature that does not hold, Unavailable for a run that stands still.
    """
    place = place_of(token)
    if place is None:
        raise NotFound(NOWHERE)
    async with system_tx("a call to a run") as tx:
        run = await tx.fetchrow(FOUND, place.run_id)
    if run is None:
        raise NotFound(NOWHERE)
    if run["status"] in ("succeeded", "failed", "cancelled"):
        raise Conflict(OVER, status=410, code="over")
    kept = {name: value for name, value in headers.items() if name not in PRIVATE}
    settings = await _settings(run["version_id"], place)
    if getattr(settings, "signature", "none") != "none":
        admitted = await _admitted(run["workspace_id"], settings, kept, body)
        if admitted.answer is not None:
            return Taken(answer=admitted.answer)
        kept = doors.handed_on(kept)
    said = {
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in kept.items()},
        "query": dict(query),
        "body": read_body(body),
    }
    return await _stored(run["workspace_id"], place, token, said)


async def _stored(workspace_id: UUID, place: Place, token: str, said: dict[str, Any]) -> Taken:
    name = signal_of(PREFIX + token)
    async with tenant_tx(workspace_id) as tx:
        await tx.execute("select from run where id = $1 for update", place.run_id)
        before = await tx.fetchval(STORED, place.run_id, name, ONCE)
        if before is not None:
            old = msgspec.json.decode(before)
            new = msgspec.json.decode(msgspec.json.encode(said))
            if (old["body"], old["query"]) != (new["body"], new["query"]):
                raise Conflict(USED, code="used")
            return Taken(again=True)
        if await tx.fetchval(WENT_ON, place.run_id, place.node, place.iter, PREFIX + token):
            raise Conflict(OVER, status=410, code="over")
        text = msgspec.json.encode(said).decode()
        try:
            lane = await verbs.signal_run(tx, place.run_id, name, text, sender="a call", dedupe_key=ONCE)
        except LookupError as status:
            if str(status) in ("in_doubt", "dead"):
                raise Unavailable("This run stands still until somebody has looked at it.", retry_after=60) from None
            raise Conflict(OVER, status=410, code="over") from None
    if lane is not None:
        await host().nudge(lane)
    return Taken()


async def _settings(version_id: UUID, place: Place) -> Any:
    """Those of the step that gave the address; in a flow that another one calls, of that flow's version."""
    ready = await host().ready(version_id)
    *outer, last = place.node.split("/")
    try:
        for name in outer:
            ready = await host().ready(UUID(ready.plan.step(name).settings.flow))
        return ready.plan.step(last).settings
    except (KeyError, ValueError, AttributeError):
        raise NotFound(NOWHERE) from None


async def _secret(workspace_id: UUID, settings: Any) -> str:
    """The one that its step names in the vault, else the key of its connection."""
    if name := getattr(settings, "named", ""):
        async with tenant_tx(workspace_id) as tx:
            return str(await vault.read_secret(tx, workspace_id, name))
    return str(await gateway.secret_of(workspace_id, settings.secret))


async def _admitted(workspace_id: UUID, settings: Any, headers: dict[bytes, bytes], body: bytes) -> doors.Admitted:
    """Raises DomainError(401), which does not say what was wrong; the log does."""
    try:
        secret = await _secret(workspace_id, settings)
        return doors.checked(settings, [secret] if secret else [], headers, body, clock.epoch())
    except (doors.Forged, DomainError) as why:
        log.warning("a call to a run was refused", why=str(why))
        raise DomainError("The signature of this call was not accepted.", status=401, code="signature") from None
