"""Sealing and opening, and what people do with their secrets.

    sealed = await seal(tx, Place(workspace_id, "connection", "key_sealed", str(connection_id)), key)
    key = await unseal(tx, place, sealed)

An opened value is a `Secret`: it hides in reprs, and from then on it is cut out of this process's logs. Never store it.
"""

import re
import secrets
from collections import OrderedDict
from uuid import UUID

from app import logs
from app.clock import monotonic
from app.config import Secret
from app.db import Tx, system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.events import publish
from app.vault import envelope
from app.vault.envelope import CannotOpen, Place
from app.web.actor import Actor

__all__ = [
    "CannotOpen", "Place", "delete_secret", "put_secret", "read_secret", "renew_data_key", "rewrap", "seal",
    "secret_for", "unseal",
]  # fmt: skip

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_OPEN_FOR = 600.0
"""Seconds an unwrapped data key is kept in memory: after that a deleted workspace is unreadable here, too."""
_KEPT = 500
_opened: OrderedDict[tuple[UUID, UUID], tuple[float, bytes]] = OrderedDict()


async def seal(tx: Tx, place: Place, plain: str) -> bytes:
    """Close a text for one place. The workspace's data key is made at the first time."""
    key_id, data_key = await _active(tx, place.workspace_id)
    return envelope.seal(place, key_id, data_key, plain.encode())


async def unseal(tx: Tx, place: Place, sealed: bytes) -> Secret:
    """The text. Raises CannotOpen when its key is gone, or it was changed, or it was moved here from another place."""
    key_id = envelope.key_of(sealed)
    data_key = _remembered(place.workspace_id, key_id)
    if data_key is None:
        row = await tx.fetchrow(
            "select kek_id, wrapped from data_key where workspace_id = $1 and id = $2", place.workspace_id, key_id
        )
        if row is None:
            raise CannotOpen("The key this was closed with is gone, and with it the value.")
        data_key = envelope.unwrap(place.workspace_id, key_id, row["wrapped"], row["kek_id"])
        _remember(place.workspace_id, key_id, data_key)
    plain = Secret(envelope.unseal(place, data_key, sealed).decode())
    logs.keep_out(plain)
    return plain


async def rewrap(batch: int = 200) -> int:
    """Wrap every data key anew that is not wrapped by the current instance secret; returns how many.

    Secrets themselves are not touched, so it takes moments. Safe to stop and start again, and beside a running product.
    Raises CannotOpen when the instance secret that one of them needs is missing.
    """
    current = envelope.key_keys(again=True)[0]
    done = 0
    while True:
        async with system_tx("vault: re-wrap") as tx:
            rows = await tx.fetch(
                "select id, workspace_id, kek_id, wrapped from data_key where kek_id <> $1 limit $2 for update",
                current.id,
                batch,
            )
            for row in rows:
                data_key = envelope.unwrap(row["workspace_id"], row["id"], row["wrapped"], row["kek_id"])
                await tx.execute(
                    "update data_key set kek_id = $2, wrapped = $3 where id = $1",
                    row["id"],
                    current.id,
                    envelope.wrap(row["workspace_id"], row["id"], data_key, current),
                )
        done += len(rows)
        if len(rows) < batch:
            return done


async def renew_data_key(workspace_id: UUID) -> None:
    """From now on this workspace's secrets are sealed with a new key; what is sealed with the old one still opens."""
    async with system_tx("vault: renew a data key") as tx:
        await tx.execute(
            "update data_key set retired_at = now() where workspace_id = $1 and retired_at is null", workspace_id
        )
        await _make(tx, workspace_id)


async def put_secret(actor: Actor, name: str, value: str, hosts: str = "") -> UUID:
    """Keep a secret under a name, or replace the one of that name (upper and lower case are the same). Editors only.

    Nobody sees the value again: only its last four characters, when it has at least twelve. `hosts`: the servers it may
    be sent to, "" = any. Raises Refused for a host that is none.
    """
    _editors_only(actor)
    name = name.strip()
    if not name or len(name) > 100:
        raise Refused("A secret needs a name of 1 to 100 characters.", field="name")
    if not value or len(value.encode()) > 65_536:
        raise Refused("A secret needs a value of 1 byte to 64 KB.", field="value")
    allowed = _hosts(hosts)
    async with tenant_tx(actor.workspace_id) as tx:
        secret_id: UUID = await tx.fetchval(
            "insert into secret (workspace_id, name, sealed, created_by) values ($1, $2, '', $3) "
            "on conflict (workspace_id, lower(name)) do update set updated_at = now() returning id",
            actor.workspace_id,
            name,
            actor.user_id,
        )
        sealed = await seal(tx, _place(actor.workspace_id, secret_id), value)
        hint = value[-4:] if len(value) >= 12 else ""
        changed = "update secret set sealed = $2, hint = $3, hosts = $4 where id = $1"
        await tx.execute(changed, secret_id, sealed, hint, allowed)
        await publish(tx, actor.workspace_id, "workspace", "secret.saved", {"id": str(secret_id), "name": name})
    return secret_id


async def delete_secret(actor: Actor, secret_id: UUID) -> None:
    """Forget a secret. Flows that name it fail from now on, with the name. Editors only; NotFound when unknown."""
    _editors_only(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        name = await tx.fetchval("delete from secret where id = $1 returning name", secret_id)
        if name is None:
            raise NotFound("This secret does not exist.")
        await publish(tx, actor.workspace_id, "workspace", "secret.deleted", {"id": str(secret_id), "name": name})


async def secret_for(tx: Tx, workspace_id: UUID, name: str, host: str) -> Secret:
    """The value, for a request of a step to `host`. Raises NotFound, and Refused when it may not go there."""
    hosts = await tx.fetchval(
        "select hosts from secret where workspace_id = $1 and lower(name) = lower($2)", workspace_id, name
    )
    if hosts and host.lower() not in hosts.split():
        raise Refused(
            f"The secret {name!r} may only be sent to {hosts.replace(' ', ', ')}, not to {host}.",
            remedy="Correct the address, or allow this server under Settings, Secrets.",
        )
    return await read_secret(tx, workspace_id, name)


def _hosts(text: str) -> str:
    hosts = text.replace(",", " ").lower().split()
    for host in hosts:
        if not HOST.fullmatch(host):
            raise Refused(f"“{host}” is no name of a server, such as api.shop.example.", field="hosts")
    return " ".join(dict.fromkeys(hosts))


async def read_secret(tx: Tx, workspace_id: UUID, name: str) -> Secret:
    """The value, for a running step. Raises NotFound with the name."""
    row = await tx.fetchrow(
        "select id, sealed from secret where workspace_id = $1 and lower(name) = lower($2)", workspace_id, name
    )
    if row is None:
        raise NotFound(
            f"There is no secret named {name!r} in this workspace.", remedy="Add it under Settings, Secrets."
        )
    return await unseal(tx, _place(workspace_id, row["id"]), row["sealed"])


def _place(workspace_id: UUID, secret_id: UUID) -> Place:
    return Place(workspace_id, "secret", "sealed", str(secret_id))


def _editors_only(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed(
            "Secrets are up to the editors of this workspace.", remedy="Ask an owner to make you an editor."
        )


async def _active(tx: Tx, workspace_id: UUID) -> tuple[UUID, bytes]:
    row = await tx.fetchrow(_ACTIVE, workspace_id)
    if row is None:
        await _make(tx, workspace_id)
        row = await tx.fetchrow(_ACTIVE, workspace_id)
    data_key = _remembered(workspace_id, row["id"])
    if data_key is None:
        data_key = envelope.unwrap(workspace_id, row["id"], row["wrapped"], row["kek_id"])
        _remember(workspace_id, row["id"], data_key)
    return row["id"], data_key


async def _make(tx: Tx, workspace_id: UUID) -> None:
    """A fresh key; when two make the first one at once, the second waits for the first and both use that."""
    kek = envelope.key_keys()[0]
    key_id: UUID = await tx.fetchval("select uuidv7()")
    await tx.execute(
        "insert into data_key (id, workspace_id, kek_id, wrapped) values ($1, $2, $3, $4) "
        "on conflict (workspace_id) where retired_at is null do nothing",
        key_id,
        workspace_id,
        kek.id,
        envelope.wrap(workspace_id, key_id, secrets.token_bytes(32), kek),
    )


def _remembered(workspace_id: UUID, key_id: UUID) -> bytes | None:
    found = _opened.get((workspace_id, key_id))
    return found[1] if found is not None and found[0] > monotonic() else None


def _remember(workspace_id: UUID, key_id: UUID, data_key: bytes) -> None:
    _opened[workspace_id, key_id] = (monotonic() + _OPEN_FOR, data_key)
    _opened.move_to_end((workspace_id, key_id))
    while len(_opened) > _KEPT:
        _opened.popitem(last=False)


_ACTIVE = "select id, kek_id, wrapped from data_key where workspace_id = $1 and retired_at is null"
