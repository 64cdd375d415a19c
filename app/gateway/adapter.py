"""The `llm` capability of a step: flows.sdk's Llm on top of the pipeline, for the step's own workspace and run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from uuid import UUID, uuid4

from app import clock
from app.gateway import running
from app.gateway.attempt import LONGEST_CALL, Watch
from app.gateway.faults import Fault
from app.gateway.ledger import Purpose
from app.gateway.owed import Owed
from app.gateway.pipeline import Pipeline
from flows.sdk.capabilities import ChatReply, ChatRequest
from flows.sdk.context import Context

UNHEARD = 60.0
"""Seconds. A call that may take longer is streamed although nobody listens: what lies between us and the model ends
connections on which nothing comes for a while.
"""


class StepLlm:
    """Every call counts for the step it was made in: its usage is recorded there, what is worth knowing is logged."""

    def __init__(self, pipeline: Pipeline, purpose: Purpose, ctx: Context, owed: Owed | None = None) -> None:
        self._pipeline, self._purpose, self._ctx = pipeline, purpose, ctx
        self._owe = owed.take if owed is not None else None

    async def chat(self, request: ChatRequest) -> ChatReply:
        return await self._pipeline.chat(self._purpose, request, self._watch())

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        """Whole, as one piece, where nobody listens: the model's server and we are spared an event for each word."""
        watch = self._watch()
        if self._ctx.run.emit is None and watch.limit <= UNHEARD:
            reply = await self._pipeline.chat(self._purpose, request, watch)
            if reply.text:
                yield reply.text
            yield reply
            return
        async with aclosing(self._pipeline.stream(self._purpose, request, watch)) as parts:
            async for part in parts:
                yield part

    async def embed(self, texts: Sequence[str], model: str = "") -> list[list[float]]:
        return await self._pipeline.embed(self._purpose, texts, model, self._watch())

    def _watch(self) -> Watch:
        limit = LONGEST_CALL
        if self._ctx.deadline is not None:
            limit = min(limit, self._ctx.deadline - clock.epoch())
            if limit <= 0:
                raise Fault("timeout", "The time of this run is up: no more calls to models are made.")
        return Watch(self._ctx.log, self._ctx.record, limit=limit, owe=self._owe)


def llm_for(ctx: Context, owed: Owed | None = None) -> StepLlm:
    """For a run of a workspace: its connections, its budgets. Outside one (`agentbase run FILE`): the bundled model.

    `owed`: of a run that is recorded before anybody gets its answer.
    """
    workspace_id = _uuid(ctx.workspace_id)
    if workspace_id is None:
        return StepLlm(running.bare_pipeline(), Purpose(uuid4()), ctx)
    visitor = ctx.input.get("visitor", "")
    purpose = Purpose(
        workspace_id,
        _uuid(ctx.flow_id),
        _uuid(ctx.run_id),
        ctx.node_id,
        visitor[:200] if isinstance(visitor, str) else "",
    )
    return StepLlm(running.pipeline(), purpose, ctx, owed)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
