"""Flows to edit: small real documents made of shipped components."""

from typing import Any
from uuid import UUID, uuid4

from app.studio import service
from app.studio.forms import EdgeAdd, NodeAdd, Op, OpsForm
from app.web import Actor
from flows.model import Edge, Flow, NodeUse


def a_document(*, prompt: str = "Answer {{ question }}") -> Flow:
    """Chat message -> prompt -> answer, ready to run without a model."""
    return Flow(
        name="Garden helper",
        nodes=[
            NodeUse("ask", "start.chat", x=0, y=0),
            NodeUse("write", "ai.prompt", x=280, y=0, settings={"template": prompt}),
            NodeUse("reply", "show.answer", x=560, y=0),
        ],
        edges=[Edge("ask.message", "write.question"), Edge("write.text", "reply.text")],
    )


async def a_flow(actor: Actor, document: Flow | None = None) -> UUID:
    return await service.create_flow(actor, "", document if document is not None else a_document())


def a_large_document(nodes: int, edges: int) -> Flow:
    """Rows of ten steps, each wired to earlier ones: for the bench page."""
    flow = Flow(name=f"{nodes} steps")
    for i in range(nodes):
        column, row = i % 10, i // 10
        settings: dict[str, Any] = {"template": "Sum up {{ a }} and {{ b }} in one sentence for the garden letter."}
        flow.nodes.append(NodeUse(f"n{i}", "ai.prompt", x=column * 288, y=row * 200, settings=settings))
    made = 0
    for port, step in (("a", 1), ("b", 10)):
        for i in range(step, nodes):
            if made < edges and (step != 1 or i % 10):
                flow.edges.append(Edge(f"n{i - step}.text", f"n{i}.{port}"))
                made += 1
    return flow


def a_batch(base: int, *ops: Op, client: str = "tab-1", batch: str = "") -> OpsForm:
    return OpsForm(base=base, batch=batch or uuid4().hex, client=client, ops=list(ops))  # type: ignore[arg-type]


def adding(id: str, type: str, x: float = 0, y: float = 0, **settings: Any) -> NodeAdd:
    return NodeAdd(NodeUse(id, type, x=x, y=y, settings=settings))


def wiring(source: str, target: str) -> EdgeAdd:
    return EdgeAdd(source, target)
