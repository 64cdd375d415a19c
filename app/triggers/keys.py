"""Secrets of signed webhooks: made or given, shown once, replaced with a day in which both count."""

import base64
import secrets as random
from uuid import UUID

import msgspec

from app import clock
from app.db import Tx, tenant_tx
from app.errors import Conflict, DomainError, Refused
from app.events import publish
from app.runs.service import Forged
from app.triggers.service import found, may_change
from app.vault import service as vault
from app.vault.service import Place
from app.web.actor import Actor

OVERLAP_HOURS = 24
LEAST, LONGEST = 16, 500
KEPT = 10.0
"""Seconds for which secrets are not read again. A new one is felt within this time; the old one counts for a day."""
_known: dict[UUID, tuple[float, list[str]]] = {}
_named: dict[tuple[UUID, str], tuple[float, list[str]]] = {}
MOST_KNOWN = 5_000


async def set_secret(actor: Actor, trigger_id: UUID, given: str = "") -> str:
    """A new secret for a signed webhook: `given` by the sender's service, or made here. Returns it, to be shown once.

    The one before counts for another day. Raises NotFound, Conflict for a trigger that takes no signature, Refused.
    """
    may_change(actor)
    given = given.strip()
    if given and not LEAST <= len(given) <= LONGEST:
        raise Refused(f"A secret has {LEAST} to {LONGEST} characters.", field="secret")
    if given and not (given.isascii() and given.isprintable()):
        raise Refused("A secret has plain letters, digits and signs only.", field="secret")
    secret = given or made()
    async with tenant_tx(actor.workspace_id) as tx:
        row = await found(tx, trigger_id)
        if row["kind"] != "webhook":
            raise Conflict("Only webhooks are signed.")
        if secret_name(row["rule"]):
            raise Conflict("Its step names a secret of the vault.", remedy="Change that one under Settings, Secrets.")
        await tx.execute("select from trigger where id = $1 for update", trigger_id)
        await tx.execute("delete from trigger_secret where trigger_id = $1 and until is not null", trigger_id)
        await tx.execute(
            """update trigger_secret set until = clock_timestamp() + make_interval(hours => $2)
               where trigger_id = $1 and until is null""",
            trigger_id,
            OVERLAP_HOURS,
        )
        secret_id: UUID = await tx.fetchval("select uuidv7()")
        sealed = await vault.seal(tx, _place(actor.workspace_id, secret_id), secret)
        await tx.execute(
            "insert into trigger_secret (id, workspace_id, trigger_id, sealed, hint) values ($1, $2, $3, $4, $5)",
            secret_id, actor.workspace_id, trigger_id, sealed, secret[-4:],
        )  # fmt: skip
        told = {"trigger": str(trigger_id), "flow": str(row["flow_id"]), "by": actor.name}
        await publish(tx, actor.workspace_id, "workspace", "trigger.secret_changed", told)
    _known.pop(trigger_id, None)
    return secret


def secret_name(rule: str | None) -> str:
    """The secret of the vault that a webhook's step names, "" = the one set on its trigger's page."""
    return str(msgspec.json.decode(rule).get("secret") or "") if rule else ""


def made() -> str:
    """192 random bits in the form that most services take."""
    return "whsec_" + base64.b64encode(random.token_bytes(24)).decode()


async def secrets_of(trigger_id: UUID, workspace_id: UUID) -> list[str]:
    """Those that count now, for checking calls."""
    known = _known.get(trigger_id)
    if known is not None and known[0] > clock.monotonic():
        return known[1]
    async with tenant_tx(workspace_id) as tx:
        opened = await _opened(tx, trigger_id, workspace_id)
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[trigger_id] = (clock.monotonic() + KEPT, opened)
    return opened


async def named_secret(workspace_id: UUID, name: str) -> list[str]:
    """The one that a step names in the vault, for checking calls. Raises Forged when there is none of this name."""
    known = _named.get((workspace_id, name.lower()))
    if known is not None and known[0] > clock.monotonic():
        return known[1]
    async with tenant_tx(workspace_id) as tx:
        try:
            opened = [str(await vault.read_secret(tx, workspace_id, name))]
        except DomainError as problem:
            raise Forged("no_secret", str(problem)) from None
    if len(_named) >= MOST_KNOWN:
        _named.clear()
    _named[workspace_id, name.lower()] = (clock.monotonic() + KEPT, opened)
    return opened


async def _opened(tx: Tx, trigger_id: UUID, workspace_id: UUID) -> list[str]:
    rows = await tx.fetch(
        """select id, sealed from trigger_secret where trigger_id = $1
           and (until is null or until > clock_timestamp()) order by until nulls first""",
        trigger_id,
    )
    return [str(await vault.unseal(tx, _place(workspace_id, row["id"]), row["sealed"])) for row in rows]


def _place(workspace_id: UUID, secret_id: UUID) -> Place:
    return Place(workspace_id, "trigger_secret", "sealed", str(secret_id))
