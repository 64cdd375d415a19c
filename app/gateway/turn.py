"""One model's turn at a request: shape it, fit it, call, read the answer, ask once more if the shape is wrong."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from app.gateway import faults, shapes, trimming
from app.gateway.attempt import Call, Watch, amount
from app.gateway.calls import Ask, Done, Target, estimate_tokens, most_tokens
from app.gateway.directory import Directory
from app.gateway.faults import Fault
from app.gateway.ledger import Closing, Purpose
from flows.sdk.capabilities import ChatReply, ChatRequest, Usage
from flows.sdk.values import Message

if TYPE_CHECKING:
    from app.gateway.pipeline import Pipeline

UNSAID_ANSWER = 4_096
"""Tokens reserved for an answer whose length nobody limited. Under a budget it is also the limit."""


class Turn:
    """`streamed`: hand out pieces as they come. `usage` adds up over all calls of the turn."""

    def __init__(
        self,
        pipeline: "Pipeline",
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
        native = target.tools is not False and (target.connection_id, target.id) not in pipeline.no_tools
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
                    self.pipeline.no_tools.add((self.target.connection_id, self.target.id))
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
        most = amount(self.target, prompt, longest)
        async with self.pipeline.line.place(self.target, self.watch.log):
            call = await self.pipeline.reserved(
                self.purpose, self.directory, self.request.model, self.target, self.watch.kind, most, self.watch.limit
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
                await self.pipeline.settle(call, closing, self.watch, later=not isinstance(problem, Exception))
                raise
            await self.pipeline.settle(call, self._closing(call, ask, done), self.watch)
        yield done

    def _closing(self, call: Call, ask: Ask, done: Done) -> Closing:
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
            left_out = f"The {trimmed.left_out} oldest turns were left out: the model reads {context:,} tokens at most."
            if trimmed.left_out == 1:
                left_out = f"The oldest turn was left out: the model reads {context:,} tokens at most."
            self.watch.log(left_out)
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


def _extra_tokens(ask: Ask) -> int:
    """Tokens of schema and tools, generously."""
    extra = (len(msgspec.json.encode(ask.schema)) // 2) if ask.schema else 0
    return extra + sum(len(msgspec.json.encode(tool)) // 2 for tool in ask.tools)
