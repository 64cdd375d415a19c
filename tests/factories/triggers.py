"""Published flows with triggers, and the clock of their plans moved to where a test wants it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from app.db import system_tx
from app.runs import service as runs
from app.triggers.plans import plan_new
from flows.model import Edge, Flow, NodeUse
from tests.factories.runs import a_version


class Made(Struct, frozen=True):
    id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID


def a_started_flow(start: str, settings: dict[str, Any] | None = None, *, port: str, then: str = "show.answer") -> Flow:
    """One start step, one step that takes what it gives."""
    return Flow(
        [NodeUse("start", start, settings=settings or {}), NodeUse("answer", then)],
        [Edge(f"start.{port}", "answer.data" if then == "show.answer" else "answer.value")],
        name=f"By {start}",
    )


PORTS = {
    "start.schedule": "planned_at", "start.webhook": "body", "start.event": "event", "start.after": "run",
    "start.email": "text", "start.drop": "name",
}  # fmt: skip


async def a_trigger(
    start: str, *, workspace_id: UUID | None = None, then: str = "show.answer", **settings: Any
) -> Made:
    """A live flow of one start step, and its trigger, planned."""
    flow = a_started_flow(start, settings, port=PORTS[start], then=then)
    workspace, flow_id, version = await a_version(flow, workspace_id)
    return Made(await the_trigger(flow_id), workspace, flow_id, version)


async def the_trigger(flow_id: UUID) -> UUID:
    while await plan_new():
        pass
    async with system_tx("factory") as tx:
        found = await tx.fetchval("select id from trigger where flow_id = $1 and enabled", flow_id)
    return UUID(str(found))


def far_off() -> dict[str, str]:
    """A schedule of once a day whose next time, and the one before, are half a day away: what is due in a test is what
    it plans by `planned_ago`, in whichever minute it runs.
    """
    return {"every": "day", "time": f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}"}


async def planned_ago(trigger_id: UUID, ago: timedelta) -> datetime:
    """As if the next time lay so far back. Returns that moment."""
    async with system_tx("factory") as tx:
        moment: datetime = await tx.fetchval(
            """update trigger_plan set next_at = clock_timestamp() - $2::interval where trigger_id = $1
               returning next_at""",
            trigger_id,
            ago,
        )
    return moment


async def planned_at(trigger_id: UUID, moment: datetime) -> None:
    """As if this were the next time."""
    async with system_tx("factory") as tx:
        await tx.execute("update trigger_plan set next_at = $2 where trigger_id = $1", trigger_id, moment)


async def firings(trigger_id: UUID) -> list[Any]:
    async with system_tx("factory") as tx:
        return list(await tx.fetch("select * from trigger_firing where trigger_id = $1 order by id", trigger_id))


async def token_of(made: Made, kind: str) -> str:
    """What its address ends in."""
    async with system_tx("factory") as tx:
        turn = await tx.fetchval("select token_round from trigger where id = $1", made.id)
    return runs.address_token(made.id, turn, kind)
