"""Every model call: policy → reserve → route → call → settle → log.

One try is one row of model_call: reserved before it, settled after it, whatever happens in between. Nothing of this
waits on the way from the model's first token to whoever listens, except the reservation before the call.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from uuid import UUID, uuid4

from app.gateway import policy
from app.gateway.attempt import Call, Changed, Watch, amount
from app.gateway.calls import Kind, Target, Vectors, Vendor, estimate_tokens, most_tokens
from app.gateway.directory import Directories, Directory
from app.gateway.faults import Fault
from app.gateway.ledger import Closing, Ledger, Opening, Purpose
from app.gateway.queue import Line
from app.gateway.turn import Turn
from app.logs import logger
from flows.sdk.capabilities import ChatReply, ChatRequest
from flows.sdk.values import Message

log = logger(__name__)


class Pipeline:
    """One per process. `needs_worker`: this process must not import litellm (web, public)."""

    def __init__(self, directories: Directories, ledger: Ledger, vendors: Mapping[str, Vendor]) -> None:
        self.directories = directories
        self.ledger = ledger
        self.vendors = vendors
        self.line = Line()
        self.no_tools: set[tuple[UUID | None, str]] = set()
        self._settling: set[asyncio.Task[None]] = set()

    async def chat(self, purpose: Purpose, request: ChatRequest, watch: Watch) -> ChatReply:
        """The whole answer at once. Raises Fault."""
        async with aclosing(self._answered(purpose, request, watch, streamed=False)) as parts:
            async for part in parts:
                if isinstance(part, ChatReply):
                    return part
        raise AssertionError("the generator ends with a ChatReply or a Fault")

    def stream(self, purpose: Purpose, request: ChatRequest, watch: Watch) -> AsyncGenerator[str | ChatReply, None]:
        """Pieces as they come, then one ChatReply. Raises Fault. Close it (aclosing) to end the call at the vendor."""
        return self._answered(purpose, request, watch, streamed=True)

    async def embed(self, purpose: Purpose, texts: Sequence[str], model: str, watch: Watch) -> list[list[float]]:
        """One vector a text, in their order. No fallback: vectors of two models can't be compared. Raises Fault."""
        policy.check_texts(texts)
        if not texts:
            return []
        for reread in range(4):
            directory = await self.directories.get(purpose.workspace_id)
            try:
                target = directory.target(model or directory.default_embedding())
            except Fault:
                if reread:
                    raise
                self.directories.forget(purpose.workspace_id)
                continue
            messages = [Message(text) for text in texts]
            most = amount(target, most_tokens(messages), 0)
            try:
                call = await self.reserved(purpose, directory, model, target, "embed", most, watch.limit)
            except Changed:
                continue
            return await self._embedded(call, texts, watch)
        raise _unsettled()

    async def drain(self) -> None:
        """Wait for settlements of calls that were cut short. At shutdown, before the pools close."""
        while self._settling:
            await asyncio.wait(self._settling)

    # route ---------------------------------------------------------------------------------------------------------

    async def _answered(
        self, purpose: Purpose, request: ChatRequest, watch: Watch, *, streamed: bool
    ) -> AsyncGenerator[str | ChatReply, None]:
        policy.check(request)
        place, rereads, started = 0, 0, False
        while True:
            directory = await self.directories.get(purpose.workspace_id)
            try:
                route = directory.route(request.model)
            except Fault:  # what we remember may be older than the connection
                if rereads:
                    raise
                rereads += 1
                self.directories.forget(purpose.workspace_id)
                continue
            target = route[min(place, len(route) - 1)]
            turn = Turn(self, purpose, directory, request, target, watch, streamed)
            try:
                async with aclosing(turn.run()) as parts:
                    async for part in parts:
                        started = True
                        yield part
                return
            except Changed:
                rereads += 1
                if rereads > 3:
                    raise _unsettled() from None
            except Fault as fault:
                # Once a word is out, another model's answer would not continue it.
                if started or not fault.retry or place + 1 >= len(route):
                    raise
                place += 1
                watch.log(f"{fault.message} Asking {route[place].id} instead.")

    # reserve, call, settle, log ------------------------------------------------------------------------------------

    async def reserved(
        self, purpose: Purpose, directory: Directory, asked: str, target: Target, kind: Kind, amount: int, limit: float
    ) -> Call:
        vendor = self._vendor(target)
        opening = Opening(uuid4(), kind, asked, target, amount, int(limit))
        verdict = await self.ledger.reserve(purpose, directory.rev, opening)
        if verdict.verdict == "changed":
            self.directories.forget(purpose.workspace_id)
            raise Changed
        if verdict.verdict == "refused":
            raise policy.over_budget(verdict)
        return Call(purpose, opening.call_id, target, vendor, limit, verdict.braked)

    async def _embedded(self, call: Call, texts: Sequence[str], watch: Watch) -> list[list[float]]:
        try:
            vectors: Vectors = await call.vendor.embed(call.target, texts, call.limit)
        except BaseException as problem:
            closing = call.ending(problem, "", watch.used)
            await self.settle(call, closing, watch, later=not isinstance(problem, Exception))
            raise
        counted = vectors.prompt_tokens is not None
        tokens = vectors.prompt_tokens if counted else estimate_tokens([Message(text) for text in texts])
        await self.settle(call, call.closing("ok", tokens or 0, 0, None, watch.used, counted=counted), watch)
        return vectors.vectors

    def _vendor(self, target: Target) -> Vendor:
        name = "minilm" if target.local and target.embeds else target.lane
        vendor = self.vendors.get(name)
        if vendor is None:
            raise Fault(
                "needs_worker",
                f"Model '{target.model}' of '{target.name}' is answered by a worker. "
                "Start this flow as a run of its own.",
            )
        return vendor

    async def settle(self, call: Call, closing: Closing, watch: Watch, *, later: bool = False) -> None:
        """Settle now, or leave it to `watch.owe`. `later`: the caller's task is being torn down, and the settlement
        must not be torn down with it.

        A database that does not answer does not take the model's answer away: it is tried again in the background, and
        if that fails too, the reservation expires by itself.
        """
        if watch.owe is not None and watch.owe(call, closing, self.settle_later):
            return
        if not later:
            try:
                await self.ledger.settle(call.purpose, call.call_id, closing)
                return
            except Exception as problem:
                log.warning("a model call could not be settled yet", call=str(call.call_id), reason=repr(problem))
        self.settle_later(call, closing)

    def settle_later(self, call: Call, closing: Closing) -> None:
        task = asyncio.create_task(self._settled(call, closing))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settled(self, call: Call, closing: Closing) -> None:
        for wait in (0.0, 0.5, 2.0, 8.0):
            await asyncio.sleep(wait)
            try:
                await self.ledger.settle(call.purpose, call.call_id, closing)
                return
            except Exception as problem:
                reason = repr(problem)
        log.error(
            "a model call was not settled", call=str(call.call_id), cost_micros=closing.cost_micros, reason=reason
        )


def _unsettled() -> Fault:
    return Fault("busy", "The connections of this workspace are being changed at the moment. Try again.", retry_after=1)
