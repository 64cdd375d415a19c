"""What pages and other domains show of models, connections and money. Every query starts from the actor."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import config
from app.db import tenant_tx
from app.gateway.directory import Directory, Reached, offer_local
from app.gateway.faults import Fault
from app.gateway.models import BUNDLED, ModelInfo, completed
from app.gateway.prices import Price
from app.gateway.providers import LOCAL, LOCAL_EMBEDDING, LOCAL_MODEL, PROVIDERS, Provider
from app.gateway.service.trial import Check, Trial
from app.web.actor import Actor
from app.web.search import Hit, like

USUAL_QUESTION, USUAL_ANSWER = 600, 250
"""Tokens. What "about 0.2 ct an answer" is reckoned with."""
TITLES = {LOCAL_MODEL: "SmolLM2 135M", LOCAL_EMBEDDING: "MiniLM L6"}
NOTES = {
    LOCAL_MODEL: "small demo model, runs on this machine",
    LOCAL_EMBEDDING: "small embedding model, runs on this machine",
}


class ModelView(Struct, frozen=True):
    """One model to choose. `id` is what a step stores. `answer_micros`: a usual answer, None = price unknown.

    `context` in tokens, 0 = unknown. `connection` is the name of its connection, `slug` the id's first part.
    """

    id: str
    title: str
    price: Price | None
    context: int
    connection: str
    free: bool
    slug: str = ""
    note: str = ""
    embeds: bool = False
    tools: bool | None = None

    @property
    def answer_micros(self) -> int | None:
        return None if self.price is None else self.price.cost_micros(USUAL_QUESTION, USUAL_ANSWER)


class ConnectionView(Struct, frozen=True):
    """One row of the connections page. `note`: "Key ends in 9f2c", an address, or what runs here."""

    id: UUID
    slug: str
    provider: str
    name: str
    note: str
    initial: str
    status: str
    tested_at: datetime | None
    trial: Trial
    models: int
    cheapest_micros: int | None
    free: bool
    base_url: str
    key_hint: str
    has_key: bool
    options: dict[str, str]
    runs: bool
    """For the bundled model: whether its server is there."""

    @property
    def bundled(self) -> bool:
        return self.provider == LOCAL

    @property
    def kind(self) -> Provider:
        return PROVIDERS.get(self.provider) or PROVIDERS["compatible"]


class BudgetView(Struct, frozen=True):
    """A limit with what was used of it in the present period; for each-of-their-own limits the largest counter."""

    id: UUID
    scope: str
    period: str
    subject: str
    limit_micros: int
    spent_micros: int
    held_micros: int


class Overview(Struct, frozen=True):
    """The whole connections page. `effective`: the model that answers when a step names none, None if nothing can."""

    connections: list[ConnectionView]
    models: list[ModelView]
    default_model: str
    embedding_model: str
    fallbacks: list[ModelView]
    effective: ModelView | None
    budgets: list[BudgetView]
    month_micros: int

    def connection(self, connection_id: UUID) -> ConnectionView | None:
        return next((each for each in self.connections if each.id == connection_id), None)

    @property
    def asked(self) -> list[str]:
        """Ids of the models that already stand in line."""
        return [each.id for each in ([self.effective] if self.effective else []) + self.fallbacks]

    @property
    def bundled_runs(self) -> bool:
        return any(each.bundled and each.runs for each in self.connections)


class CallView(Struct, frozen=True):
    """One model call, for logs and the run page."""

    id: UUID
    created_at: datetime
    kind: str
    model: str
    outcome: str
    message: str
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    latency_ms: int
    first_token_ms: int | None
    flow_id: UUID | None
    run_id: UUID | None
    node_id: str


_CONNECTIONS = "select * from connection where removed_at is null order by created_at"
_BUDGETS = """
select b.id, b.scope, b.period, b.subject, b.limit_micros, coalesce(max(u.spent_micros), 0) as spent_micros,
    coalesce(max(u.held_micros), 0) as held_micros
from budget b left join budget_use u on u.budget_id = b.id and u.period_start = case b.period
    when 'day' then (now() at time zone 'utc')::date
    when 'month' then date_trunc('month', now() at time zone 'utc')::date else date '2000-01-01' end
group by b.id order by b.created_at
"""
_MONTH = "select coalesce(sum(cost_micros), 0) from model_call where created_at >= date_trunc('month', now())"


async def overview(actor: Actor) -> Overview:
    """Five statements, however many connections there are."""
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        setting = await tx.fetchrow("select default_model, embedding_model, fallbacks from gateway_setting")
        rows = await tx.fetch(_CONNECTIONS)
        budgets = await tx.fetch(_BUDGETS)
        month = await tx.fetchval(_MONTH)
    directory = _directory(rows, setting)
    fallbacks = [_fallback(directory, model) for model in directory.fallbacks]
    return Overview(
        [_connection(row) for row in rows],
        _models(directory),
        directory.default_model,
        directory.embedding_model,
        fallbacks,
        _effective(directory),
        [BudgetView(**dict(row)) for row in budgets],
        int(month),
    )


async def named(actor: Actor, words: str, limit: int) -> list[Hit]:
    """Connections by name or provider, for Ctrl K. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, name, provider from connection where removed_at is null"
            " and (name ilike $1 or provider ilike $1) order by name limit $2",
            like(words),
            limit,
        )
    return [Hit(row["name"], row["provider"], f"/connections/{row['id']}") for row in rows]


async def models(actor: Actor) -> list[ModelView]:
    """Every model that a step may name, by connection: for the model picker. Three statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        setting = await tx.fetchrow("select default_model, embedding_model, fallbacks from gateway_setting")
        rows = await tx.fetch(_CONNECTIONS)
    return _models(_directory(rows, setting))


async def default_model(actor: Actor) -> ModelView | None:
    """The model that answers when a step names none; None when nothing is connected."""
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        setting = await tx.fetchrow("select default_model, embedding_model, fallbacks from gateway_setting")
        rows = await tx.fetch(_CONNECTIONS)
    return _effective(_directory(rows, setting))


SMALLEST = 16_000
"""Tokens a model has to read at once to be asked for work of its own: drafting, judging."""


async def capable(actor: Actor) -> list[ModelView]:
    """Models that can draft and judge, the workspace's own choice first; none that came along. 6 statements."""
    first = await default_model(actor)
    able = [
        model
        for model in await models(actor)
        if model.slug != LOCAL and not model.embeds and not 0 < model.context < SMALLEST
    ]
    return sorted(able, key=lambda model: first is None or model.id != first.id)


async def calls(actor: Actor, *, run_id: UUID | None = None, limit: int = 100) -> list[CallView]:
    """The latest model calls of the workspace, or all of one run; newest first."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, created_at, kind, model, outcome, message, prompt_tokens, completion_tokens, cost_micros, "
            "latency_ms, first_token_ms, flow_id, run_id, node_id from model_call "
            "where ($1::uuid is null or run_id = $1) order by created_at desc limit $2",
            run_id,
            min(limit, 1000),
        )
    return [CallView(**dict(row)) for row in rows]


def _directory(rows: list[Any], setting: Any) -> Directory:
    """The workspace's models without any key: for showing, not for calling."""
    connections = {}
    for row in rows:
        local = row["provider"] == LOCAL
        infos = BUNDLED if local else msgspec.json.decode(row["models"], type=list[ModelInfo])
        connections[row["slug"]] = Reached(
            row["id"],
            row["slug"],
            row["name"],
            row["provider"],
            config.settings().local_model_url if local else row["base_url"],
            options=msgspec.json.decode(row["options"], type=dict[str, str]),
            models={info.id: info for info in infos},
        )
    return Directory(
        0,
        connections,
        setting["default_model"],
        setting["embedding_model"],
        tuple(msgspec.json.decode(setting["fallbacks"], type=list[str])),
    )


def _models(directory: Directory) -> list[ModelView]:
    found = []
    for reached in directory.connections.values():
        for info in reached.models.values():
            if reached.provider == LOCAL and info.id == LOCAL_MODEL and not reached.base_url:
                continue
            found.append(_model(reached, info))
    return found


def _model(reached: Reached, info: ModelInfo) -> ModelView:
    whole = completed(info, reached.kind, reached.options)
    local = reached.provider == LOCAL
    return ModelView(
        f"{reached.slug}/{info.id}",
        TITLES.get(info.id, info.id) if local else info.id,
        whole.price,
        whole.context,
        reached.name,
        whole.price is not None and whole.price.prompt == whole.price.completion == 0,
        reached.slug,
        NOTES.get(info.id, "") if local else "",
        whole.embeds,
        whole.tools,
    )


def _fallback(directory: Directory, model_id: str) -> ModelView:
    """Also one whose connection was removed: it stays in the list, and says so."""
    slug, _, name = model_id.partition("/")
    reached = directory.connections.get(slug)
    if reached is None:
        return ModelView(model_id, name, None, 0, "", False, slug, "its connection was removed")
    return _model(reached, reached.models.get(name) or ModelInfo(name))


def _effective(directory: Directory) -> ModelView | None:
    try:
        target = directory.target(directory.default())
    except Fault:
        return None
    return _fallback(directory, target.id)


def _connection(row: Any) -> ConnectionView:
    provider = PROVIDERS.get(row["provider"], PROVIDERS["compatible"])
    local = row["provider"] == LOCAL
    infos = list(BUNDLED) if local else msgspec.json.decode(row["models"], type=list[ModelInfo])
    options = msgspec.json.decode(row["options"], type=dict[str, str])
    views = [completed(info, provider, options).price for info in infos if not info.embeds]
    prices = [price.cost_micros(USUAL_QUESTION, USUAL_ANSWER) for price in views if price is not None]
    address = row["base_url"].removesuffix("/v1")
    note = (
        provider.note if local else address or (f"Key ends in {row['key_hint']}" if row["key_hint"] else provider.note)
    )
    tested = msgspec.json.decode(row["tested"])
    return ConnectionView(
        row["id"],
        row["slug"],
        row["provider"],
        row["name"],
        note,
        row["name"][:1].upper(),
        row["status"],
        row["tested_at"],
        msgspec.convert(tested, Trial) if tested else Trial("untried"),
        len(infos),
        min(prices) if prices else None,
        provider.free or (bool(prices) and max(prices) == 0),
        row["base_url"],
        row["key_hint"],
        row["key_sealed"] is not None,
        options,
        bool(config.settings().local_model_url) if local else True,
    )


__all__ = [
    "BudgetView",
    "CallView",
    "Check",
    "ConnectionView",
    "ModelView",
    "Overview",
    "calls",
    "capable",
    "default_model",
    "models",
    "overview",
]
