"""What people do with variables: name a value, change it, take it away, bring it back. Never a secret."""

import re
from typing import Any
from uuid import UUID

import msgspec

from app import events, logs
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service as runs
from app.studio.version_forms import VariableForm
from app.web import Actor

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MOST = 200
"""Variables of one environment."""
MOST_BYTES = 8_000
"""Of one value, as JSON."""
MOST_TOGETHER = 64_000
GONE = "This environment does not exist."
BEFORE = """
select vars -> $3 as value from variable_set
 where workspace_id = $1 and (environment_id = $2 or ($2::uuid is null and environment_id is null)) and vars ? $3
 order by id desc limit 1
"""


async def put_variable(actor: Actor, form: VariableForm) -> str:
    """From the next run on it has this value in this environment. Returns the environment's name.

    Raises Refused for a name or value that can't be, and for what looks like a key: those belong into the vault.
    """
    name, value = form.name.strip(), _value(form)
    if not NAME.fullmatch(name):
        raise Refused(
            f"“{name}” can't be the name of a variable.", field="name",
            remedy="Letters, digits and _, not a digit first: steps read it as vars.name.",
        )  # fmt: skip
    if logs.hides(name, value) or logs.clean(value) != value:
        raise Refused(
            "This looks like a key or a password. Variables are shown to everybody here and kept with runs.",
            field="value",
            remedy="Keep it under Settings, Secrets.",
        )
    async with tenant_tx(actor.workspace_id) as tx:
        where = await _there(tx, form.environment_id)
        known = await _known(tx, actor, form.environment_id)
        if name not in known and len(known) >= MOST:
            raise Refused(f"An environment has at most {MOST} variables.", remedy="Remove one first.")
        await _keep(tx, actor, form.environment_id, {**known, name: value})
        await _tell(tx, actor, "variable.saved", name, where)
    runs.variables_changed()
    return where


async def remove_variable(actor: Actor, name: str, environment_id: UUID | None) -> str:
    """Runs that go on keep it; those that begin from now on don't have it there. Returns the environment's name."""
    async with tenant_tx(actor.workspace_id) as tx:
        where = await _there(tx, environment_id)
        known = await _known(tx, actor, environment_id)
        if name not in known:
            raise NotFound(f"There is no variable “{name}” in {where}.")
        await _keep(tx, actor, environment_id, {each: value for each, value in known.items() if each != name})
        await _tell(tx, actor, "variable.removed", name, where)
    runs.variables_changed()
    return where


async def return_variable(actor: Actor, name: str, environment_id: UUID | None) -> str:
    """With the value it had last. Raises NotFound, and Conflict when it is there again already."""
    async with tenant_tx(actor.workspace_id) as tx:
        where = await _there(tx, environment_id)
        known = await _known(tx, actor, environment_id)
        if name in known:
            raise Conflict(f"There is a variable “{name}” in {where} again.")
        before = await tx.fetchval(BEFORE, actor.workspace_id, environment_id, name)
        if before is None:
            raise NotFound(f"There was no variable “{name}” in {where}.")
        await _keep(tx, actor, environment_id, {**known, name: msgspec.json.decode(before)})
        await _tell(tx, actor, "variable.saved", name, where)
    runs.variables_changed()
    return where


def _value(form: VariableForm) -> Any:
    if form.kind == "text":
        return form.value
    try:
        return msgspec.json.decode(form.value)
    except msgspec.DecodeError as problem:
        raise Refused(
            f"This is no JSON: {problem}.", field="value", remedy='Such as 5, true, ["a", "b"]; or choose Text.'
        ) from None


async def _there(tx: Tx, environment_id: UUID | None) -> str:
    """Nobody removes the environment meanwhile."""
    if environment_id is None:
        return "live"
    name: str | None = await tx.fetchval("select name from environment where id = $1 for share", environment_id)
    if name is None:
        raise NotFound(GONE)
    return name


async def _known(tx: Tx, actor: Actor, environment_id: UUID | None) -> dict[str, Any]:
    await runs.lock_variables(tx, actor.workspace_id)
    found = await runs.variables_in_force(tx, actor.workspace_id, environment_id)
    return dict(found.vars) if found is not None else {}


async def _keep(tx: Tx, actor: Actor, environment_id: UUID | None, vars: dict[str, Any]) -> None:
    sizes = {name: len(msgspec.json.encode(value)) for name, value in vars.items()}
    if sizes and max(sizes.values()) > MOST_BYTES:
        raise Refused(f"A variable has at most {MOST_BYTES:,} bytes.", field="value", remedy="Put it into a file.")
    if sum(sizes.values()) > MOST_TOGETHER:
        raise Refused(f"The variables of an environment have at most {MOST_TOGETHER:,} bytes together.", field="value")
    await runs.put_variables(tx, actor.workspace_id, environment_id, vars, actor.user_id)


async def _tell(tx: Tx, actor: Actor, kind: str, name: str, where: str) -> None:
    """Without the value: the log is read by more people than the page."""
    told = {"name": name, "environment": where, "by": actor.name}
    await events.publish(tx, actor.workspace_id, "workspace", kind, told)
