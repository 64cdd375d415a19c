"""The engine in this process: plans by version, the lane a run takes, group commit, wake-ups. Web, public and worker.

`start` belongs to the lifespan of each composition root, `stop` before the database pools close.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import config, db
from app.errors import Conflict, NotFound
from app.gateway import service as gateway
from app.logs import logger
from app.runs.call_addresses import calls_for
from app.runs.files import files_for
from app.runs.http_step import http_for
from app.runs.limits import Limited
from app.runs.rollouts import Rollouts
from app.runs.sandbox import sandbox_for
from app.runs.variables import Variables, VariableSet, reads
from flows import catalogue
from flows.compile import PlanCache
from flows.document import load_flow
from flows.host import sandbox
from flows.ledger import postgres_values
from flows.ledger.commit import GroupCommit
from flows.limits import Limits
from flows.plan import Plan
from flows.problems import Problems
from flows.sdk.capabilities import CapabilityName
from flows.sdk.context import Context, RunFacts
from flows.stored import Values
from flows.transport.poll import Poll
from flows.transport.protocol import Lane, Transport

log = logger(__name__)

CAPABILITIES: dict[CapabilityName, Callable[[Context], Any]] = {
    "llm": gateway.llm_for,
    "files": files_for,
    "http": http_for,
    "sandbox": sandbox_for,
    "calls": calls_for,
}
"""What a step gets when it names it in `needs`."""

LIMITS = Limits()
VERSION = """
select v.workspace_id, v.flow_id, v.environment_id, v.document, q.value_bytes
  from flow_version v left join run_quota q using (workspace_id) where v.id = $1
"""


class Ready(Struct, frozen=True):
    """A version that can run, and whose it is. `names`: workspace, flow and version as text, ready for RunFacts.
    `limits`: of its runs in this process, as they were when the version was loaded. `environment_id`: where it runs,
    None = live, or a draft."""

    plan: Plan
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    models: tuple[str, ...] = ()
    names: tuple[str, str, str] = ("", "", "")
    limits: Limits = LIMITS
    environment_id: UUID | None = None

    @property
    def place(self) -> tuple[UUID, UUID, UUID | None]:
        """Workspace, flow, environment."""
        return self.workspace_id, self.flow_id, self.environment_id

    async def variables(self) -> VariableSet | None:
        """Those of its environment, where its runs read any. Memory, once a second the database."""
        return await host().variables.of(self.workspace_id, self.environment_id) if reads(self.plan) else None

    async def runs_here(self) -> bool:
        """Whether it may run in this process at once: nothing waits, all may be repeated, all models can be called, and
        the flow has no limits (app/runs/limits.py): those are kept where runs are claimed.

        That holds for the flows it calls, too.
        """
        if not self.plan.quick or await host().limited.has(self.flow_id):
            return False
        models = self.models
        if self.plan.calls:
            inner = await host().called(self)
            if inner is None:
                return False
            models = tuple(dict.fromkeys([*models, *(model for ready in inner for model in ready.models)]))
        return not models or await gateway.workspace_runs_here(self.workspace_id, models)


class Host:
    def __init__(self, pool: db.Pool, transport: Transport) -> None:
        self.pool = pool
        self.transport = transport
        self.commits = GroupCommit(pool, gateway.BESIDE)
        self.plans = PlanCache(catalogue.load())
        self.limited = Limited(pool)
        self.rollouts = Rollouts(pool)
        self.variables = Variables(pool)
        self._owners: dict[UUID, tuple[UUID, UUID, Limits, UUID | None]] = {}
        self._ready: dict[UUID, Ready] = {}
        self._called: dict[UUID, tuple[Ready, ...] | None] = {}

    async def ready(self, version_id: UUID) -> Ready:
        """The plan of a version; versions never change, so it is read once. Whose it is, the caller compares.

        Raises NotFound, and Conflict for a version that can't run here (a node type is missing).
        """
        plan, owner = self.plans.get(str(version_id)), self._owners.get(version_id)
        if plan is None or owner is None:
            row = await self.pool.fetchrow(VERSION, version_id)
            if row is None:
                raise NotFound("This version of the flow does not exist.")
            most = row["value_bytes"]
            limits = LIMITS if most is None else msgspec.structs.replace(LIMITS, value_bytes=most)
            owner = (row["workspace_id"], row["flow_id"], limits, row["environment_id"])
            if len(self._owners) > 4 * self.plans.size:
                self._owners.clear()
                self._ready.clear()
            self._owners[version_id] = owner
            plan = self.plans.compile(load_flow(row["document"]), str(version_id))
        if isinstance(plan, Problems):
            raise Conflict(f"This version can't run: {plan}", remedy="Repair the flow, then publish it again.")
        ready = self._ready.get(version_id)
        if ready is None or ready.plan is not plan:
            ready = self._ready[version_id] = Ready(
                plan,
                owner[0],
                owner[1],
                version_id,
                models_of(plan),
                (str(owner[0]), str(owner[1]), str(version_id)),
                owner[2],
                owner[3],
            )
        return ready

    async def called(self, ready: Ready) -> tuple[Ready, ...] | None:
        """All flows that this one calls, at any depth; None when one of them needs the durable lane or can't run."""
        if ready.version_id in self._called:
            return self._called[ready.version_id]
        found: dict[UUID, Ready] = {ready.version_id: ready}
        todo = [ready]
        fits: tuple[Ready, ...] | None = ()
        while todo and fits is not None:
            for version in todo.pop().plan.calls:
                try:
                    inner = await self.ready(UUID(version))
                except (ValueError, NotFound, Conflict):
                    fits = None
                    break
                if not inner.plan.quick or inner.workspace_id != ready.workspace_id:
                    fits = None
                    break
                if inner.version_id not in found:
                    found[inner.version_id] = inner
                    todo.append(inner)
        if fits is not None:
            fits = tuple(found.values())
        if len(self._called) > 4 * self.plans.size:
            self._called.clear()
        self._called[ready.version_id] = fits
        return fits

    async def plan_of(self, facts: RunFacts, version_id: str) -> Plan:
        """For the node that runs another flow: only flows of the run's own workspace exist for it."""
        try:
            ready = await self.ready(UUID(version_id))
        except ValueError:
            raise NotFound("This version of the flow does not exist.") from None
        if str(ready.workspace_id) != facts.workspace_id:
            raise NotFound("This version of the flow does not exist.")
        return ready.plan

    async def keep(self, workspace_id: UUID, run_id: UUID, values: Values) -> None:
        """Large values of an express run, before its record."""
        async with self.pool.acquire() as connection:
            await postgres_values.keep(connection, run_id, values, workspace_id)

    async def nudge(self, lane: Lane) -> None:
        """After the commit. A nudge that is lost costs two seconds."""
        await self.transport.nudge(lane)


def models_of(plan: Plan) -> tuple[str, ...]:
    """Models that the steps of a plan name; "" for those that use the workspace's default."""
    steps = [step for step in plan.all_steps() if step.kind is not None and "llm" in step.needs]
    return tuple(dict.fromkeys(str(getattr(step.settings, "model", "") or "") for step in steps))


_host: list[Host] = []


def host() -> Host:
    if not _host:
        raise RuntimeError("The engine is not running in this process: await app.runs.running.start() first.")
    return _host[-1]


def transport() -> Transport:
    """What nudges workers of other processes. Without Redis they look every two seconds."""
    url = config.settings().redis_url
    if not url:
        return Poll()
    from flows.transport.arq import Arq

    return Arq(url)


async def start(kind: db.Kind = "web") -> Host:
    """Open what the engine needs; a second call in the same process gives the running one."""
    if not _host:
        pool = await db.open_pool("system", kind, least=0, most=4)
        _host.append(Host(pool, transport()))
    return _host[-1]


async def stop() -> None:
    """Wait for records under way, then close."""
    if not _host:
        return
    running = _host.pop()
    await sandbox.stop()
    await running.commits.close()
    await running.transport.close()
    running.pool.terminate()


__all__ = ["CAPABILITIES", "Host", "Ready", "host", "start", "stop", "transport"]
