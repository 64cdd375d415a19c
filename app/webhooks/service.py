"""What people do with outgoing webhooks: add and change endpoints, test them, send again."""

import base64
import re
import secrets
from typing import Any
from uuid import UUID

import msgspec

from app import clock
from app.db import Tx, tenant_tx
from app.egress import Blocked, address
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import outbox, publish
from app.vault import service as vault
from app.vault.service import Place
from app.web.actor import Actor
from app.webhooks.forms import EndpointForm
from app.webhooks.signing import key_of as key_of  # noqa: PLC0414 -- for app.triggers, which checks what others sign
from app.webhooks.signing import signature as signature  # noqa: PLC0414 -- the same

KIND = "webhook"
MOST_ENDPOINTS = 50
MOST_REPLAYED = 1_000
OVERLAP_HOURS = 24
PATTERN = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,98}(\.\*)?|\*")
GONE = "This endpoint does not exist."


async def add_endpoint(actor: Actor, form: EndpointForm) -> tuple[UUID, str]:
    """A new endpoint, and its secret, which is shown only now ("" for one of the vault). It is told from now on.

    Raises Refused for an address that can't be called, kinds that can't be read and a secret that is not there,
    Conflict when there are too many.
    """
    may_change(actor)
    url, kinds = checked_url(form.url), patterns(form.kinds)
    secret = _made()
    async with tenant_tx(actor.workspace_id) as tx:
        if await tx.fetchval("select count(*) from webhook_endpoint") >= MOST_ENDPOINTS:
            raise Conflict(f"A workspace has at most {MOST_ENDPOINTS} endpoints.", remedy="Remove one first.")
        named = await _named(tx, actor, form)
        endpoint_id: UUID = await tx.fetchval("select uuidv7()")
        await tx.execute(
            """insert into webhook_endpoint (id, workspace_id, name, url, kinds, sealed, hint,
                                             cursor, created_by, secret_name)
               values ($1, $2, $3, $4, $5, $6, $7,
                       coalesce((select last from event_counter where workspace_id = $2), 0), $8, $9)""",
            endpoint_id, actor.workspace_id, form.name.strip(), url, kinds,
            await vault.seal(tx, place(actor.workspace_id, endpoint_id), secret), secret[-4:], actor.user_id, named,
        )  # fmt: skip
        await _told(tx, actor, endpoint_id, "added")
    return endpoint_id, "" if named else secret


async def change_endpoint(actor: Actor, endpoint_id: UUID, form: EndpointForm) -> None:
    """Raises NotFound, Refused."""
    may_change(actor)
    url, kinds = checked_url(form.url), patterns(form.kinds)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        await tx.execute(
            "update webhook_endpoint set name = $2, url = $3, kinds = $4, secret_name = $5 where id = $1",
            endpoint_id, form.name.strip(), url, kinds, await _named(tx, actor, form),
        )  # fmt: skip
        await _told(tx, actor, endpoint_id, "changed")


async def switch(actor: Actor, endpoint_id: UUID, *, on: bool) -> None:
    """Off: nothing is sent, everything is kept. On: what was kept is sent, in the order it happened."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        await tx.execute(
            """update webhook_endpoint set paused = $2, disabled_at = null,
               failing_since = case when $2 then failing_since end where id = $1""",
            endpoint_id,
            not on,
        )
        if on:
            held = await tx.fetch(
                "select id from webhook_delivery where endpoint_id = $1 and state = 'held' order by id", endpoint_id
            )
            await _again(tx, actor.workspace_id, [row["id"] for row in held])
        await _told(tx, actor, endpoint_id, "switched_on" if on else "switched_off")


async def remove_endpoint(actor: Actor, endpoint_id: UUID) -> None:
    """With its deliveries. Letters under way find nothing any more and end."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        await tx.execute("delete from webhook_endpoint where id = $1", endpoint_id)
        await _told(tx, actor, endpoint_id, "removed")


async def renew_secret(actor: Actor, endpoint_id: UUID) -> str:
    """Another secret, shown only now. For a day every delivery is signed with both.

    Raises Conflict for an endpoint that a secret of the vault signs for.
    """
    may_change(actor)
    secret = _made()
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        if await tx.fetchval("select secret_name from webhook_endpoint where id = $1", endpoint_id):
            raise Conflict("A secret of the vault signs here.", remedy="Replace that one under Settings, Secrets.")
        sealed = await vault.seal(tx, place(actor.workspace_id, endpoint_id), secret)
        await tx.execute(
            """update webhook_endpoint set old_sealed = sealed, sealed = $2, hint = $3,
               old_until = clock_timestamp() + make_interval(hours => $4) where id = $1""",
            endpoint_id, sealed, secret[-4:], OVERLAP_HOURS,
        )  # fmt: skip
        await _told(tx, actor, endpoint_id, "secret_changed")
    return secret


async def test_endpoint(actor: Actor, endpoint_id: UUID) -> UUID:
    """Send a `webhook.test` now, also to one that is switched off. Returns the delivery's id."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        delivery_id = await store(tx, actor.workspace_id, endpoint_id, None, "webhook.test", {"by": actor.name})
    return delivery_id


async def replay(actor: Actor, delivery_id: UUID) -> UUID:
    """Send one again, whatever came of it, under the same webhook-id. Returns its endpoint. Raises NotFound."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        endpoint_id = await tx.fetchval(
            "select endpoint_id from webhook_delivery where id = $1 for update", delivery_id
        )
        if endpoint_id is None:
            raise NotFound("This delivery does not exist.")
        await _again(tx, actor.workspace_id, [delivery_id])
    return UUID(str(endpoint_id))


async def replay_dead(actor: Actor, endpoint_id: UUID, since: Any = None) -> int:
    """Send everything again that was given up (since a moment), at most 1,000. Returns how many."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, endpoint_id)
        rows = await tx.fetch(
            """select id from webhook_delivery where endpoint_id = $1 and state = 'dead'
               and ($2::timestamptz is null or created_at >= $2) order by id limit $3 for update""",
            endpoint_id,
            since,
            MOST_REPLAYED,
        )
        await _again(tx, actor.workspace_id, [row["id"] for row in rows])
    return len(rows)


async def store(tx: Tx, workspace_id: UUID, endpoint_id: UUID, seq: int | None, type: str, data: Any) -> UUID:
    """A delivery and its letter in the outbox; sent after the commit. The same event again is ignored."""
    body = {"type": type, "timestamp": clock.now().isoformat(timespec="milliseconds"), "data": data}
    delivery_id = await tx.fetchval(
        """insert into webhook_delivery (workspace_id, endpoint_id, seq, type, body) values ($1, $2, $3, $4, $5)
           on conflict (endpoint_id, seq) do nothing returning id""",
        workspace_id, endpoint_id, seq, type, msgspec.json.encode(body).decode(),
    )  # fmt: skip
    if delivery_id is not None:
        await outbox.add(tx, workspace_id, KIND, {"delivery": str(delivery_id)}, dedupe_key=f"{delivery_id}:1")
    return UUID(str(delivery_id)) if delivery_id is not None else UUID(int=0)


async def _again(tx: Tx, workspace_id: UUID, ids: list[UUID]) -> None:
    rows = await tx.fetch(
        """update webhook_delivery set state = 'due', round = round + 1, done_at = null where id = any ($1)
           returning id, round""",
        ids,
    )
    for row in sorted(rows, key=lambda row: row["id"]):
        letter = {"delivery": str(row["id"])}
        await outbox.add(tx, workspace_id, KIND, letter, dedupe_key=f"{row['id']}:{row['round']}")


def checked_url(text: str) -> str:
    """The address as it will be called. Raises Refused(field="url"); whether it leads somewhere private is checked
    again at every call, after the name was looked up.
    """
    try:
        url = address.parsed(text)
        literal = address.literal(url.raw_host or "")
        if literal is not None:
            address.check_all(url.raw_host or "", [str(literal)], url.port or 0, address.rules(address.PUBLIC))
    except Blocked as blocked:
        raise Refused(blocked.message, remedy=blocked.remedy, field="url") from None
    if url.scheme != "https" and literal is None and not address.rules(address.PUBLIC).name_allowed(url.raw_host or ""):
        raise Refused(
            "Events are sent over https only.", remedy="Begin the address with https://.", field="url"
        )  # http stays for addresses that the operator allowed by name
    return str(url)


def patterns(text: str) -> list[str]:
    """ "run.failed, flow.*" as a list. Raises Refused(field="kinds")."""
    found = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    for part in found:
        if not PATTERN.fullmatch(part):
            raise Refused(f"{part[:60]!r} is no kind of event.", remedy="Like run.failed or flow.*.", field="kinds")
    return [] if "*" in found else list(dict.fromkeys(found))[:50]


def wanted(kinds: list[str], type: str) -> bool:
    return not kinds or any(type == kind or (kind.endswith(".*") and type.startswith(kind[:-1])) for kind in kinds)


def place(workspace_id: UUID, endpoint_id: UUID) -> Place:
    return Place(workspace_id, "webhook_endpoint", "sealed", str(endpoint_id))


def may_change(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("You can look at webhooks, not change them.", remedy="Ask an owner to make you an editor.")


async def _locked(tx: Tx, endpoint_id: UUID) -> None:
    if await tx.fetchval("select true from webhook_endpoint where id = $1 for update", endpoint_id) is None:
        raise NotFound(GONE, remedy="Look for it in the list of webhooks.")


async def _told(tx: Tx, actor: Actor, endpoint_id: UUID, what: str) -> None:
    await publish(
        tx, actor.workspace_id, "workspace", f"webhook.{what}", {"endpoint": str(endpoint_id), "by": actor.name}
    )


async def _named(tx: Tx, actor: Actor, form: EndpointForm) -> str:
    """The secret of the vault that is to sign. Raises Refused when there is none of this name."""
    name = form.secret.strip()
    if name:
        try:
            await vault.read_secret(tx, actor.workspace_id, name)
        except NotFound as problem:
            raise Refused(problem.message, field="secret", remedy=problem.remedy) from None
    return name


def _made() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
