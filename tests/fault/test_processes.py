"""Steps that misbehave inside their process, clocks that are wrong, and web processes that are killed."""

import asyncio
import http.client
from uuid import UUID

import pytest

from tests.factories.accounts import an_actor, an_api_key
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.web import Web
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]


async def test_f_15_a_step_that_holds_the_event_loop(folder, full):
    """Its worker stops its own heart, so the other runs go on elsewhere; no second copy begins beside the first."""
    runs, seconds = (100, 60.0) if full else (15, 20.0)
    async with world(folder) as it:
        [blocking] = await it.start_all(steps.chain(("fault.block", seconds), name="holds the loop"), 1, "block")
        await it.until("select count(*) > 0 from node_attempt where run_id = $1", blocking)
        await it.load(runs, 0.1, pace=0.02)
        await it.quiet(seconds + 30)
        await check(it, exact_doubts=False)
        starts = [call for call in it.calls() if call["run"] == str(blocking)]
        assert len({call["pid"] for call in starts}) == len(starts) > 1, (
            "it was not taken over, or twice in one process"
        )
        others = await it.ask(
            "select id from run where id <> $1 and finished_at - created_at > interval '20 seconds'", blocking
        )
        assert not others, "other runs stood still with it"


async def test_f_16_a_step_that_swallows_cancellation(folder, full):
    """It is never there twice at once: nothing of its run begins before it has really ended."""
    runs = 50 if full else 6
    async with world(folder) as it:
        [(workspace, version)] = await it.flow(steps.chain(("fault.deaf", 3.0), name="deaf"))
        from app.runs import service

        started = [await it.start(workspace, version, f"deaf-{i}") for i in range(runs)]
        await it.until("select count(*) > 0 from node_attempt")
        for run in started:
            await service.cancel(workspace, run)
        it.note("cancelled")
        await it.quiet(60)
        await it.until("select not exists (select from run where status = 'running')")
        await asyncio.sleep(4)  # until what swallows cancellation has said that it ended
        for run in started:
            kinds = [call["kind"] for call in it.calls() if call["run"] == str(run)]
            assert kinds in ([], ["start"], ["start", "end"]), f"two copies: {kinds}"


async def test_f_22_workers_whose_clocks_are_an_hour_wrong(folder, full):
    """No timer rings early or late by it, and nobody loses a lease: only the database's clock counts."""
    runs = 300 if full else 12
    async with world(folder, workers=1) as it:
        await it.spawn(skew=3600.0)
        await it.spawn(skew=-3600.0)
        await it.ready(3)
        it.note("clocks wrong")
        await it.start_all(steps.resting(3.0), runs, "timer")
        await it.load(runs, 0.05)
        await it.quiet(90)
        figures = await check(it)
        assert figures["succeeded"] == 2 * runs
        assert not await it.ask("select id from run where crash_count > 0")
        took = await it.ask(
            """select extract(epoch from finished_at - created_at) as s from run r
                where exists (select from node_exec n where n.run_id = r.id and n.node_id = 'rest')"""
        )
        assert all(3.0 <= row["s"] for row in took), "a timer rang early"
        assert sorted(row["s"] for row in took)[len(took) // 2] < 3.0 + 5.0, "timers ring late"


async def test_f_30_the_web_process_is_killed_while_runs_are_started(folder, full):
    """Callers repeat what was not answered, with their idempotency key: one run for each key, whatever was killed."""
    runs, kills = (500, 20) if full else (40, 2)
    async with world(folder) as it:
        actor = await an_actor()
        it.in_workspace(actor.workspace_id)
        [(_, version)] = await it.flow(steps.pausing())
        [(flow_id,)] = await it.ask("select flow_id from flow_version where id = $1", version)
        headers = {"authorization": f"Bearer {await an_api_key(actor)}"}
        web, asked = Web(), [0]
        web.start()
        try:
            nemesis = asyncio.create_task(kill_now_and_then(it, web, kills, asked, runs))
            await asyncio.gather(*(post_all(it, web, flow_id, headers, n, runs, asked) for n in range(4)))
            await nemesis
        finally:
            web.kill()
        await it.quiet(60)
        figures = await check(it)
        assert figures["faults"]["web"] == kills and figures["succeeded"] == runs == len(set(it.accepted))
        assert asked[0] > runs, "no request was cut off: the fault did not happen"


async def kill_now_and_then(it: World, web: Web, kills: int, asked: list[int], runs: int) -> None:
    """As soon as a share of the runs has been accepted, so that every kill hits requests under way."""
    for n in range(1, kills + 1):
        while len(it.accepted) < n * runs // (kills + 2):
            await asyncio.sleep(0.002)
        await asyncio.to_thread(web.kill)
        it.note("web killed")
        web.start()


async def post_all(
    it: World, web: Web, flow_id: UUID, headers: dict[str, str], n: int, runs: int, asked: list[int]
) -> None:
    for i in range(n, runs, 4):
        while True:
            asked[0] += 1
            try:
                status, answer = await asyncio.to_thread(
                    web.post,
                    f"/api/v1/flows/{flow_id}/runs",
                    {"input": {"i": i}},
                    **headers,
                    **{"idempotency-key": f"k{i}"},
                )
            except (OSError, http.client.HTTPException, ValueError):
                await asyncio.sleep(0.1)
                continue
            assert status == 202, answer
            it.accepted.append(UUID(answer["id"]))
            break
