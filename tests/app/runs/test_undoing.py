"""Undo, answer now, questions in rounds: through PostgreSQL and a real worker. The rules are tested in tests/flows."""

import asyncio
from typing import Any

import msgspec

from app.db import tenant_tx
from app.runs import service
from flows.model import Edge, Flow, NodeUse
from tests.factories.runs import a_version, a_worker, wait_for


def wired(nodes: list[NodeUse], wires: str) -> Flow:
    return Flow(nodes, [Edge(*wire.split(">")) for wire in wires.split()])


async def rows_of(workspace: Any, run: Any) -> dict[str, str]:
    async with tenant_tx(workspace) as tx:
        rows = await tx.fetch("select node_id, iter_path, status from node_exec where run_id = $1", run)
    return {f"{r['node_id']}:{r['iter_path']}" if r["iter_path"] else r["node_id"]: r["status"] for r in rows}


def undoable(*more: NodeUse, wires: str) -> Flow:
    nodes = [NodeUse("start", "start.api"), NodeUse("undo", "logic.undo"), NodeUse("back", "data.json"), *more]
    return wired(nodes, f"start.input>undo.value undo.value>back.source {wires}")


async def test_a_run_that_fails_is_undone_by_the_worker(engine):
    stop = NodeUse("stop", "logic.stop", settings={"outcome": "failure", "message": "too much"})
    workspace, _, version = await a_version(undoable(stop, wires="start.input>stop.data"))
    async with a_worker():
        run = await service.start(workspace, version, {"n": 1}, trigger="api")
        row = await wait_for(workspace, run, "failed", "succeeded", "in_doubt")
    assert row["status"] == "failed" and msgspec.json.decode(row["error"])["message"] == "too much"
    assert await rows_of(workspace, run) == {
        "start": "succeeded", "undo": "succeeded", "back": "succeeded", "stop": "succeeded",
    }  # fmt: skip


async def test_a_sleeping_run_that_is_cancelled_is_undone_first(engine):
    ask = NodeUse("ask", "people.approval")
    workspace, _, version = await a_version(undoable(ask, wires="start.input>ask.value"))
    async with a_worker():
        run = await service.start(workspace, version, {"n": 1}, trigger="api")
        await wait_for(workspace, run, "waiting")
        assert "back" not in await rows_of(workspace, run)
        assert await service.cancel(workspace, run) == "asked"
        await wait_for(workspace, run, "cancelled")
    assert (await rows_of(workspace, run))["back"] == "succeeded"


async def test_who_waits_gets_the_answer_now_and_the_run_goes_on(engine):
    nodes = [NodeUse("start", "start.api"), NodeUse("now", "show.reply"), NodeUse("ask", "people.approval")]
    workspace, _, version = await a_version(wired(nodes, "start.input>now.data start.input>ask.value"))
    async with a_worker():
        outcome = await service.answer(workspace, version, {"n": 1}, trigger="api", patience=8)
        assert outcome.answered and outcome.output["data"] == {"n": 1}
        await wait_for(workspace, outcome.run_id, "waiting")
        await service.signal(workspace, outcome.run_id, "approval", {"choice": "approve"}, step="ask")
        row = await wait_for(workspace, outcome.run_id, "succeeded", "failed")
    assert row["status"] == "succeeded" and msgspec.json.decode(row["output"])["data"] == {"n": 1}


async def test_people_who_are_asked_in_several_rounds_at_once_answer_each_their_own(engine):
    nodes = [
        NodeUse("start", "start.api"), NodeUse("rows", "data.json", settings={"path": "rows"}),
        NodeUse("each", "logic.each"), NodeUse("ask", "people.approval", parent="each"), NodeUse("end", "show.answer"),
    ]  # fmt: skip
    wires = (
        "start.input>rows.source rows.value>each.items each.item>ask.value ask.approved>each.result "
        "each.results>end.data"
    )
    workspace, _, version = await a_version(wired(nodes, wires))
    async with a_worker():
        run = await service.start(workspace, version, {"rows": ["a", "b", "c"]}, trigger="api")
        for nth, choice in ((2, "approve"), (0, "reject"), (1, "approve")):
            while (await rows_of(workspace, run)).get(f"ask:{nth}") != "waiting":
                await asyncio.sleep(0.02)
            await service.signal(workspace, run, "approval", {"choice": choice}, step=f"ask:{nth}")
        row = await wait_for(workspace, run, "succeeded", "failed")
    assert msgspec.json.decode(row["output"])["data"] == ["b", "c"]
