"""Tests of flows, made of real runs."""

from typing import Any
from uuid import UUID

from app.checks import service
from app.db import tenant_tx
from app.runs import service as runs
from app.studio import service as studio
from app.web import Actor
from flows.model import Edge, Flow, NodeUse


def a_support_flow(instructions: str = "Answer kindly.") -> Flow:
    """Form -> model -> answer: the model is what must not be asked in a test."""
    return Flow(
        name="Support",
        nodes=[
            NodeUse("start", "start.chat"),
            NodeUse(
                "model",
                "ai.chat",
                label="Helper",
                x=280,
                settings={"instructions": instructions, "model": "compatible/fake-small"},
            ),
            NodeUse("reply", "show.answer", x=560),
        ],
        edges=[Edge("start.message", "model.message"), Edge("model.text", "reply.text")],
    )


async def a_run(actor: Actor, document: Flow, given: Any, *, trigger: str = "chat") -> tuple[UUID, UUID]:
    """(flow, run) of a flow that ran once at once in this process and is still a draft."""
    flow_id = await studio.create_flow(actor, document.name, document)
    async with tenant_tx(actor.workspace_id) as tx:
        version_id = await runs.save_version(tx, actor.workspace_id, flow_id, document, "", actor.user_id, kind="draft")
    outcome = await runs.answer(actor, version_id, given, trigger=trigger, draft=True)
    assert outcome.status == "succeeded", outcome
    return flow_id, outcome.run_id


async def a_case(actor: Actor, document: Flow, given: Any, name: str = "") -> tuple[UUID, UUID]:
    """(flow, test): the run saved as it is."""
    _, run_id = await a_run(actor, document, given)
    return await service.save_run(actor, run_id, name)
