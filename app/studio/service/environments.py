"""Environments besides live: what they are called, what they use instead, and which version of a flow each one runs."""

import re
from uuid import UUID

from app import events
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service as runs
from app.studio.service import store
from app.studio.service.approving import may_go_live
from app.studio.service.versions import go_live, published
from app.studio.version_forms import EnvironmentForm, InsteadForm, StageForm
from app.web import Actor
from flows import catalogue
from flows.compile import variables_of
from flows.model import Flow

MOST = 8
"""Environments of a workspace besides live."""
MOST_VALUES = 200
GONE = "This environment does not exist."
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")


async def add_environment(actor: Actor, form: EnvironmentForm) -> UUID:
    """After the others. Raises Refused for a name that can't be, Conflict for one that is taken."""
    name = form.name.strip().lower()
    if not NAME.fullmatch(name) or name == "live":
        raise Refused(
            f"“{name}” can't be the name of an environment.", field="name",
            remedy="Use small letters, digits and hyphens, such as staging; live is there already.",
        )  # fmt: skip
    async with tenant_tx(actor.workspace_id) as tx:
        if await tx.fetchval("select count(*) from environment") >= MOST:
            raise Refused(f"A workspace has at most {MOST} environments besides live.", remedy="Remove one first.")
        made: UUID | None = await tx.fetchval(
            """insert into environment (workspace_id, name, position)
               values ($1, $2, (select coalesce(max(position), 0) + 1 from environment))
               on conflict (workspace_id, name) do nothing returning id""",
            actor.workspace_id,
            name,
        )
        if made is None:
            raise Conflict(f"There is an environment “{name}” already.", field="name")
        await _tell(tx, actor, "environment.added", name)
    return made


async def remove_environment(actor: Actor, environment_id: UUID) -> str:
    """With its values and addresses; nothing runs there any more. Runs there stay on record. Returns its name."""
    async with tenant_tx(actor.workspace_id) as tx:
        name: str | None = await tx.fetchval("delete from environment where id = $1 returning name", environment_id)
        if name is None:
            raise NotFound(GONE)
        await _tell(tx, actor, "environment.removed", name)
    return name


async def set_instead(actor: Actor, environment_id: UUID, form: InsteadForm) -> int:
    """Where flows say `given`, this environment says `instead`. Everything that runs there is bound anew at once.

    Returns how many flows that were. An empty `instead` of a connection, secret or model takes the entry away.
    """
    if not form.given:
        raise Refused("Say what stands in the flow.", field="given")
    async with tenant_tx(actor.workspace_id) as tx:
        name = await _locked(tx, environment_id)
        if not form.instead and form.kind != "text":
            await tx.execute(
                "delete from environment_value where environment_id = $1 and kind = $2 and given = $3",
                environment_id, form.kind, form.given,
            )  # fmt: skip
        else:
            count = await tx.fetchval(
                "select count(*) from environment_value where environment_id = $1", environment_id
            )
            if count >= MOST_VALUES:
                raise Refused(f"An environment has at most {MOST_VALUES} values.", remedy="Remove one first.")
            await tx.execute(
                """insert into environment_value (workspace_id, environment_id, kind, given, instead)
                   values ($1, $2, $3, $4, $5)
                   on conflict (environment_id, kind, given) do update set instead = excluded.instead""",
                actor.workspace_id, environment_id, form.kind, form.given, form.instead,
            )  # fmt: skip
        return await _bind_anew(tx, actor, environment_id, name)


async def remove_instead(actor: Actor, environment_id: UUID, value_id: UUID) -> int:
    """What the flow itself says counts again there. Returns how many flows were bound anew. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        name = await _locked(tx, environment_id)
        done = await tx.fetchval(
            "delete from environment_value where id = $1 and environment_id = $2 returning id", value_id, environment_id
        )
        if done is None:
            raise NotFound("This value does not exist.")
        return await _bind_anew(tx, actor, environment_id, name)


async def stage(actor: Actor, flow_id: UUID, form: StageForm) -> str:
    """Run a published version in an environment; runs that go on there stay with theirs. Returns its name.

    `environment_id` None = live: a promotion like any other way to live, approvals included.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        version = await published(tx, flow_id, form.version_id)
        row = await tx.fetchrow("select live_version_id, archived_at from flow where id = $1", flow_id)
        if row["archived_at"] is not None:
            raise Conflict("This flow is in the archive.", remedy="Bring it back first.")
        if form.environment_id is None:
            if row["live_version_id"] == version.id:
                raise Conflict(f"Version {version.number} is live already.", code="unchanged")
            await may_go_live(tx, actor, version)
            await go_live(tx, actor, flow_id, version.id)
            return "live"
        name = await _locked(tx, form.environment_id)
        await _has_variables(tx, actor, form.environment_id, name, version.document)
        await runs.put_on_stage(tx, actor.workspace_id, flow_id, form.environment_id, version, actor.user_id)
        await _tell(tx, actor, "flow.staged", name, flow=str(flow_id), version=str(version.id), number=version.number)
    return name


async def unstage(actor: Actor, flow_id: UUID, environment_id: UUID) -> str:
    """Nothing of this flow runs there any more: its addresses answer 404. Returns the environment's name."""
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        name = await _locked(tx, environment_id)
        if not await runs.clear_stage(tx, flow_id, environment_id):
            raise Conflict(f"Nothing of this flow runs in {name}.")
        await _tell(tx, actor, "flow.unstaged", name, flow=str(flow_id))
    return name


async def _has_variables(tx: Tx, actor: Actor, environment_id: UUID, name: str, flow: Flow) -> None:
    """Raises Refused for a version that reads a variable which this environment does not have."""
    wanted = {each for names in variables_of(flow, catalogue.load()).values() for each in names}
    found = await runs.variables_in_force(tx, actor.workspace_id, environment_id) if wanted else None
    if lacking := sorted(wanted - set(found.vars if found is not None else ())):
        listed = " and ".join(f"vars.{each}" for each in lacking[:5])
        raise Refused(
            f"This version reads {listed}, which {name} does not have.",
            remedy="Add it under Settings, Variables.",
            code="variable_missing",
        )


async def _bind_anew(tx: Tx, actor: Actor, environment_id: UUID, name: str) -> int:
    there = await runs.flows_on(tx, environment_id)
    for flow_id, version_id in there:
        version = await published(tx, flow_id, version_id)
        await runs.put_on_stage(tx, actor.workspace_id, flow_id, environment_id, version, actor.user_id)
    await _tell(tx, actor, "environment.changed", name)
    return len(there)


async def _locked(tx: Tx, environment_id: UUID) -> str:
    name: str | None = await tx.fetchval("select name from environment where id = $1 for update", environment_id)
    if name is None:
        raise NotFound(GONE)
    return name


async def _tell(tx: Tx, actor: Actor, kind: str, name: str, **more: object) -> None:
    told = {"environment": name, "by": actor.name, **more}
    await events.publish(tx, actor.workspace_id, "workspace", kind, told)
