"""Results that are kept for equal inputs (rules 90 to 95): who may keep, what a result is known by, and the store."""

import asyncio
import logging
from collections.abc import Coroutine
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from flows.sdk.context import Context
from flows.sdk.node import Effect, NodeType

if TYPE_CHECKING:
    from flows.frame import Frame
    from flows.plan import Step

log = logging.getLogger("agentbase.keeping")

KEEPABLE: frozenset[Effect] = frozenset({"pure", "repeatable_costed"})
LONGEST_KEPT = 30 * 24 * 3600
"""Seconds a result may be kept."""
MOST_KEPT_BYTES = 1024 * 1024
"""JSON of one result. A larger one is not kept; the step runs each time."""
PATIENCE = 2.0
"""Seconds the store has for an answer; after that the step runs as if nothing were kept."""

_json = msgspec.json.Encoder(order="deterministic")


class Keeping(Protocol):
    """Where results are kept. What one workspace keeps, no other can ever be given."""

    async def recall(self, workspace_id: str, key: bytes) -> str | None:
        """JSON text of the outputs kept under this key, if their time is not up."""
        ...

    async def keep(self, workspace_id: str, key: bytes, type: str, output: str, seconds: float) -> None:
        """In the place of what was kept under this key before. `type`: of the step, for people."""
        ...

    async def model(self, workspace_id: str, asked: str) -> str:
        """The model that is called when a step asks for `asked` ("" = the workspace's default)."""
        ...


class Place(Struct):
    """Where the result of one step is kept. `found`: its outputs, None when it has to run."""

    store: Keeping
    key: bytes
    found: Any = None


def why_not_kept(type: NodeType[Any, Any, Any], settings: Any) -> str:
    """Why results of such a step can't be kept; "" when they can."""
    if type.trigger is not None or type.container or type.subflow or type.undo or type.ends or type.early:
        return "what it does is not in its outputs alone"
    if type.waits or type.join_of is not None:
        return "what it gives depends on when things happen"
    if settings is not None and type.effect_with(settings) not in KEEPABLE:
        return "it acts on something outside, so it has to run each time"
    return ""


async def kept_or_made(
    step: "Step", frame: "Frame", ctx: Context, making: Coroutine[Any, Any, Any]
) -> tuple[Any, bool]:
    """The outputs, and whether they were kept; what had to be made is kept from now on. Raises what `making` raises."""
    try:
        place = await _looked_up(frame, step, ctx)
        if place is not None and place.found is not None:
            return place.found, True
        out = await making
    finally:
        making.close()
    if place is not None:
        await _keep(place, step, ctx, out)
    return out, False


async def _looked_up(frame: "Frame", step: "Step", ctx: Context) -> Place | None:
    """What is kept for this step with these inputs. None: nothing can be kept here. Never fails: it only saves work."""
    store = ctx.run.keeping
    if store is None or step.kind is None:
        return None
    workspace = ctx.workspace_id
    try:
        async with asyncio.timeout(PATIENCE):
            settings, inputs = step.prepare(frame.outs, frame.facts)
            asked = str(getattr(settings, "model", "") or "")
            model = await store.model(workspace, asked) if "llm" in step.needs else ""
            known = (workspace, step.kind.name, step.kind.version, model, settings, inputs, *_read(step, ctx, settings))
            place = Place(store, blake2b(_json.encode(known), digest_size=32, person=b"agentbase.kept").digest())
            if not ctx.run.afresh and (text := await store.recall(workspace, place.key)) is not None:
                place.found = msgspec.json.decode(text, type=step.outputs)
    except Exception as error:
        log.info("step %s: nothing is looked up: %s", step.id, error)
        return None
    return place


def _read(step: "Step", ctx: Context, settings: Any) -> list[dict[str, Any]]:
    """The variables that the step looks up itself, not by its settings: other values, other results."""
    names = step.kind.reads(settings) if step.kind is not None and step.kind.reads is not None else ()
    if not names:
        return []
    there = ctx.run.vars or {}
    return [dict(there) if "" in names else {name: there.get(name) for name in names}]


async def _keep(place: Place, step: "Step", ctx: Context, out: Any) -> None:
    """Keep what the step gave. Never fails."""
    if step.kind is None or out.__class__ is not step.outputs:
        return
    try:
        text = _json.encode(out)
        if len(text) <= MOST_KEPT_BYTES:
            async with asyncio.timeout(PATIENCE):
                await place.store.keep(ctx.workspace_id, place.key, step.kind.name, text.decode(), step.keep)
    except Exception as error:
        log.info("step %s: its result is not kept: %s", step.id, error)
