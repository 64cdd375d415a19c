"""Limits of a flow: set by page and API, kept by what is claimed, told by the run's page."""

from itertools import pairwise
from uuid import UUID, uuid4

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.runs import limits, limits_drain, queries, service
from app.runs.limits import Limits
from tests.factories.accounts import an_api_key
from tests.factories.runs import a_chain, a_version, a_worker, wait_for


async def the_line(workspace, run):
    async with tenant_tx(workspace) as tx:
        return await tx.fetchval("select line from run where id = $1", run)


async def set_status(workspace, run, status):
    async with tenant_tx(workspace) as tx:
        await tx.execute("update run set status = $2 where id = $1", run, status)


@pytest.fixture
def editor(signed_in):
    return signed_in.actor


@pytest.fixture
async def flow(editor):
    return await a_version(a_chain(3, start="start.api"), editor.workspace_id)


async def test_equal_keys_queue_in_one_line_and_others_in_another(flow, editor):
    workspace, flow_id, version = flow
    await service.limit(editor, flow_id, Limits(key="input.customer", per_key=1))
    ids = [await service.start(editor, version, {"customer": c}, trigger="api") for c in ("a", "b", "a", None)]
    a, b, same, without = [await the_line(workspace, each) for each in ids]
    assert a == same != b
    assert without == await the_line(workspace, await service.start(editor, version, {}, trigger="api")) == str(flow_id)


async def test_rule_125_a_key_knows_variables_and_is_not_saved_while_one_is_missing(flow, editor):
    workspace, flow_id, version = flow
    with pytest.raises(Refused, match="There is no variable 'region' here"):
        await service.limit(editor, flow_id, Limits(key="input.customer + vars.region", per_key=1))
    lines = []
    for region in ("eu", "us"):
        async with tenant_tx(workspace) as tx:
            await service.put_variables(tx, workspace, None, {"region": region}, None)
        await service.limit(editor, flow_id, Limits(key="input.customer + vars.region", per_key=1))
        run = await service.start(editor, version, {"customer": "a"}, trigger="api")
        lines.append(await the_line(workspace, run))
    assert len({*lines, str(flow_id)}) == 3


async def test_a_limit_counts_for_what_is_queued_already(flow, editor):
    workspace, flow_id, version = flow
    before = await service.start(editor, version, {}, trigger="api")
    await service.limit(editor, flow_id, Limits(running=1))
    assert await the_line(workspace, before) == str(flow_id)


async def test_a_flow_with_limits_leaves_the_express_lane_and_comes_back(flow, editor):
    _, flow_id, version = flow
    ready = await service.mine(editor, version)
    assert await ready.runs_here()
    await service.limit(editor, flow_id, Limits(running=1))
    assert not await ready.runs_here()
    await service.limit(editor, flow_id, Limits())
    assert await ready.runs_here()


async def test_the_run_says_what_it_waits_for(flow, editor):
    workspace, flow_id, version = flow
    await service.limit(editor, flow_id, Limits(running=2, key="input.customer", per_key=1))
    first, second, third, fourth = [
        await service.start(editor, version, {"customer": c}, trigger="api") for c in ("a", "a", "b", "c")
    ]
    assert (await queries.run(editor, second)).waits == ""
    await set_status(workspace, first, "running")
    told = (await queries.run(editor, second)).waits
    assert told == "1 of 1 run of this flow for the same key is under way."
    await set_status(workspace, third, "running")
    assert (await queries.run(editor, fourth)).waits == "2 of 2 runs of this flow are under way."


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Limits(running=0), "running"),
        (Limits(running=10_001), "running"),
        (Limits(key="input.x"), "per_key"),
        (Limits(per_key=1), "key"),
        (Limits(key="input.(", per_key=1), "key"),
        (Limits(key="x" * 501, per_key=1), "key"),
    ],
)
async def test_what_can_not_be_a_limit_is_refused_at_its_field(flow, editor, wanted, field):
    with pytest.raises(Refused) as refused:
        await service.limit(editor, flow[1], wanted)
    assert refused.value.field == field
    assert (await limits.of(editor, flow[1])).limits == Limits()


async def test_who_may_only_look_and_who_belongs_elsewhere(flow, editor):
    viewer = msgspec.structs.replace(editor, role="viewer")
    with pytest.raises(NotAllowed):
        await service.limit(viewer, flow[1], Limits(running=1))
    with pytest.raises(NotFound):
        await limits.of(editor, uuid4())


async def test_the_page_sets_them_and_keeps_what_was_written_wrong(flow, signed_in):
    path = f"/flows/{flow[1]}/limits"
    assert "Runs at once" in (await signed_in.get(path)).text
    wrong = await signed_in.post(path, data={"running": "many", "key": "input.customer", "per_key": "1"})
    assert "This is no whole number." in wrong.text and 'value="many"' in wrong.text
    done = await signed_in.post(path, data={"running": "3", "key": " input.customer ", "per_key": "1"})
    assert done.status_code in (200, 303)
    assert (await limits.of(signed_in.actor, flow[1])).limits == Limits(3, "input.customer", 1)
    assert 'value="3"' in (await signed_in.get(path)).text


async def test_the_api_says_and_sets_them(flow, editor, client):
    path = f"/api/v1/flows/{flow[1]}/limits"
    key = {"authorization": f"Bearer {await an_api_key(editor)}"}
    done = await client.put(path, json={"running": 2}, headers=key)
    assert done.status_code == 200, done.text
    assert (await client.get(path, headers=key)).json()["limits"] == {
        "running": 2, "key": "", "per_key": None, "bulk": False,
    }  # fmt: skip
    assert (await client.put(path, json={"running": 0}, headers=key)).status_code in (400, 422)


async def test_the_run_page_shows_it(flow, signed_in):
    workspace, flow_id, version = flow
    await service.limit(signed_in.actor, flow_id, Limits(running=1))
    first, second = [await service.start(signed_in.actor, version, {}, trigger="api") for _ in range(2)]
    await set_status(workspace, first, "running")
    shown = await signed_in.get(f"/runs/{second}")
    assert "1 of 1 run of this flow is under way." in shown.text


@pytest.mark.parametrize(
    ("cap", "rate", "seconds"), [(10_000, 100, 1), (10_000, 10, 10), (10_000, 0.1, 300), (10_000, 0, 300), (1, 1, 1)]
)
def test_who_finds_the_queue_full_is_told_when_a_hundredth_is_free(cap, rate, seconds):
    assert limits_drain.wait(cap, rate) == seconds


async def test_a_full_queue_answers_429_with_the_seconds_of_its_real_rate(flow, editor, client):
    workspace, flow_id, version = flow
    async with system_tx("test") as tx:
        await tx.execute("insert into run_quota (workspace_id, queued) values ($1, 600)", workspace)
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, trigger, finished_at)
               select $1, $2, $3, 'succeeded', 'test', clock_timestamp() from generate_series(1, 180)""",
            workspace, flow_id, version,
        )  # fmt: skip
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, trigger)
               select $1, $2, $3, 'queued', 'test' from generate_series(1, 601)""",
            workspace, flow_id, version,
        )  # fmt: skip
    key = {"authorization": f"Bearer {await an_api_key(editor)}"}
    full = await client.post(f"/api/v1/flows/{flow_id}/runs", json={"input": {}}, headers=key)
    assert full.status_code == 429, full.text
    assert full.headers["retry-after"] == "2"  # six places at three a second


async def test_runs_of_a_full_flow_follow_each_other_at_once(flow, editor):
    """The worker whose run ends looks again itself: nobody waits for the next look of two seconds."""
    workspace, flow_id, version = flow
    await service.limit(editor, flow_id, Limits(running=1))
    ids = [await service.start(editor, version, {}, trigger="api") for _ in range(6)]
    async with a_worker():
        for each in ids:
            await wait_for(workspace, each, "succeeded")
    async with tenant_tx(workspace) as tx:
        rows = await tx.fetch("select started_at, finished_at from run where id = any ($1) order by started_at", ids)
    assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(rows))
    took = (rows[-1]["started_at"] - rows[0]["started_at"]).total_seconds()
    assert took < 5  # five looks of two seconds are ten


async def test_the_api_starts_with_a_priority(flow, editor, client):
    workspace, flow_id, _ = flow
    key = {"authorization": f"Bearer {await an_api_key(editor)}"}
    path = f"/api/v1/flows/{flow_id}/runs"
    made = await client.post(path, json={"input": {}, "priority": 7}, headers=key)
    async with tenant_tx(workspace) as tx:
        assert await tx.fetchval("select priority from run where id = $1", UUID(made.json()["id"])) == 7
    assert (await client.post(path, json={"input": {}, "priority": 11}, headers=key)).status_code in (400, 422)


async def lane_of(workspace, run):
    async with tenant_tx(workspace) as tx:
        return await tx.fetchval("select lane from run where id = $1", run)


async def test_a_flow_that_is_bulk_queues_behind_all_others_unless_somebody_waits(flow, editor):
    workspace, flow_id, version = flow
    before = await service.start(editor, version, {}, trigger="api")
    await service.limit(editor, flow_id, Limits(bulk=True))
    queued = await service.start(editor, version, {}, trigger="api")
    waited = await service.start(editor, version, {}, trigger="api", lane="interactive")
    lanes = [await lane_of(workspace, each) for each in (before, queued, waited)]
    assert lanes == ["bulk", "bulk", "interactive"] and await the_line(workspace, queued) == ""
    assert await (await service.mine(editor, version)).runs_here()  # an answer at once is as quick as before
    async with a_worker():
        for run in (before, queued, waited):
            await wait_for(workspace, run, "succeeded")
    await service.limit(editor, flow_id, Limits())
    assert await lane_of(workspace, await service.start(editor, version, {}, trigger="api")) == "normal"


async def test_bulk_begins_while_the_workspace_uses_less_than_half_of_its_limit_and_says_so(flow, editor):
    workspace, _, version = flow
    async with system_tx("test") as tx:
        await tx.execute("insert into run_quota (workspace_id, running) values ($1, 4)", workspace)
    busy = [await service.start(editor, version, {}, trigger="api", lane="interactive") for _ in range(2)]
    bulk = await service.start(editor, version, {}, trigger="api", lane="bulk")
    async with system_tx("test") as tx:  # at work on a machine that lives
        await tx.execute(
            """insert into worker (id, boot_id, host, pid, slots, dead_after, heartbeat_at)
               values ($1, $1, 'elsewhere', 1, 2, interval '1 hour', clock_timestamp())""",
            workspace,
        )
        await tx.execute("update run set status = 'running', owner_worker = $2 where id = any ($1)", busy, workspace)
    assert "it is bulk, and begins when fewer than 2 runs" in (await queries.run(editor, bulk)).waits
    other, _, others = await a_version(a_chain(3, start="start.api"))
    async with a_worker():
        await wait_for(workspace, await service.start(editor, version, {}, trigger="api"), "succeeded")
        elsewhere = await service.start(other, others, {}, trigger="api", lane="bulk")
        await wait_for(other, elsewhere, "succeeded")  # so the lane was looked at
        assert (await wait_for(workspace, bulk, "queued", "running", "succeeded"))["status"] == "queued"
        await set_status(workspace, busy[0], "cancelled")
        await wait_for(workspace, bulk, "succeeded")


async def test_the_api_starts_a_run_in_bulk_and_the_page_shows_where_the_flow_stands(signed_in, api, app):
    _, flow_id, _ = await a_version(a_chain(3, start="start.api"), signed_in.actor.workspace_id)
    started = await api.post(f"/api/v1/flows/{flow_id}/runs", json={"input": {}, "lane": "bulk"})
    assert started.status_code == 202
    shown = await signed_in.get(f"/runs/{started.json()['id']}")
    assert "Bulk" in shown.text
    page = await signed_in.get(f"/flows/{flow_id}/limits")
    assert "Queued: 1 bulk" in page.text and "0 of 50" in page.text
    saved = await signed_in.post(f"/flows/{flow_id}/limits", data={"running": "3", "bulk": "on"})
    assert saved.status_code == 303
    told = (await api.get(f"/api/v1/flows/{flow_id}/limits")).json()
    assert told["limits"] == {"running": 3, "key": "", "per_key": None, "bulk": True}
    assert told["now"]["queued"] == {"bulk": 1}
    assert "checked" in (await signed_in.get(f"/flows/{flow_id}/limits")).text
    assert (await api.post(f"/api/v1/flows/{flow_id}/runs", json={"lane": "quarantine"})).status_code in (400, 422)


async def test_ten_thousand_queued_in_bulk_do_not_delay_somebody_who_waits(flow, editor):
    workspace, _, version = flow
    first = await service.start(editor, version, {}, trigger="api", lane="bulk")
    async with system_tx("test") as tx:
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, lane, trigger, input)
               select workspace_id, flow_id, version_id, 'queued', 'bulk', 'api', '{}'
                 from run, generate_series(1, 9999) where id = $1""",
            first,
        )
    async with a_worker():
        late = []
        for _ in range(20):
            run = await service.start(editor, version, {}, trigger="api", lane="interactive")
            row = await wait_for(workspace, run, "succeeded")
            late.append((row["started_at"] - row["created_at"]).total_seconds())
        async with tenant_tx(workspace) as tx:
            left = await tx.fetchval("select count(*) from run where lane = 'bulk' and status = 'queued'")
    assert 0 < left < 10_000 and sorted(late)[18] < 1.0, late
