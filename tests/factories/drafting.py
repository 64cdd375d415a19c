"""Proposals, and a workspace with a model that can draft."""

from typing import Any
from uuid import UUID

import msgspec

from app.db import tenant_tx
from app.drafting import making, queries, service
from app.drafting.forms import WishForm
from app.drafting.shapes import ProposalView
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.web import Actor
from flows.model import Flow
from tests.doubles.openai_script import Answer
from tests.doubles.openai_server import FakeOpenAI

LARGE = "compatible/fake-large"
CHAT: dict[str, Any] = {
    "say": "A chat that answers kindly.",
    "name": "Kind chat",
    "steps": [
        {"id": "ask", "type": "start.chat", "label": "Somebody asks"},
        {"id": "think", "type": "ai.chat", "label": "Answer kindly", "settings": {"instructions": "Be kind."}},
        {"id": "reply", "type": "show.answer", "label": "Reply"},
    ],
    "wires": [{"from": "ask.message", "to": "think.message"}, {"from": "think.text", "to": "reply.text"}],
}
FALLBACK: dict[str, Any] = {
    "say": "A second model answers when the first fails.",
    "steps": [
        {"id": "model", "type": "ai.chat", "on_error": "wire"},
        {"id": "second", "type": "ai.chat", "label": "Fallback", "settings": {"model": LARGE}},
        {"id": "first", "type": "logic.join", "label": "Whichever answered", "settings": {"policy": "any"}},
    ],
    "unwire": [{"from": "model.text", "to": "reply.text"}],
    "wires": [
        {"from": "start.message", "to": "second.message"},
        {"from": "model.error", "to": "second.after"},
        {"from": "model.text", "to": "first.values_in"},
        {"from": "second.text", "to": "first.values_in"},
        {"from": "first.first", "to": "reply.text"},
    ],
}


async def a_model(actor: Actor, fake: FakeOpenAI) -> None:
    """The fake server as a connection whose models are known."""
    connection = await gateway.connect(actor, ConnectForm(provider="compatible", name="Fake", base_url=fake.url))
    await gateway.try_out(actor, connection)
    fake.calls.clear()


def says(answer: Any, **more: Any) -> Answer:
    return Answer(text=msgspec.json.encode(answer).decode(), **more)


async def a_proposal(actor: Actor, wish: str = "A kind chat", flow_id: UUID | None = None) -> ProposalView:
    """Begun and waited for."""
    proposal_id = await service.begin(actor, WishForm(wish, LARGE), flow_id)
    await ended(proposal_id)
    return await queries.proposal(actor, proposal_id)


async def ended(proposal_id: UUID) -> None:
    if (task := service._under_way.get(proposal_id)) is not None:
        await task


async def a_ready_proposal(actor: Actor, after: Flow, flow_id: UUID | None = None, before: Flow | None = None) -> UUID:
    """As the model's answer left it, without a model."""
    async with tenant_tx(actor.workspace_id) as tx:
        made = await tx.fetchval(
            """insert into proposal (workspace_id, flow_id, wish, model, before, after, status)
               values ($1, $2, 'A kind chat', 'compatible/fake-large', $3, $4, 'ready') returning id""",
            actor.workspace_id,
            flow_id,
            *(msgspec.json.encode(each).decode() for each in (before or Flow(), after)),
        )
    return UUID(str(made))


__all__ = ["CHAT", "FALLBACK", "LARGE", "a_model", "a_proposal", "a_ready_proposal", "ended", "making", "says"]
