"""Runs that can't go on alone: they are given what they wait for, their doubts are settled, they are taken up again."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app import events
from app.db import tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs.running import host
from app.runs.service.asked import input_text, may_run, must_exist, person_of, workspace_of
from app.web import Actor
from flows.breaks import BREAK
from flows.ledger import postgres_verbs as verbs


async def signal(
    who: Actor | UUID,
    run_id: UUID,
    name: str,
    data: Any = None,
    *,
    dedupe_key: str = "",
    sender: str = "",
    step: str = "",
) -> None:
    """Give a run what it waits for. It may come before the run waits; the same dedupe key counts once.

    `step`: "node" or "node:round", for one of several steps that wait for the same; "" = the first.

    Raises NotFound, and Conflict for a run that has ended.
    """
    may_run(who)
    if name == BREAK:
        raise Refused("This signal is the program's own.", remedy="Choose another name.", field="name")
    sender = sender or (who.name or who.email if isinstance(who, Actor) else "")
    async with tenant_tx(workspace_of(who)) as tx:
        await must_exist(tx, run_id)
        try:
            lane = await verbs.signal_run(
                tx, run_id, name, input_text(data), by=person_of(who), sender=sender, dedupe_key=dedupe_key, step=step
            )
        except LookupError:
            raise Conflict("This run has ended: nothing waits for an answer any more.") from None
    if lane is not None:
        await host().nudge(lane)


async def decide(actor: Actor, run_id: UUID, node: str, iter: str, *, happened: bool, output: Any = None) -> None:
    """Settle a doubt: the step took effect (with this output), or it did not and is tried again. Kept as an event."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await must_exist(tx, run_id)
        try:
            text = input_text(output if output is not None else {})
            lane = await verbs.decide_step(
                tx, run_id, node, iter, happened=happened, output=text, by=str(actor.user_id)
            )
        except LookupError:
            raise Conflict("This step is not in doubt any more.", remedy="Reload the page.") from None
        told = {"run": str(run_id), "node": node, "iter": iter, "happened": happened, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.decided", told)
    if lane is not None:
        await host().nudge(lane)


async def decide_all(actor: Actor, places: Iterable[tuple[UUID, str, str]], *, happened: bool) -> tuple[int, int]:
    """Settle many doubts with one answer: (settled, those that somebody or a late outcome had settled before)."""
    done = gone = 0
    for run_id, node, iter in places:
        try:
            await decide(actor, run_id, node, iter, happened=happened)
            done += 1
        except (Conflict, NotFound):
            gone += 1
    return done, gone


async def again(actor: Actor, run_id: UUID) -> None:
    """Take up a run that was given up after crashes, where it stood."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await must_exist(tx, run_id)
        lane = await verbs.run_again(tx, run_id, str(actor.user_id))
        if lane is None:
            raise Conflict("This run can't be taken up again.", remedy="Reload the page.")
        told = {"run": str(run_id), "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.taken-up", told)
    await host().nudge(lane)
