"""A new version for a part of the visitors: who gets it, what ends it, what is said about it."""

import math
from uuid import uuid4

import httpx
import pytest

from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotFound
from app.runs import queries, rollouts, running
from app.runs import service as runs
from app.runs.rollout_figures import Side, t_quantile, verdicts, wilson
from app.studio import service
from app.studio.forms import NodeConfig, NodeLabel
from app.studio.history import history
from app.studio.version_forms import RolloutForm
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_flow


@pytest.fixture
async def engine(db):
    begun = not running._host
    yield await running.start("web")
    if begun:
        await running.stop()


async def _two(actor):
    """A flow with a live version and one that nobody gets yet."""
    flow_id = await a_flow(actor)
    live = await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "New: {{ question }}")))
    return flow_id, live, await service.publish(actor, flow_id, "Spring", "", live=False)


async def _share(actor, flow_id, new, people):
    got = [await runs.live_version(actor.workspace_id, flow_id, person) for person in people]
    return {person for person, version in zip(people, got, strict=True) if version == new}


async def test_the_same_visitor_keeps_the_version_and_more_percent_only_adds_people(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    people = [f"visitor {i}" for i in range(400)]
    assert not await _share(actor, flow_id, new, people)
    await service.roll_out(actor, flow_id, RolloutForm(new, 10))
    some = await _share(actor, flow_id, new, people)
    assert 15 <= len(some) <= 70 and some == await _share(actor, flow_id, new, people)
    await service.roll_out(actor, flow_id, RolloutForm(new, 50))
    more = await _share(actor, flow_id, new, people)
    assert some < more and 150 <= len(more) <= 250
    assert await runs.live_version(actor.workspace_id, flow_id) == live
    await service.stop_rollout(actor, flow_id)
    assert not await _share(actor, flow_id, new, people)


async def test_no_request_asks_the_database_who_gets_what(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    await service.roll_out(actor, flow_id, RolloutForm(new, 99))
    await engine.rollouts.look()
    picked = {engine.rollouts.pick(flow_id, live, str(i)) for i in range(500)}  # no await: nothing can be asked
    assert picked == {live, new}
    assert engine.rollouts.pick(flow_id, uuid4(), "x") not in {live, new}, "beside another live version it is over"


async def test_finishing_makes_it_live_and_going_live_otherwise_ends_it(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    await service.roll_out(actor, flow_id, RolloutForm(new, 5))
    assert await service.finish_rollout(actor, flow_id) == 2
    shown = await history(actor, flow_id)
    assert (shown.live_id, shown.rollout.outcome, shown.rolling) == (new, "finished", None)
    await service.roll_out(actor, flow_id, RolloutForm(live, 5))
    await service.apply_ops(actor, flow_id, a_batch(1, NodeLabel("ask", "Other")))
    await service.publish(actor, flow_id, "", "")
    assert (await history(actor, flow_id)).rollout.outcome == "replaced"
    for verb in (service.finish_rollout, service.stop_rollout):
        with pytest.raises(Conflict, match="Nothing is being rolled out"):
            await verb(actor, flow_id)


async def test_what_can_not_be_rolled_out_is_refused(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    with pytest.raises(Conflict, match="live for everybody already"):
        await service.roll_out(actor, flow_id, RolloutForm(live, 5))
    with pytest.raises(NotFound):
        await service.roll_out(await an_actor(), flow_id, RolloutForm(new, 5))
    with pytest.raises(NotFound):
        await service.roll_out(actor, await a_flow(actor), RolloutForm(new, 5))
    fresh = await a_flow(actor)
    first = await service.publish(actor, fresh, "", "", live=False)
    with pytest.raises(Conflict, match="Nothing of this flow is live"):
        await service.roll_out(actor, fresh, RolloutForm(first, 5))
    await service.roll_out(actor, flow_id, RolloutForm(new, 5))
    await service.apply_ops(actor, flow_id, a_batch(1, NodeLabel("ask", "Other")))
    third = await service.publish(actor, flow_id, "", "", live=False)
    with pytest.raises(Conflict, match="Another version"):
        await service.roll_out(actor, flow_id, RolloutForm(third, 5))
    await service.archive(actor, flow_id)
    assert (await history(actor, flow_id)).rollout.outcome == "replaced"


async def _ran(actor, flow_id, version_id, status, times, ms=1000):
    async with system_tx("test") as tx:
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, trigger, started_at, finished_at,
                                cost_micros)
               select $1, $2, $3, $4, 'api', now(), now() + make_interval(secs => $6 * (1 + n % 3) / 1000.0),
                      100 * (n % 4) from generate_series(1, $5) n""",
            actor.workspace_id, flow_id, version_id, status, times, ms,
        )  # fmt: skip


async def test_it_ends_by_itself_when_more_fail_than_the_person_allowed(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    await service.roll_out(actor, flow_id, RolloutForm(new, 25, stop_above=20, after_runs=10))
    await _ran(actor, flow_id, new, "failed", 3)
    await _ran(actor, flow_id, new, "cancelled", 50)
    assert await rollouts.watch() == 0, "too few to say"
    await _ran(actor, flow_id, new, "succeeded", 12)
    await _ran(actor, flow_id, live, "failed", 9)
    assert await rollouts.watch() == 0, "exactly what is allowed"
    await _ran(actor, flow_id, new, "failed", 1)
    assert await rollouts.watch() == 1
    assert await rollouts.watch() == 0
    shown = (await history(actor, flow_id)).rollout
    assert (shown.outcome, shown.why) == ("guarded", "4 of 16 runs failed; the limit was 20 %.")
    engine.rollouts.forget()
    assert not await _share(actor, flow_id, new, [str(i) for i in range(40)])


async def test_both_versions_are_compared_over_the_time_of_the_rollout_only(engine):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    await _ran(actor, flow_id, live, "failed", 30)
    async with system_tx("test") as tx:
        await tx.execute("update run set created_at = now() - interval '1 hour' where flow_id = $1", flow_id)
    await service.roll_out(actor, flow_id, RolloutForm(new, 25))
    await _ran(actor, flow_id, live, "succeeded", 60, 500)
    await _ran(actor, flow_id, new, "succeeded", 30, 5_000)
    await _ran(actor, flow_id, new, "failed", 30)
    shown = await history(actor, flow_id)
    assert (shown.rollout.new.runs, shown.rollout.new.failed, shown.rollout.old.runs) == (60, 30, 60)
    assert [v.which for v in shown.verdicts] == ["worse", "worse", "even"]
    failures = shown.verdicts[0]
    assert failures.low < 50 < failures.high


async def test_a_webhook_spreads_its_calls_and_a_delivery_sent_again_is_the_same_run(signed_in, app):
    def flow(word):
        return Flow(
            [NodeUse("in", "start.webhook"), NodeUse("say", "ai.prompt", settings={"template": word + " {{ body }}"}),
             NodeUse("out", "show.answer")],
            [Edge("in.body", "say.body"), Edge("say.text", "out.text")], name="Hook",
        )  # fmt: skip

    actor = signed_in.actor
    flow_id = await a_flow(actor, flow("old"))
    await service.publish(actor, flow_id, "", "")
    await service.replace_document(actor, flow_id, flow("new"))
    new = await service.publish(actor, flow_id, "", "", live=False)
    await service.roll_out(actor, flow_id, RolloutForm(new, 50))
    [hook] = await queries.webhooks(actor, flow_id)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as caller:
        said = [(await caller.post(hook.path, headers={"idempotency-key": f"k{i}"})).text for i in range(40)]
        again = [(await caller.post(hook.path, headers={"idempotency-key": f"k{i}"})).text for i in range(40)]
    assert said == again and all('"text":' in text for text in said), said[0]
    assert {"new" in text for text in said} == {True, False}


@pytest.mark.parametrize(("freedom", "known"), [(9, 2.262157), (19, 2.093024), (60, 2.000298)])
def test_quantiles_of_students_t_are_the_published_ones(freedom, known):
    assert math.isclose(t_quantile(freedom), known, rel_tol=1e-3)


def test_intervals_are_the_published_ones():
    """Newcombe 1998, table II (a): 56/70 and 48/80 give 0.0524 to 0.3339 by method 10; Wilson for 81 of 263."""
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    failures = verdicts(Side(70, 56), Side(80, 48))[0]
    assert (round(failures.low, 2), round(failures.high, 2)) == (5.24, 33.39)
    assert [v.which for v in verdicts(Side(9, 9), Side(900, 0))] == ["early"] * 3
    assert verdicts(Side(), Side())[0].which == "early" and wilson(0, 0) == (0.0, 1.0)


async def test_the_page_and_the_api_do_the_same(signed_in, api):
    actor = signed_in.actor
    flow_id, _, new = await _two(actor)
    form = {"version_id": str(new), "percent": "10", "stop_above": "5", "after_runs": "20"}
    assert (await signed_in.post(f"/flows/{flow_id}/rollout", data=form)).status_code == 303
    page = (await signed_in.get(f"/flows/{flow_id}/history")).text
    assert "Version 2, Spring goes to 10 %" in page and "too few runs to say" in page
    there = f"/api/v1/flows/{flow_id}/rollout"
    assert (await api.put(there, json={"version_id": str(new), "percent": 50})).status_code == 204
    told = (await api.get(there)).json()
    assert told["rollout"]["percent"] == 50 and told["rollout"]["stop_above"] is None
    assert (await api.put(there, json={"version_id": str(new), "percent": 100})).status_code in (400, 422)
    assert (await signed_in.post(f"/flows/{flow_id}/rollout/stop")).status_code == 303
    assert (await api.post(f"{there}/finish")).status_code == 409
    assert (await api.put(there, json={"version_id": str(new), "percent": 5})).status_code == 204
    assert (await api.post(f"{there}/finish")).json() == {"number": 2}


async def test_a_draft_kept_twice_is_one_version(db):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    assert await service.publish(actor, flow_id, "", "", live=False) == new
    async with tenant_tx(actor.workspace_id) as tx:
        assert (await runs.version(tx, new)).live_at is None and (await runs.version(tx, live)).live_at is not None


async def test_the_bound_of_a_share_holds_in_the_database_too(db):
    actor = await an_actor()
    flow_id, live, new = await _two(actor)
    with pytest.raises(Exception, match="percent_ck"):
        async with tenant_tx(actor.workspace_id) as tx:
            await runs.begin_rollout(tx, actor.workspace_id, flow_id, new, live, 100, None, 1, actor.user_id)
