"""What comes in from outside with the proof in its address: mail and dropped files. One transaction each; the caller
hears "taken" after the commit only.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct

from app.db import system_tx, tenant_tx
from app.errors import NotFound, Refused
from app.runs import service as runs
from app.triggers.firing import Fired, Trigger, fire, note
from app.triggers.mail import Mail, Unreadable, read_mail
from app.triggers.plans import stored_settings

MOST_MAIL = 5_000_000
"""Bytes of a mail with everything in it; what is handed to the flow is less (app/triggers/mail.py)."""
MOST_FILE = 600_000
"""Bytes of a dropped file: it becomes part of the run's input, which has a limit of its own."""
NAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]{1,200}")
NOWHERE = "There is nothing at this address."

FOUND = """
select t.id, t.workspace_id, t.flow_id, t.node_id, t.kind, l.version_id as live, p.rule,
       (select count(*) from trigger o where o.flow_id = t.flow_id and o.kind = t.kind and o.enabled
           and o.environment_id is not distinct from t.environment_id) as alike
  from trigger t join flow_running l on l.flow_id = t.flow_id
       and l.environment_id is not distinct from t.environment_id
  left join trigger_plan p on p.trigger_id = t.id
 where t.token_hash = $1 and t.kind = $2 and t.enabled and not t.paused
"""


class Address(Struct, frozen=True):
    trigger: Trigger
    settings: Any


async def at(token: str, kind: str) -> Address:
    """The trigger behind an address. Raises NotFound for one that is unknown, switched off or not published."""
    row = None
    if token.isascii() and 20 <= len(token) <= 60:
        async with system_tx("an address of a trigger") as tx:
            row = await tx.fetchrow(FOUND, hashlib.sha256(token.encode()).digest(), kind)
    if row is None:
        raise NotFound(NOWHERE)
    trigger = Trigger(
        row["id"], row["workspace_id"], row["flow_id"], row["node_id"], kind, row["live"], row["alike"]
    )  # fmt: skip
    return Address(trigger, stored_settings(kind, row["rule"] or "{}"))


async def take_mail(token: str, raw: bytes) -> Fired | None:
    """A mail as it came over the wire. None: the same mail was here before.

    Raises NotFound, Refused(413) for one that is too large, Refused for one that can't be read.
    """
    if len(raw) > MOST_MAIL:
        raise Refused(f"A mail may have {MOST_MAIL:,} bytes.", status=413, code="too_large")
    here = await at(token.lower(), "email")
    try:
        mail = read_mail(raw)
    except Unreadable as problem:
        raise Refused(str(problem)) from None
    senders = [each.strip().lower() for each in getattr(here.settings, "senders", [])]
    if mail.automatic or (senders and not _from_one_of(mail, senders)):
        why = "It is an automatic reply." if mail.automatic else f"Mail from {mail.address or 'nobody'} is not wanted."
        return await _noted(here.trigger, f"mail {mail.key}", "skipped", why)
    return await _fired(here.trigger, f"mail {mail.key}", mail.input)


async def take_mails(tokens: Sequence[str], raw: bytes) -> int:
    """One mail for several addresses, each of which takes it once however often the mail comes. How many there were.

    Taken one after the other, as they may belong to different workspaces. What breaks half-way is raised; the sender
    comes again, and those who had the mail know it by its key. Who is switched off by now is left out.
    Raises NotFound when all are, else as take_mail.
    """
    there = 0
    for token in dict.fromkeys(token.lower() for token in tokens):
        try:
            await take_mail(token, raw)
            there += 1
        except NotFound:
            continue
    if not there:
        raise NotFound(NOWHERE)
    return there


async def take_file(token: str, name: str, content: bytes, *, key: str = "", type: str = "") -> Fired | None:
    """A file. `key`: the same one again is the same file (None), "" = every one is new.

    Raises NotFound, Refused(413) for one that is too large, Refused for a name that is none.
    """
    here = await at(token, "drop")
    most = min(getattr(here.settings, "most_kb", 600) * 1000, MOST_FILE)
    if len(content) > most:
        await _noted(
            here.trigger, f"file {uuid4()}", "refused", f"{name[:80]} has {len(content):,} bytes; {most:,} at most."
        )
        raise Refused(f"A file may have {most:,} bytes here.", status=413, code="too_large")
    if not NAME.fullmatch(name) or name.startswith(".") or name.strip() != name:
        raise Refused("This is no name of a file.", field="name")
    return await _fired(here.trigger, f"file {key or uuid4()}", file_input(name, content, type))


def file_input(name: str, content: bytes, type: str = "") -> dict[str, Any]:
    """A file as a flow gets it: text as text, all else in base64."""
    try:
        text, encoded = content.decode(), ""
    except UnicodeDecodeError:
        text, encoded = "", base64.b64encode(content).decode()
    if "\0" in text:
        text, encoded = "", base64.b64encode(content).decode()
    kind = (
        type
        if re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", type)
        else "application/octet-stream"
        if encoded
        else "text/plain"
    )
    return {"name": name, "type": kind, "size": len(content), "text": text, "base64": encoded}


def _from_one_of(mail: Mail, senders: list[str]) -> bool:
    return any(mail.address == each or (each.startswith("@") and mail.address.endswith(each)) for each in senders)


async def _fired(trigger: Trigger, key: str, given: dict[str, Any]) -> Fired | None:
    async with tenant_tx(trigger.workspace_id) as tx:
        done = await fire(tx, trigger, key, given)
    if done is not None:
        await runs.nudge("normal")
    return done


async def _noted(trigger: Trigger, key: str, result: str, reason: str) -> Fired:
    async with tenant_tx(trigger.workspace_id) as tx:
        await note(tx, trigger, key, result, reason)
    return Fired(UUID(int=0), result, reason)
