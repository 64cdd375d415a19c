"""Connecting to those who serve models. Keys go in and never come out."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec

from app.db import Tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.gateway import keys
from app.gateway.directory import offer_local
from app.gateway.forms import ChangeForm, ConnectForm
from app.gateway.providers import LOCAL, PROVIDERS, Provider
from app.gateway.vendors import wire
from app.logs import keep_out, logger
from app.web.actor import Actor

log = logger(__name__)
GONE = "This connection does not exist any more."


async def connect(actor: Actor, form: ConnectForm) -> UUID:
    """A new connection, not yet tried. Its slug is the provider's id, with a number if there are several.

    Raises Refused with the field at fault: an unknown provider, a missing key or address, an address that is none.
    """
    must_edit(actor)
    provider = PROVIDERS.get(form.provider)
    if provider is None or provider.id == LOCAL:
        raise Refused(f"There is no provider '{form.provider}'.", remedy="Choose one of the list.", field="provider")
    key, options = form.key.strip(), form.options()
    if provider.key == "needed" and not key:
        raise Refused("This provider needs a key.", remedy=_where(provider), field="key")
    base_url = _address(actor, provider, form.base_url)
    _complete(provider, options)
    connection_id = uuid4()
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        taken = {row["slug"]: row["name"] for row in await tx.fetch("select slug, name from connection for update")}
        slug = _free(provider.id, set(taken), "-")
        name = form.name.strip() or _free(provider.title, set(taken.values()), " ")
        await tx.execute(
            "insert into connection (id, workspace_id, slug, provider, name, base_url, options, key_sealed, key_hint, "
            "created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            connection_id,
            actor.workspace_id,
            slug,
            provider.id,
            name,
            base_url,
            msgspec.json.encode(options).decode(),
            await keys.seal_key(tx, actor.workspace_id, connection_id, key),
            hint(key),
            actor.user_id,
        )
    log.info("connected", provider=provider.id, connection=str(connection_id), by=str(actor.user_id))
    return connection_id


async def change(actor: Actor, connection_id: UUID, form: ChangeForm) -> None:
    """New name, address or key; an empty key keeps the old one. A changed address needs the key again: otherwise
    whoever may edit could send the stored key to a server of their own.
    """
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await _row(tx, connection_id)
        provider = PROVIDERS.get(row["provider"], PROVIDERS["compatible"])
        if provider.id == LOCAL:
            raise Refused("The model of this machine has nothing to set.", remedy="Remove it if you do not want it.")
        options = {f.name: v for f in provider.fields if (v := str(getattr(form, f.name)).strip())}
        _complete(provider, options)
        base_url, key = _address(actor, provider, form.base_url), form.key.strip()
        moved = (base_url, options.get("api_base")) != (row["base_url"], _options(row).get("api_base"))
        if moved and row["key_hint"] and not key:
            raise Refused(
                "The address changed, so the key is needed once more.",
                remedy="Enter the key for the new address: the stored one is sent to the old address only.",
                field="key",
            )
        sealed, tail = row["key_sealed"], row["key_hint"]
        if key:
            sealed, tail = await keys.seal_key(tx, actor.workspace_id, connection_id, key), hint(key)
        await tx.execute(
            "update connection set name = $2, base_url = $3, options = $4, key_sealed = $5, key_hint = $6, "
            "status = 'untried', tested = '{}', tested_at = null, updated_at = now() where id = $1",
            connection_id,
            form.name.strip(),
            base_url,
            msgspec.json.encode(options).decode(),
            sealed,
            tail,
        )
    log.info("connection changed", connection=str(connection_id), by=str(actor.user_id))


async def remove(actor: Actor, connection_id: UUID) -> str:
    """Calls fail from the next one on. Kept for `restore` until jobs.forget_removed erases it. Returns its name."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        name: str | None = await tx.fetchval(
            "update connection set removed_at = now() where id = $1 and removed_at is null returning name",
            connection_id,
        )
    if name is None:
        raise NotFound(GONE)
    log.info("connection removed", connection=str(connection_id), by=str(actor.user_id))
    return name


async def restore(actor: Actor, connection_id: UUID) -> None:
    """Undo of `remove`. If its slug was given away meanwhile it gets the next free one."""
    must_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select slug, provider from connection where id = $1 and removed_at is not null for update", connection_id
        )
        if row is None:
            raise NotFound(GONE)
        taken = {r["slug"] for r in await tx.fetch("select slug from connection where removed_at is null")}
        slug = row["slug"] if row["slug"] not in taken else _free(row["provider"], taken, "-")
        await tx.execute("update connection set removed_at = null, slug = $2 where id = $1", connection_id, slug)


def must_edit(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Connections are up to the editors of this workspace.", remedy="Ask an owner to add one.")


def hint(key: str) -> str:
    """The last four characters of a key long enough to spare them; the only part of it anybody sees again."""
    if key:
        keep_out(key)
    return key[-4:] if len(key) >= 12 else ""


async def _row(tx: Tx, connection_id: UUID) -> Any:
    row = await tx.fetchrow("select * from connection where id = $1 and removed_at is null for update", connection_id)
    if row is None:
        raise NotFound(GONE)
    return row


def _options(row: Any) -> dict[str, str]:
    return msgspec.json.decode(row["options"], type=dict[str, str])


def _free(wanted: str, taken: set[str], joint: str) -> str:
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}{joint}{number}"
    return name


def _where(provider: Provider) -> str:
    return f"You get one at {provider.key_page}." if provider.key_page else "Enter the key of your account there."


def _complete(provider: Provider, options: dict[str, str]) -> None:
    for field in provider.fields:
        if field.required and not options.get(field.name):
            raise Refused(f"'{field.title}' is missing.", remedy=f"For example {field.example}.", field=field.name)


def _address(actor: Actor, provider: Provider, given: str) -> str:
    """The address as it is stored: with scheme and path, without a slash at the end. "" = the provider's own."""
    text = given.strip().rstrip("/")
    if not provider.asks_url:
        return ""
    if not text:
        if not provider.base_url:
            raise Refused("The address is missing.", remedy="For example https://models.example/v1.", field="base_url")
        text = provider.base_url
    if "://" not in text:
        text = f"http://{text}" if wire.reach(f"http://{text}").loopback else f"https://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Refused(
            f"'{given[:80]}' is no address of a server.", remedy="Like https://models.example/v1.", field="base_url"
        )
    if parts.username is not None or parts.password is not None:
        raise Refused(
            "The address holds a user name or password.", remedy="Put the key into its field.", field="base_url"
        )
    if wire.reach(text).loopback and not actor.is_owner:
        raise NotAllowed(
            "Servers on this machine are up to the owners.", remedy="Ask an owner to connect it.", field="base_url"
        )
    if provider.lane == "direct" and parts.path in ("", "/"):
        text = f"{text}/v1"
    return text
