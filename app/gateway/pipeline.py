"""Every model call: policy → reserve → route → call → settle → log.

One try is one row of model_call: reserved before it, settled after it, whatever happens in between. Nothing of this
waits on the way from the model's first token to whoever listens, except the reservation before the call.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from app.gateway import faults, policy, shapes, trimming
from app.gateway.calls import Ask, Done, Kind, Target, Vectors, Vendor, estimate_tokens, most_tokens
from app.gateway.directory import Directories, Directory
from app.gateway.faults import Fault
from app.gateway.ledger import Closing, Ledger, Opening, Outcome, Purpose
from app.gateway.queue import Line
from app.logs import logger
from flows.sdk.capabilities import ChatReply, ChatRequest, Usage
from flows.sdk.values import Message

log = logger(__name__)
LONGEST_CALL = 600.0
"""Seconds, the whole answer included."""
UNSAID_ANSWER = 4_096
"""Tokens reserved for an answer whose length nobody limited. Under a budget it is also the limit."""


class Watch(Struct, frozen=True):
    """Who hears about a call beside the caller: `log` lines for the reader of the run, `used` what each try used."""

    log: Callable[[str], None] = lambda _: None
    used: Callable[[Usage], None] = lambda _: None
    kind: Kind = "chat"
    limit: float = LONGEST_CALL


class _Changed(Exception):
    """The workspace's connections are not the ones we know."""


class Pipeline:
    """One per process. `needs_worker`: this process must not import litellm (web, public)."""

    def __init__(self, directories: Directories, ledger: Ledger, vendors: Mapping[str, Vendor]) -> None:
        self.directories = directories
        self.ledger = ledger
        self.vendors = vendors
        self.line = Line()
        self._no_tools: set[str] = set()
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
            amount = _amount(target, most_tokens(messages), 0)
            try:
                call = await self._reserved(purpose, directory, model, target, "embed", amount, watch.limit)
            except _Changed:
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
            turn = _Turn(self, purpose, directory, request, target, watch, streamed)
            try:
                async with aclosing(turn.run()) as parts:
                    async for part in parts:
                        started = True
                        yield part
                return
            except _Changed:
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

    async def _reserved(
        self, purpose: Purpose, directory: Directory, asked: str, target: Target, kind: Kind, amount: int, limit: float
    ) -> "_Call":
        vendor = self._vendor(target)
        opening = Opening(uuid4(), kind, asked, target, amount, int(limit))
        verdict = await self.ledger.reserve(purpose, directory.rev, opening)
        if verdict.verdict == "changed":
            self.directories.forget(purpose.workspace_id)
            raise _Changed
        if verdict.verdict == "refused":
            raise policy.over_budget(verdict)
        return _Call(purpose, opening.call_id, target, vendor, limit, verdict.braked)

    async def _embedded(self, call: "_Call", texts: Sequence[str], watch: Watch) -> list[list[float]]:
        try:
            vectors: Vectors = await call.vendor.embed(call.target, texts, call.limit)
        except BaseException as problem:
            await self.settle(call, call.ending(problem, "", watch.used), later=not isinstance(problem, Exception))
            raise
        counted = vectors.prompt_tokens is not None
        tokens = vectors.prompt_tokens if counted else estimate_tokens([Message(text) for text in texts])
        await self.settle(call, call.closing("ok", tokens or 0, 0, None, watch.used, counted=counted))
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

    async def settle(self, call: "_Call", closing: Closing, *, later: bool = False) -> None:
        """Settle now. `later`: the caller's task is being torn down, and the settlement must not be torn down with it.

        A database that does not answer does not take the model's answer away: it is tried again in the background, and
        if that fails too, the reservation expires by itself.
        """
        if not later:
            try:
                await self.ledger.settle(call.purpose, call.call_id, closing)
                return
            except Exception as problem:
                log.warning("a model call could not be settled yet", call=str(call.call_id), reason=repr(problem))
        task = asyncio.create_task(self._settled(call, closing))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settled(self, call: "_Call", closing: Closing) -> None:
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


class _Call:
    """One try that is reserved and on."""

    def __init__(
        self,
        purpose: Purpose,
        call_id: UUID,
        target: Target,
        vendor: Vendor,
        limit: float,
        braked: bool,
    ) -> None:
        self.purpose, self.call_id, self.target = purpose, call_id, target
        self.vendor, self.limit, self.braked = vendor, limit, braked
        self.began = time.perf_counter()
        self.first: float | None = None

    def closing(
        self,
        outcome: Outcome,
        prompt: int,
        completion: int,
        cost: int | None,
        used: Callable[[Usage], None],
        *,
        counted: bool = True,
        fault: Fault | None = None,
    ) -> Closing:
        price = self.target.price
        if cost is None:
            cost = price.cost_micros(max(0, prompt), max(0, completion)) if price else 0
        if prompt or completion or cost:
            used(Usage(prompt, completion, cost))
        return Closing(
            outcome,
            prompt,
            completion,
            cost,
            counted,
            price is not None or cost > 0,
            round((time.perf_counter() - self.began) * 1000),
            None if self.first is None else round((self.first - self.began) * 1000),
            fault.kind if fault else "",
            fault.message if fault else "",
        )

    def ending(self, problem: BaseException, said: str, used: Callable[[Usage], None], prompt: int = 0) -> Closing:
        """A call that did not finish: what was said so far is counted by us, together with the question."""
        completion = estimate_tokens([Message(said)]) if said else 0
        tokens = (prompt, completion) if said else (0, 0)
        if isinstance(problem, Fault):
            return self.closing("failed", *tokens, None, used, counted=not said, fault=problem)
        if isinstance(problem, asyncio.CancelledError | GeneratorExit):
            return self.closing("cancelled", *tokens, None, used, counted=False)
        unknown = Fault("bad_request", f"The call to '{self.target.name}' failed: {type(problem).__name__}.")
        return self.closing("failed", *tokens, None, used, counted=not said, fault=unknown)


class _Turn:
    """One model's turn at a request: shape it, fit it, call, read the answer, ask once more if the shape is wrong."""

    def __init__(
        self,
        pipeline: Pipeline,
        purpose: Purpose,
        directory: Directory,
        request: ChatRequest,
        target: Target,
        watch: Watch,
        streamed: bool,
    ) -> None:
        self.pipeline, self.purpose, self.directory = pipeline, purpose, directory
        self.request, self.target, self.watch, self.streamed = request, target, watch, streamed
        self.usage = Usage()
        native = target.tools is not False and target.id not in pipeline._no_tools
        self.emulated = bool(request.tools) and not native
        self.scale = 1.0

    async def run(self) -> AsyncGenerator[str | ChatReply, None]:
        messages: Sequence[Message] = list(self.request.messages)
        if self.target.context:
            messages = self._fitted(messages, self.target.context)
        for _ in range(4):
            out = False
            try:
                async with aclosing(self._once(messages)) as parts:
                    async for part in parts:
                        out = True
                        yield part
                return
            except Fault as fault:
                if out:
                    raise
                if fault.kind == "no_tools" and self.request.tools and not self.emulated:
                    self.pipeline._no_tools.add(self.target.id)
                    self.emulated = True
                elif fault.kind == "too_long" and (shorter := self._shortened(messages, fault)) is not None:
                    messages = shorter
                else:
                    raise
        raise faults.too_long(self.target.model)

    async def _once(self, messages: Sequence[Message]) -> AsyncGenerator[str | ChatReply, None]:
        ask, shape = self._shaped(messages)
        done = Done("")
        async with aclosing(self._call(ask)) as parts:
            async for part in parts:
                if isinstance(part, Done):
                    done = part
                elif self.streamed and not self.emulated:
                    yield part
        if shape is None or (done.tool_calls and not self.emulated):
            yield self._reply(done.text, done)
            return
        try:
            value = shapes.parse(done.text, shape)
        except ValueError as problem:
            self.watch.log(f"The answer did not have the shape asked for: {problem} Asking once more.")
            done, value = await self._repaired(ask, done, shape, str(problem))
        if self.emulated:
            text, data, calls = shapes.read_tool_answer(value, self.request.tools)
            if not calls and self.streamed and text:
                yield text
            data = data if self.request.schema is not None else None
            yield ChatReply(text, self.target.id, self.usage, data, calls)
            return
        yield self._reply(done.text, done, value)

    async def _repaired(self, ask: Ask, done: Done, shape: shapes.Wrapped, problem: str) -> tuple[Done, object]:
        again = msgspec.structs.replace(ask, messages=shapes.repair(ask.messages, done.text, problem, shape.schema))
        second = Done("")
        async with aclosing(self._call(again, streamed=False)) as parts:
            async for part in parts:
                second = part if isinstance(part, Done) else second
        try:
            return second, shapes.parse(second.text, shape)
        except ValueError as still:
            raise Fault(
                "schema",
                f"Model '{self.target.model}' did not answer in the shape asked for, twice. {still} "
                "Make the shape simpler, or choose a larger model.",
                field="model",
            ) from None

    async def _call(self, ask: Ask, streamed: bool | None = None) -> AsyncGenerator[str | Done, None]:
        """One row of model_call."""
        streamed = (self.streamed and not self.emulated) if streamed is None else streamed
        prompt = most_tokens(ask.messages) + _extra_tokens(ask)
        longest = ask.max_tokens or min(self.target.max_output or UNSAID_ANSWER, UNSAID_ANSWER)
        amount = _amount(self.target, prompt, longest)
        async with self.pipeline.line.place(self.target, self.watch.log):
            call = await self.pipeline._reserved(
                self.purpose, self.directory, self.request.model, self.target, self.watch.kind, amount, self.watch.limit
            )
            if call.braked and ask.max_tokens is None:
                ask = msgspec.structs.replace(ask, max_tokens=longest)
            said: list[str] = []
            try:
                if streamed:
                    async with aclosing(call.vendor.stream(self.target, ask, call.limit)) as parts:
                        async for part in parts:
                            if isinstance(part, Done):
                                done = part
                                break
                            if call.first is None:
                                call.first = time.perf_counter()
                            said.append(part)
                            yield part
                else:
                    done = await call.vendor.chat(self.target, ask, call.limit)
            except BaseException as problem:
                closing = call.ending(problem, "".join(said), self._used, estimate_tokens(ask.messages))
                await self.pipeline.settle(call, closing, later=not isinstance(problem, Exception))
                raise
            await self.pipeline.settle(call, self._closing(call, ask, done))
        yield done

    def _closing(self, call: _Call, ask: Ask, done: Done) -> Closing:
        counted = done.prompt_tokens is not None and done.completion_tokens is not None
        prompt = done.prompt_tokens if done.prompt_tokens is not None else estimate_tokens(ask.messages)
        completion = done.completion_tokens
        if completion is None:
            completion = estimate_tokens([Message(done.text)])
        return call.closing("ok", prompt, completion, done.cost_micros, self._used, counted=counted)

    def _used(self, usage: Usage) -> None:
        old = self.usage
        self.usage = Usage(
            old.prompt_tokens + usage.prompt_tokens,
            old.completion_tokens + usage.completion_tokens,
            old.cost_micros + usage.cost_micros,
        )
        self.watch.used(usage)

    def _reply(self, text: str, done: Done, data: object = None) -> ChatReply:
        return ChatReply(text, self.target.id, self.usage, data, tuple(done.tool_calls))

    def _shaped(self, messages: Sequence[Message]) -> tuple[Ask, shapes.Wrapped | None]:
        request = self.request
        if self.emulated:
            shape = shapes.Wrapped(shapes.tool_schema(request.tools, request.schema), wrapped=False)
            told = [shapes.tool_instructions(request.tools), *messages]
            return Ask(told, request.temperature, request.max_tokens, shape.schema), shape
        wanted = shapes.wrap(request.schema) if request.schema is not None else None
        schema = wanted.schema if wanted else None
        return Ask(messages, request.temperature, request.max_tokens, schema, request.tools), wanted

    # fit -----------------------------------------------------------------------------------------------------------

    def _fitted(self, messages: Sequence[Message], context: int) -> Sequence[Message]:
        trimmed = trimming.fit(messages, trimming.room(context, self.request.max_tokens), self.scale)
        if trimmed.left_out:
            turns = "The oldest turn was" if trimmed.left_out == 1 else f"The {trimmed.left_out} oldest turns were"
            self.watch.log(f"{turns} left out: the model reads {context:,} tokens at most.")
        return trimmed.messages

    def _shortened(self, messages: Sequence[Message], fault: Fault) -> Sequence[Message] | None:
        """A shorter conversation after the model found this one too long; None when nothing may go."""
        told, context = fault.sizes or (0, self.target.context)
        estimate = estimate_tokens(messages)
        if not context:
            context = estimate * 3 // 4
        self.scale = max(self.scale * 1.1, told / estimate if told else 0.0)
        shorter = self._fitted(messages, context)
        return shorter if len(shorter) < len(messages) else None


def _amount(target: Target, prompt: int, completion: int) -> int:
    return target.price.cost_micros(prompt, completion) if target.price else 0


def _extra_tokens(ask: Ask) -> int:
    """Tokens of schema and tools, generously."""
    extra = (len(msgspec.json.encode(ask.schema)) // 2) if ask.schema else 0
    return extra + sum(len(msgspec.json.encode(tool)) // 2 for tool in ask.tools)


def _unsettled() -> Fault:
    return Fault("busy", "The connections of this workspace are being changed at the moment. Try again.", retry_after=1)
