"""Between a guest in a box and the powers it named: each question is checked and counted here, then asked or refused.

A guest sends what it likes, so it reaches only what is listed in its Powers, and nothing by a name of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from flows.host.carried import NotCarried, carried
from flows.host.child import Child, Fallen
from flows.host.frames import Answer, Ask, BadFrame, Bounds, Reply, packed
from flows.sdk.errors import NodeError

Verb = Callable[..., Awaitable[Any]]
Powers = Mapping[str, Mapping[str, Verb]]
"""Power -> verb -> the function behind it. What is not in here is refused."""

REPLY: "msgspec.msgpack.Decoder[Reply | Ask]" = msgspec.msgpack.Decoder(Reply | Ask)
SHOWN = 60


class Quota(Struct, frozen=True):
    """How much one guest may ask for in one step: questions, bytes both ways, seconds of one answer."""

    questions: int = 200
    bytes: int = 64 * 1024 * 1024
    seconds: float = 60.0


class Broker:
    def __init__(self, powers: Powers, quota: Quota | None = None) -> None:
        self.powers = powers
        self.quota = quota or Quota()
        self.asked = 0
        self.moved = 0

    async def serve(self, child: Child, call: Any, seconds: float) -> Reply:
        """Hand over the call, answer questions until the reply comes. `seconds`: all in all, answers not counted.

        Raises Fallen; the child is gone then. What waiting for answers takes is not the guest's time.
        """
        loop = asyncio.get_running_loop()
        left = seconds
        child.send(packed(call))
        while True:
            began = loop.time()
            if left <= 0:
                child.kill()
                raise Fallen("it did not answer in time", late=True)
            said = await child.answer(REPLY, left)
            left -= loop.time() - began
            if isinstance(said, Reply):
                return said
            try:
                child.send(await self._framed(said))
            except asyncio.CancelledError:
                child.kill()
                raise

    async def _framed(self, ask: Ask) -> bytes:
        answer = await self.answer(ask)
        try:
            frame = packed(answer)
        except (BadFrame, TypeError, OverflowError, ValueError) as error:
            frame = packed(Answer(error=f"The answer can't be handed over: {error}."))
        self.moved += len(frame)
        return frame

    async def answer(self, ask: Ask) -> Answer:
        """Grant or refuse one question. Never raises, except when the step is called off."""
        self.asked += 1
        self.moved += _size(ask.values)
        if self.asked > self.quota.questions:
            return Answer(error=f"This step asked more than {self.quota.questions} times. Ask for more at once.")
        if self.moved > self.quota.bytes:
            return Answer(error=f"This step moved more than {self.quota.bytes // 1_048_576} MB. Make it move less.")
        verbs = self.powers.get(ask.power)
        if verbs is None:
            return Answer(error=f"'{ask.power[:SHOWN]}' was not asked for: the package does not name it in `needs`.")
        verb = verbs.get(ask.verb)
        if verb is None:
            return Answer(error=f"'{ask.power}' has no '{ask.verb[:SHOWN]}'.")
        try:
            async with asyncio.timeout(self.quota.seconds):
                return Answer(msgspec.to_builtins(await verb(*ask.values), builtin_types=(bytes,)))
        except NodeError as error:
            return Answer(error=error.message, field=error.field, retry=error.retry)
        except TimeoutError:
            return Answer(error=f"'{ask.power}' did not answer within {self.quota.seconds:g} s.", retry=True)
        except (TypeError, ValueError, LookupError, msgspec.ValidationError) as error:
            return Answer(error=f"'{ask.power}.{ask.verb}' can't be asked like that: {str(error)[:200]}.")


def believed(reply: Reply, bounds: Bounds) -> Reply:
    """What a guest said, brought to what it may say: plain values within the bounds, words of a length to be shown."""
    cut = msgspec.structs.replace(
        reply,
        printed=reply.printed[: bounds.printed],
        cut=reply.cut or len(reply.printed) > bounds.printed,
        message=reply.message[:2000],
        kind=reply.kind[:SHOWN],
        source=reply.source[:300],
        line=min(max(reply.line, 0), 1_000_000),
        cpu=reply.cpu if 0 <= reply.cpu < 1e6 else 0.0,
        memory=reply.memory if 0 <= reply.memory < 1 << 50 else 0,
    )
    try:
        return msgspec.structs.replace(cut, value=carried(cut.value, bounds))
    except NotCarried as error:
        return msgspec.structs.replace(cut, why="value", value=None, message=str(error))


def _size(value: Any) -> int:
    """Roughly, in bytes."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, list):
        return 8 + sum(map(_size, value))
    if isinstance(value, dict):
        return 8 + sum(_size(name) + _size(item) for name, item in value.items())
    return 8
