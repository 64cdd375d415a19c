"""Finding runs: filters, words, pages; many at once; two side by side; how long they are kept."""

import re
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from app import clock
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.runs import comparing, jobs, listing, retention, service, shares, words
from app.runs.listing import RunFilter, filter_of
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version, an_approval


async def some(actor, number, name="chain", **given):
    _, flow, version = await a_version(a_chain(3, name=name, start="start.api"), actor.workspace_id)
    ids = [(await service.answer(actor, version, {"n": n, **given}, trigger="api")).run_id for n in range(number)]
    return flow, version, ids


async def found(actor, **wanted):
    return [row.id for row in (await listing.listed(actor, RunFilter(**wanted))).runs]


async def test_each_filter_leaves_out_what_it_says(engine):
    actor = await an_actor()
    flow, _, done = await some(actor, 2)
    _, other, asking = await a_version(an_approval(), actor.workspace_id)
    queued = await service.start(actor, asking, {}, trigger="api")
    async with system_tx("test") as tx:
        await tx.execute("update run set cost_micros = 50000, trigger = 'schedule:night' where id = $1", done[0])
        await tx.execute("update run set created_at = now() - interval '2 days' where id = $1", done[1])
        await tx.execute("update run set started_at = finished_at - interval '9 seconds' where id = $1", done[1])
    assert await found(actor) == [queued, done[0], done[1]]
    assert await found(actor, flow=other) == [queued]
    assert await found(actor, state="queued") == [queued]
    assert await found(actor, state="succeeded", period="day") == [done[0]]
    assert await found(actor, trigger="schedule") == [done[0]]
    assert await found(actor, cost=10_000) == [done[0]]
    assert await found(actor, seconds=5, state="succeeded") == [done[1]]
    assert await found(actor, version=1, flow=flow) == done
    assert await found(actor, version=2) == []
    assert await found(actor, until=clock.now() - timedelta(days=1.5)) == [done[1]]


async def test_words_are_found_in_input_and_output_and_only_in_ones_own_workspace(engine):
    actor, stranger = await an_actor(), await an_actor()
    await some(stranger, 1, order="FH-204117 Zwiebeln")
    _, _, ids = await some(actor, 1, order="FH-204117 Zwiebeln", api_key="sk-live-0123456789abcdefghij")
    while await words.write_down() >= words.BATCH:
        pass
    assert await found(actor, q="204117 zwieb") == ids
    assert await found(actor, q="fh-204117") == ids
    assert await found(actor, q=str(ids[0])[-6:]) == ids
    assert await found(actor, q="204118") == []
    assert await found(actor, q="live 0123456789abcdefghij") == []
    assert await found(actor, q="'; drop table run; --") == []


async def test_pages_have_every_run_once_whatever_their_times(engine):
    actor = await an_actor()
    _, _, ids = await some(actor, 1)
    async with system_tx("test") as tx:
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, trigger, created_at)
               select workspace_id, flow_id, version_id, 'succeeded', 'api', created_at - (n / 7) * interval '1 second'
               from run, generate_series(1, 130) n where id = $1""",
            ids[0],
        )
    seen, before = [], ""
    while True:
        one = await listing.listed(actor, RunFilter(), before)
        seen += [row.id for row in one.runs]
        before = one.before
        if not before:
            break
    assert len(seen) == len(set(seen)) == 131


def test_a_filter_is_its_link_and_nonsense_in_a_link_is_left_out():
    flow = uuid4()
    wanted = filter_of(
        {"q": "a b", "state": "failed", "flow": str(flow), "cost": "1.5", "seconds": "2", "since": "2026-11-01"}
    )
    assert (wanted.cost, wanted.seconds, wanted.flow) == (15_000, 2.0, flow)
    assert dict(pair.split("=") for pair in wanted.link().split("&")) == {
        "q": "a+b", "state": "failed", "flow": str(flow), "cost": "1.5", "seconds": "2", "since": "2026-11-01",
    }  # fmt: skip
    assert filter_of({"state": "x", "flow": "no", "cost": "much", "since": "yesterday", "version": "-1"}) == RunFilter()


async def test_the_list_asks_as_much_for_many_runs_as_for_few(signed_in, statements):
    async def asked(path):
        statements.clear()
        assert (await signed_in.get(path)).status_code == 200
        return len(statements)

    await some(signed_in.actor, 1)
    await asked("/runs"), await asked("/runs?q=n")  # what a process remembers is not counted
    few = [await asked("/runs"), await asked("/runs?q=n")]
    await some(signed_in.actor, 20)
    assert [await asked("/runs"), await asked("/runs?q=n")] == few
    assert few[1] <= few[0] + 2


async def test_a_flow_has_the_same_list_of_its_own(signed_in, stranger):
    flow, _, ids = await some(signed_in.actor, 2)
    await some(signed_in.actor, 1, name="another")
    page = await signed_in.get(f"/flows/{flow}/runs")
    assert page.status_code == 200 and page.text.count('name="run"') == 2 and f"/runs/{ids[0]}" in page.text
    assert (await signed_in.get(f"/flows/{flow}/runs?state=failed")).text.count('name="run"') == 0
    theirs, _, _ = await some(stranger.actor, 1)
    assert (await signed_in.get(f"/flows/{theirs}/runs")).status_code == 404


async def test_many_are_cancelled_and_begun_again(signed_in):
    actor = signed_in.actor
    _, flow, version = await a_version(an_approval(), actor.workspace_id)
    ids = [await service.start(actor, version, {"n": n}, trigger="api") for n in range(3)]
    await signed_in.post("/runs/cancellations", data={"run": [str(each) for each in ids]})
    assert await found(actor, flow=flow, state="cancelled") == ids[::-1]
    await signed_in.post("/runs/replays", data={"run": [str(ids[0]), str(uuid4())]})
    again = (await listing.listed(actor, RunFilter(flow=flow, state="queued"))).runs
    assert [row.again for row in again] == [True]
    assert (await signed_in.post("/runs/cancellations", data={})).status_code == 422


async def test_two_runs_are_compared_step_by_step(signed_in):
    actor = signed_in.actor
    _, _, ids = await some(actor, 2)
    both = await comparing.compared(actor, ids[1])
    assert (both.a.id, both.b.id) == tuple(ids)
    assert [(pair.key, pair.same) for pair in both.pairs] == [("start", False), ("s0", False), ("answer", False)]
    assert [line.text for line in both.input if line.mark == "added"] == ['  "n": 1']
    shown = await signed_in.get(f"/runs/compare?a={ids[1]}")
    assert shown.status_code == 200 and "3 of 3 steps differ" in shown.text
    with pytest.raises(NotFound):
        await comparing.compared(actor, ids[0])


async def test_whoever_comes_to_compare_without_two_runs_chooses_them(signed_in, stranger):
    actor = signed_in.actor
    nothing = await signed_in.get("/runs/compare")
    assert nothing.status_code == 200 and "Nothing to compare yet" in nothing.text
    flow, _, ids = await some(actor, 3)
    other, _, _ = await some(actor, 2, name="another")
    _, _, theirs = await some(stranger.actor, 2)

    newest = await signed_in.get("/runs/compare")
    assert newest.text.count('type="checkbox" name="run"') == 2  # of the flow that ran last
    both = await signed_in.get(f"/runs/compare?choose=&flow={flow}")
    assert both.text.count('type="checkbox" name="run"') == 3 and f'value="{other}"' in both.text

    first = await signed_in.get(f"/runs/compare?a={ids[0]}")
    assert first.status_code == 200 and "no run of this flow before it" in first.text
    assert re.findall(r'name="run" value="([^"]+)"[^>]* checked', first.text) == [str(ids[0])]
    three = await signed_in.get("/runs/compare?" + "&".join(f"run={each}" for each in ids))
    assert three.status_code == 422 and "Two runs are compared at a time" in three.text

    for query in (
        f"a={theirs[0]}",
        f"run={ids[0]}&run={theirs[0]}",
        "a=nonsense",
        f"a={uuid4()}",
        f"a={ids[1]}&b=%3Ci",
    ):
        missing = await signed_in.get(f"/runs/compare?{query}")
        assert missing.status_code == 404 and "not here" in missing.text and str(theirs[0]) not in missing.text, query
    theirs_flow = await signed_in.get("/runs/compare?flow=" + str(uuid4()))
    assert theirs_flow.status_code == 404 and "not here" in theirs_flow.text


async def test_ended_runs_go_when_the_workspace_says_and_others_stay(engine):
    actor, other = await an_actor(), await an_actor()
    _, _, mine = await some(actor, 2)
    _, _, theirs = await some(other, 1)
    async with system_tx("test") as tx:
        await tx.execute(
            "update run set finished_at = now() - interval '8 days' where id = any ($1)", [mine[0], theirs[0]]
        )
    await retention.keep(actor, 7)
    assert await retention.days(actor.workspace_id) == 7 and await retention.days(other.workspace_id) == 90
    await jobs.forget_old_runs()
    assert await found(actor) == [mine[1]] and await found(other) == theirs
    async with system_tx("test") as tx:
        await tx.execute("update run set finished_at = now() - interval '91 days' where id = $1", theirs[0])
    await jobs.forget_old_runs()
    assert await found(other) == []
    with pytest.raises(Refused):
        await retention.keep(actor, 0)
    with pytest.raises(NotAllowed):
        await retention.keep(msgspec.structs.replace(actor, role="editor"), 7)


async def test_a_run_says_until_when_it_is_kept_and_a_stranger_is_not_told(api, signed_in, stranger):
    actor = signed_in.actor
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    run = (await service.answer(actor, version, {}, trigger="api")).run_id
    async with system_tx("test") as tx:
        await tx.execute("update run set finished_at = '2026-03-01 12:00+00' where id = $1", run)
    assert (await api.get(f"/api/v1/runs/{run}")).json()["kept_until"].startswith("2026-05-30T12:00")
    await retention.keep(actor, 7)
    page = (await signed_in.get(f"/runs/{run}")).text
    assert '<dt>Kept until</dt><dd><time datetime="2026-03-08T12:00' in page
    link = await shares.share(actor, run, 7)
    seen = await stranger.get(link.path)
    assert seen.status_code == 200 and "Kept until" not in seen.text


async def test_a_run_that_waits_is_never_too_old(engine):
    actor = await an_actor()
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    run = await service.start(actor, version, {}, trigger="api")
    async with system_tx("test") as tx:
        await tx.execute("update run set created_at = now() - interval '400 days' where id = $1", run)
    await jobs.forget_old_runs()
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run where id = $1", run) == 1


async def test_a_program_that_asks_for_what_there_is_not_is_told_so_and_not_given_everything(api, signed_in):
    assert (await api.get("/api/v1/runs?state=failed&cost=0&seconds=0.0&q=%20")).status_code == 200
    for query, field in (("status=failed", "status"), ("state=nonsense", "state"), ("since=yesterday", "since")):
        answer = await api.get(f"/api/v1/runs?{query}")
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field, query
    assert (await signed_in.get("/runs?status=failed&state=nonsense")).status_code == 200, "an old link shows runs"
