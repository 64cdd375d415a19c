"""Named suites: some tests of a flow, run together, and asked before publishing where somebody wants that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from app.checks import queries
from app.checks.forms import NamedForm
from app.checks.removing import mark
from app.checks.service.telling import tell
from app.checks.shapes import MOST_SUITES
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service as runs
from app.studio import queries as studio
from app.web import Actor


async def make_suite(actor: Actor, flow_id: UUID, form: NamedForm) -> UUID:
    """A suite of these tests. Raises NotFound, Conflict for a name that is taken, Refused for more than 20."""
    runs.may_run(actor)
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        made = await _made(tx, actor, flow_id, _name(form.name))
        if made is None:
            raise Conflict("There is a suite of this name.", remedy="Give it another one.", field="name")
        await _fill(tx, actor, flow_id, made, form.cases)
        await tell(tx, actor, flow_id, "check.changed", None)
    return made


async def change_suite(actor: Actor, flow_id: UUID, suite_id: UUID, form: NamedForm) -> None:
    """Another name, other tests. Raises NotFound, and Conflict for a name that is taken."""
    runs.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("select 1 from flow where id = $1 for update", flow_id)
        if await tx.fetchval(
            "select 1 from check_suite where flow_id = $1 and name = $2 and id <> $3 and removed_at is null",
            flow_id, _name(form.name), suite_id,
        ):  # fmt: skip
            raise Conflict("There is a suite of this name.", remedy="Give it another one.", field="name")
        done = await tx.fetchval(
            "update check_suite set name = $3 where id = $1 and flow_id = $2 and removed_at is null returning 1",
            suite_id, flow_id, _name(form.name),
        )  # fmt: skip
        if done is None:
            raise NotFound(queries.NO_SUITE)
        await _fill(tx, actor, flow_id, suite_id, form.cases)
        await tell(tx, actor, flow_id, "check.changed", None)


async def remove_suite(actor: Actor, flow_id: UUID, suite_id: UUID) -> str:
    """Delete it; its tests stay, and `bring_suite_back` undoes it. Returns its name. Raises NotFound."""
    return await mark(actor, "check_suite", flow_id, suite_id, _changed(actor, flow_id), removed=True)


async def bring_suite_back(actor: Actor, flow_id: UUID, suite_id: UUID) -> str:
    """Raises NotFound, and Conflict when another suite took its name meanwhile."""
    return await mark(actor, "check_suite", flow_id, suite_id, _changed(actor, flow_id), removed=False)


async def sort_in(actor: Actor, flow_id: UUID, named: Mapping[UUID, Sequence[str]]) -> None:
    """Put tests into exactly these suites, by name; suites that are not there yet are made. Raises Refused."""
    async with tenant_tx(actor.workspace_id) as tx:
        there = {
            row["name"]: row["id"]
            for row in await tx.fetch(
                "select id, name from check_suite where flow_id = $1 and removed_at is null", flow_id
            )
        }
        for name in sorted({_name(name) for names in named.values() for name in names} - there.keys()):
            if (made := await _made(tx, actor, flow_id, name)) is not None:
                there[name] = made
        await tx.execute("delete from check_suite_case where case_id = any($1::uuid[])", list(named))
        for case_id, names in named.items():
            for name in {_name(name) for name in names}:
                await _put_in(tx, actor, flow_id, there[name], [case_id])


async def _made(tx: Tx, actor: Actor, flow_id: UUID, name: str) -> UUID | None:
    """None when the name is taken."""
    await tx.execute("select 1 from flow where id = $1 for update", flow_id)  # so that two at once are counted
    there = await tx.fetchval("select count(*) from check_suite where flow_id = $1 and removed_at is null", flow_id)
    if there >= MOST_SUITES:
        raise Refused(f"A flow has at most {MOST_SUITES} suites.", remedy="Delete one.")
    made: UUID | None = await tx.fetchval(
        """insert into check_suite (workspace_id, flow_id, name) values ($1, $2, $3)
           on conflict (flow_id, name) where removed_at is null do nothing returning id""",
        actor.workspace_id, flow_id, name,
    )  # fmt: skip
    return made


async def _fill(tx: Tx, actor: Actor, flow_id: UUID, suite_id: UUID, cases: Sequence[UUID]) -> None:
    await tx.execute("delete from check_suite_case where suite_id = $1", suite_id)
    await _put_in(tx, actor, flow_id, suite_id, cases)


async def _put_in(tx: Tx, actor: Actor, flow_id: UUID, suite_id: UUID, cases: Sequence[UUID]) -> None:
    """Tests of other flows are not there. Raises NotFound for them."""
    wanted = list(dict.fromkeys(cases))
    found = await tx.fetch(
        """insert into check_suite_case (workspace_id, suite_id, case_id)
           select $1, $2, c.id from check_case c
            where c.id = any($3::uuid[]) and c.flow_id = $4 and c.removed_at is null
           returning case_id""",
        actor.workspace_id, suite_id, wanted, flow_id,
    )  # fmt: skip
    if len(found) < len(wanted):
        raise NotFound(queries.GONE)


def _changed(actor: Actor, flow_id: UUID) -> Callable[[Tx], Awaitable[None]]:
    return lambda tx: tell(tx, actor, flow_id, "check.changed", None)


def _name(name: str) -> str:
    found = " ".join(name.replace("\0", "").split())
    if not found:
        raise Refused("A suite needs a name.", field="name")
    return found
