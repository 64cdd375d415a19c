"""Models asked by the product itself, outside of any run: to draft a flow, to judge a test.

The same pipeline as everywhere: the workspace's connections and fallbacks, its budgets before each call, a row of
model_call after it. What only litellm speaks to is reached through a child process where this one must not import it.
"""

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import UUID, uuid4

from app.gateway import running
from app.gateway.attempt import Watch
from app.gateway.faults import Fault
from app.gateway.ledger import PostgresLedger, Purpose
from app.gateway.pipeline import Pipeline
from app.gateway.providers import LOCAL, LOCAL_EMBEDDING
from app.gateway.vendors.litellm_child import LitellmChild
from flows.sdk.capabilities import ChatReply, ChatRequest, Usage

EMBEDDING = f"{LOCAL}/{LOCAL_EMBEDDING}"
"""The embedding model that comes with Agentbase: the same vectors on every installation, and free."""


class Asker:
    """`cost_micros`: millionths of a US dollar that all calls so far came to, failed ones included."""

    def __init__(self, pipeline: Pipeline, purpose: Purpose) -> None:
        self._pipeline, self._purpose = pipeline, purpose
        self.cost_micros = 0

    async def chat(
        self,
        request: ChatRequest,
        *,
        limit: float,
        log: Callable[[str], None] = lambda _: None,
        piece: Callable[[str], None] = lambda _: None,
    ) -> ChatReply:
        """The whole answer. `limit`: seconds; `piece` hears the text as it comes. Raises Fault."""
        parts = self._pipeline.stream(self._purpose, request, Watch(log, self._used, limit=limit))
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, ChatReply):
                    return part
                piece(part)
        raise AssertionError("the generator ends with a ChatReply or a Fault")

    async def embed(self, texts: Sequence[str], *, limit: float = 60.0) -> list[list[float]]:
        """Vectors of the bundled embedding model, one a text. Raises Fault."""
        return await self._pipeline.embed(self._purpose, texts, EMBEDDING, Watch(used=self._used, limit=limit))

    def _used(self, usage: Usage) -> None:
        self.cost_micros += usage.cost_micros


@asynccontextmanager
async def asking(workspace_id: UUID, flow_id: UUID | None = None) -> AsyncIterator[Asker]:
    """Inside the block models answer. `flow_id`: the flow whose budget counts the calls, besides the workspace's."""
    child = None if running.is_worker() else LitellmChild()
    pipeline = running.pipeline() if child is None else _beside(child)
    try:
        yield Asker(pipeline, Purpose(workspace_id, flow_id))
    finally:
        if child is not None:
            await pipeline.drain()
            await child.close()


@asynccontextmanager
async def asking_here() -> AsyncIterator[Asker]:
    """Without a workspace and without a record: what comes with Agentbase, for `agentbase test` on files."""
    yield Asker(running.bare_pipeline(), Purpose(uuid4()))


def _beside(child: LitellmChild) -> Pipeline:
    known = {name: vendor for name in ("direct", "minilm") if (vendor := running.vendor(name)) is not None}
    own = running.pipeline()
    made = Pipeline(own.directories, PostgresLedger(), {**known, "litellm": child})
    made.line, made.no_tools = own.line, own.no_tools
    return made


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """-1 to 1; 0 for a vector of nothing."""
    norm = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norm if norm else 0.0


__all__ = ["EMBEDDING", "Asker", "Fault", "asking", "asking_here", "cosine"]
