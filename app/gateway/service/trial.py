"""The "Test" button: real calls to the connection, told as what the model said, or why it did not."""

import asyncio
import time
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.gateway import running
from app.gateway.attempt import Watch
from app.gateway.calls import Vendor
from app.gateway.directory import Directory, FixedDirectories, Reached, read
from app.gateway.faults import Fault, Kind
from app.gateway.ledger import PostgresLedger, Purpose
from app.gateway.models import ModelInfo, completed, listed
from app.gateway.pipeline import Pipeline
from app.gateway.providers import LOCAL
from app.gateway.service.connections import GONE, must_edit
from app.gateway.vendors.litellm_child import LitellmChild
from app.gateway.vendors.openai import OpenAIVendor
from app.web.actor import Actor
from flows.sdk.capabilities import ChatReply, ChatRequest, Tool, Usage
from flows.sdk.values import Message

SLOW = 8_000
"""Milliseconds to the whole of a short answer; from here on a connection is called slow."""
LIMIT = 45.0
"""Seconds for each call of a trial."""

Status = Literal["untried", "ready", "slow", "refused", "unreachable", "failed"]
"""untried = not tested since it was made or changed; only a listed connection says so, a trial never ends in it."""
_STATUS: dict[Kind, Status] = {"key": "refused", "unreachable": "unreachable", "timeout": "unreachable"}
_SHAPE = {
    "type": "object",
    "properties": {"colour": {"type": "string"}},
    "required": ["colour"],
    "additionalProperties": False,
}
_TOOL = Tool(
    "weather",
    "The weather of a place, now.",
    {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
        "additionalProperties": False,
    },
)


class Check(Struct, frozen=True):
    """One line of the result. unknown = not tried, because something before it failed or it does not apply."""

    title: str
    state: Literal["yes", "no", "unknown"]


class Trial(Struct, frozen=True):
    """What came of it. `ms`: from asking to the whole answer. `message`: the reason, when it did not work."""

    status: Status
    ms: int = 0
    model: str = ""
    said: str = ""
    cost_micros: int = 0
    message: str = ""
    checks: tuple[Check, ...] = ()


async def try_out(actor: Actor, connection_id: UUID) -> Trial:
    """List the models, let one say hello, and see whether it keeps a shape and can use tools. The result is kept.

    Costs a few dozen tokens; every call is a row of kind "test" and counts against the workspace's budget.
    """
    must_edit(actor)
    directory = await read(actor.workspace_id)
    reached = next((each for each in directory.connections.values() if each.id == connection_id), None)
    if reached is None:
        raise NotFound(GONE)
    try:
        models = await offered(reached)
    except Fault as fault:
        trial = Trial(
            _STATUS.get(fault.kind, "failed"),
            message=fault.message,
            checks=_checks("key" if fault.kind == "key" else ""),
        )
        await _keep(actor, connection_id, trial)
        return trial
    if models is not None:
        await _keep_models(actor, connection_id, models)
        directory = await read(actor.workspace_id)
        reached = directory.connections[reached.slug]
    trial = await _spoken(actor, directory, reached)
    await _keep(actor, connection_id, trial)
    return trial


async def offered(reached: Reached) -> list[ModelInfo] | None:
    """The connection's models; None when it keeps no list (then its models are typed by hand). Raises Fault."""
    if reached.provider == LOCAL:
        return None
    if reached.kind.lane == "litellm":
        return listed(reached.kind, reached.options)
    try:
        found = await OpenAIVendor().models(reached.target(""))
    except Fault as fault:
        if fault.kind in ("unknown_model", "malformed"):
            return None
        raise
    return [completed(info, reached.kind, reached.options) for info in found]


async def _spoken(actor: Actor, directory: Directory, reached: Reached) -> Trial:
    model = _model_for(directory, reached)
    if not model:
        return Trial("failed", message="This connection lists no model that answers. Enter the names of its models.")
    alone = Directory(directory.rev, {reached.slug: reached})
    child = LitellmChild()
    pipeline = Pipeline(FixedDirectories(alone), PostgresLedger(), _vendors(child))
    try:
        return await _talked(_Talk(actor, pipeline, f"{reached.slug}/{model}"), reached, model, child)
    finally:
        await child.close()


async def _talked(talk: "_Talk", reached: Reached, model: str, child: LitellmChild) -> Trial:
    began = time.perf_counter()
    try:
        reply = await talk.ask(f"Say hello to {talk.greeted}, in five words at most.")
    except Fault as fault:
        return Trial(
            _STATUS.get(fault.kind, "failed"),
            model=model,
            message=fault.message,
            checks=_checks("key" if fault.kind == "key" else "said"),
        )
    ms = child.took_ms or round((time.perf_counter() - began) * 1000)
    shape, tools = await asyncio.gather(talk.keeps_a_shape(), talk.uses_tools(reached.target(model).tools))
    await talk.pipeline.drain()
    said = " ".join(reply.text.split())[:120]
    checks = (
        Check("Key accepted", "yes" if reached.key else "unknown"),
        Check(f"Said “{said}”" if said else "Answered, without words", "yes"),
        Check("Fixed answer shapes", shape),
        Check("Can use tools", tools),
    )
    return Trial("slow" if ms >= SLOW else "ready", ms, model, said, talk.cost, "", checks)


class _Talk:
    """A few questions to one model, without fallbacks."""

    def __init__(self, actor: Actor, pipeline: Pipeline, model: str) -> None:
        self.purpose, self.pipeline, self.model, self.cost = Purpose(actor.workspace_id), pipeline, model, 0
        self.greeted = actor.workspace_name or "us"

    async def ask(self, text: str, **more: object) -> ChatReply:
        request = ChatRequest([Message(text)], self.model, max_tokens=200, **more)  # type: ignore[arg-type]
        return await self.pipeline.chat(self.purpose, request, Watch(used=self._used, kind="test", limit=LIMIT))

    async def keeps_a_shape(self) -> Literal["yes", "no"]:
        try:
            reply = await self.ask("Which colour has a lemon?", schema=_SHAPE)
        except Fault:
            return "no"
        return "yes" if isinstance(reply.data, dict) else "no"

    async def uses_tools(self, known: bool | None) -> Literal["yes", "no"]:
        """A model known to have none is not asked; flows may offer it tools all the same, as a shape."""
        if known is False:
            return "no"
        try:
            reply = await self.ask("What is the weather in Bremen? Use the tool.", tools=(_TOOL,))
        except Fault:
            return "no"
        return "yes" if reply.tool_calls else "no"

    def _used(self, usage: Usage) -> None:
        self.cost += usage.cost_micros


def _vendors(child: LitellmChild) -> dict[str, Vendor]:
    """Like the process's own, but web reaches litellm through a child process: a trial may take its five seconds."""
    litellm: Vendor = running.vendor("litellm") or child
    return {"direct": OpenAIVendor(), "litellm": litellm}


def _model_for(directory: Directory, reached: Reached) -> str:
    """The workspace's default if it is of this connection, else the cheapest with a known price, else the first."""
    slug, _, name = directory.default_model.partition("/")
    if slug == reached.slug and name:
        return name
    chat = [completed(info, reached.kind, reached.options) for info in reached.models.values() if not info.embeds]
    priced = [info for info in chat if info.price is not None and info.price.completion > 0]
    if priced:
        return min(priced, key=lambda info: info.price.completion if info.price else 0).id
    return chat[0].id if chat else ""


def _checks(failed: str) -> tuple[Check, ...]:
    order = (("key", "Key accepted"), ("said", "Answers"), ("shape", "Fixed answer shapes"), ("tools", "Can use tools"))
    return tuple(Check(title, "no" if name == failed else "unknown") for name, title in order)


async def _keep_models(actor: Actor, connection_id: UUID, models: list[ModelInfo]) -> None:
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            "update connection set models = $2, models_at = now() where id = $1 and models is distinct from $2::jsonb",
            connection_id,
            msgspec.json.encode(models).decode(),
        )


async def _keep(actor: Actor, connection_id: UUID, trial: Trial) -> None:
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            "update connection set status = $2, tested = $3, tested_at = now() where id = $1",
            connection_id,
            trial.status,
            msgspec.json.encode(trial).decode(),
        )
