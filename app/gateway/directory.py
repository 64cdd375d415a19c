"""What a workspace can call: its connections with their keys opened, its default model and its fallbacks.

Kept in memory per process. The revision in it is compared by every reservation, so a process never calls with a
connection or key that was changed or removed before the call: it reads anew and tries again.
"""

import asyncio
from collections import OrderedDict
from typing import Protocol
from uuid import UUID

import msgspec
from msgspec import Struct, field

from app import clock, config
from app.config import Secret
from app.db import tenant_tx
from app.gateway import faults, keys
from app.gateway.calls import Target
from app.gateway.faults import Fault
from app.gateway.models import BUNDLED, ModelInfo, completed
from app.gateway.providers import LOCAL, LOCAL_EMBEDDING, LOCAL_MODEL, PROVIDERS, Provider, family_of

MOST_KEPT = 2_000
"""Workspaces whose directory one process keeps; the one unused for longest goes first."""
FRESH = 1.0
"""Seconds."""


class Reached(Struct, frozen=True):
    """One connection, ready to be called. The key is only here and in the request itself."""

    id: UUID | None
    slug: str
    name: str
    provider: str
    base_url: str = ""
    key: Secret = Secret("")
    options: dict[str, str] = field(default_factory=dict)
    models: dict[str, ModelInfo] = field(default_factory=dict)
    key_lost: bool = False

    @property
    def kind(self) -> Provider:
        return PROVIDERS.get(self.provider) or PROVIDERS["compatible"]

    def target(self, model: str) -> Target:
        kind = self.kind
        info = completed(self.models.get(model) or ModelInfo(model), kind, self.options)
        return Target(
            self.slug,
            self.name,
            self.provider,
            kind.lane,
            model,
            base_url=self.base_url or kind.base_url,
            key=self.key,
            family=family_of(kind, self.options),
            options=self.options,
            connection_id=self.id,
            price=info.price,
            context=info.context,
            max_output=info.max_output,
            tools=info.tools,
            embeds=info.embeds,
            local=self.provider == LOCAL,
        )


class Directory(Struct, frozen=True):
    """`rev` is the revision of the workspace's settings this was read at."""

    rev: int
    connections: dict[str, Reached]
    default_model: str = ""
    embedding_model: str = ""
    fallbacks: tuple[str, ...] = ()

    def default(self) -> str:
        """The workspace's model: the chosen one, else the bundled one, else the first a connection offers."""
        if self.default_model:
            return self.default_model
        if LOCAL in self.connections and self.connections[LOCAL].base_url:
            return f"{LOCAL}/{LOCAL_MODEL}"
        for reached in self.connections.values():
            for info in reached.models.values():
                if not info.embeds and reached.provider != LOCAL:
                    return f"{reached.slug}/{info.id}"
        raise faults.no_model()

    def default_embedding(self) -> str:
        return self.embedding_model or f"{LOCAL}/{LOCAL_EMBEDDING}"

    def target(self, model_id: str) -> Target:
        """Raises Fault when the connection is not there (any more)."""
        slug, _, model = model_id.partition("/")
        reached = self.connections.get(slug) if model else None
        if reached is None and model_id == f"{LOCAL}/{LOCAL_EMBEDDING}":
            return Reached(None, LOCAL, PROVIDERS[LOCAL].title, LOCAL).target(LOCAL_EMBEDDING)
        if reached is None and not model:
            reached = next((each for each in self.connections.values() if model_id in each.models), None)
            model = model_id
        if reached is None:
            raise Fault(
                "no_connection",
                f"There is no connection '{slug}' for model '{model_id}'. Choose another model in this step, "
                "or connect it under Connections.",
                field="model",
            )
        if reached.provider == LOCAL and model == LOCAL_MODEL and not reached.base_url:
            raise Fault(
                "no_connection",
                "The small demo model does not run on this machine. Choose another model in this step, "
                "or start Agentbase with AGENTBASE_LOCAL_MODEL=on.",
                field="model",
            )
        if reached.key_lost:
            raise Fault(
                "key",
                f"The stored key of connection '{reached.name}' can't be opened any more: "
                "the instance's secret changed. Enter the key again under Connections.",
            )
        return reached.target(model)

    def route(self, asked: str) -> list[Target]:
        """Whom to ask, in order: the model asked for (its absence is a Fault), then the fallbacks that exist."""
        route = [self.target(asked or self.default())]
        for model_id in self.fallbacks:
            try:
                target = self.target(model_id)
            except Fault:
                continue
            if target.id not in {known.id for known in route}:
                route.append(target)
        return route


class Directories(Protocol):
    async def get(self, workspace_id: UUID) -> Directory:
        """May be older than the database knows: whoever calls by it reserves by its revision."""
        ...

    async def current(self, workspace_id: UUID) -> Directory:
        """At most a second old: for decisions that no reservation checks."""
        ...

    def forget(self, workspace_id: UUID) -> None: ...


class PostgresDirectories:
    """Read once per workspace and process, then kept until the revision has moved."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, Directory] = OrderedDict()
        self._checked: dict[UUID, float] = {}
        self._reading: dict[UUID, asyncio.Task[Directory]] = {}

    async def get(self, workspace_id: UUID) -> Directory:
        kept = self._kept.get(workspace_id)
        if kept is not None:
            self._kept.move_to_end(workspace_id)
            return kept
        reading = self._reading.get(workspace_id)
        if reading is None:  # fifty calls that start together read once
            reading = asyncio.create_task(read(workspace_id))
            self._reading[workspace_id] = reading
            reading.add_done_callback(lambda _: self._reading.pop(workspace_id, None))
        directory = await asyncio.shield(reading)
        self._kept[workspace_id] = directory
        self._checked[workspace_id] = clock.monotonic()
        if len(self._kept) > MOST_KEPT:
            self.forget(next(iter(self._kept)))
        return directory

    async def current(self, workspace_id: UUID) -> Directory:
        directory = await self.get(workspace_id)
        if clock.monotonic() - self._checked.get(workspace_id, 0.0) < FRESH:
            return directory
        async with tenant_tx(workspace_id) as tx:
            rev = await tx.fetchval("select rev from gateway_setting")
        if rev != directory.rev:
            self.forget(workspace_id)
            directory = await self.get(workspace_id)
        self._checked[workspace_id] = clock.monotonic()
        return directory

    def forget(self, workspace_id: UUID) -> None:
        self._kept.pop(workspace_id, None)
        self._checked.pop(workspace_id, None)


class FixedDirectories:
    """One directory for everybody: `agentbase run` on a file, and tests of the pipeline."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    async def get(self, workspace_id: UUID) -> Directory:
        return self.directory

    async def current(self, workspace_id: UUID) -> Directory:
        return self.directory

    def forget(self, workspace_id: UUID) -> None:
        return None


def bundled() -> Reached:
    """The model server of this machine, without a workspace around it."""
    return Reached(
        None,
        LOCAL,
        PROVIDERS[LOCAL].title,
        LOCAL,
        base_url=config.settings().local_model_url,
        models={info.id: info for info in BUNDLED},
    )


_SETTING = "select rev, default_model, embedding_model, fallbacks, local_offered from gateway_setting"
_CONNECTIONS = """
select id, slug, name, provider, base_url, options, key_sealed, models from connection
where removed_at is null order by created_at
"""


async def read(workspace_id: UUID) -> Directory:
    """From the database. The first reading of a workspace makes its settings and connects the bundled model."""
    async with tenant_tx(workspace_id) as tx:
        setting = await tx.fetchrow(_SETTING)
        if setting is None or (not setting["local_offered"] and config.settings().local_model_url):
            await offer_local(workspace_id)
            setting = await tx.fetchrow(_SETTING)
        rows = await tx.fetch(_CONNECTIONS)
        opened = [await keys.open_key(tx, workspace_id, row["id"], row["key_sealed"]) for row in rows]
    connections = {}
    for row, key in zip(rows, opened, strict=True):
        models = {info.id: info for info in msgspec.json.decode(row["models"], type=list[ModelInfo])}
        base_url = row["base_url"]
        if row["provider"] == LOCAL:
            models, base_url = {info.id: info for info in BUNDLED}, config.settings().local_model_url
        connections[row["slug"]] = Reached(
            row["id"],
            row["slug"],
            row["name"],
            row["provider"],
            base_url,
            key or Secret(""),
            msgspec.json.decode(row["options"], type=dict[str, str]),
            models,
            key_lost=key is None,
        )
    return Directory(
        setting["rev"],
        connections,
        setting["default_model"],
        setting["embedding_model"],
        tuple(msgspec.json.decode(setting["fallbacks"], type=list[str])),
    )


async def offer_local(workspace_id: UUID) -> None:
    """Settings for a workspace that has none; the bundled model as its first connection, once, if it runs here.

    Inside the caller's transaction. Two processes that do it at the same moment make one connection.
    """
    async with tenant_tx(workspace_id) as tx:
        await tx.execute("insert into gateway_setting (workspace_id) values ($1) on conflict do nothing", workspace_id)
        if not config.settings().local_model_url:
            return
        offered = await tx.fetchval(
            "update gateway_setting set local_offered = true, rev = rev + 1 where not local_offered returning true"
        )
        if offered:
            await tx.execute(
                "insert into connection (workspace_id, slug, provider, name) values ($1, $2, $2, $3) "
                "on conflict do nothing",
                workspace_id,
                LOCAL,
                PROVIDERS[LOCAL].title,
            )
