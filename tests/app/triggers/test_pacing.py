"""The pace of a trigger: many firings become one after a quiet time, or start no more often than it says. Rows only."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, Refused
from app.runs import service as runs
from app.triggers import pacing, queries, service
from app.triggers.due import fire_held, trigger_of
from app.triggers.firing import fire
from app.triggers.forms import PaceForm
from app.triggers.plans import plan_new
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker, wait_for
from tests.factories.triggers import a_trigger, firings

EVERY_MINUTE = {"every": "minutes", "minutes": 1, "overlap": "allow"}


async def paced(actor, start="start.drop", settings=None, **form):
    made = await a_trigger(start, workspace_id=actor.workspace_id, **(settings or {}))
    await plan_new()
    await service.set_pace(actor, made.id, PaceForm(**form))
    return made


async def come(made, *inputs, key="k"):
    """Firings one after the other, as the doors make them."""
    done = []
    for n, given in enumerate(inputs):
        async with tenant_tx(made.workspace_id) as tx:
            row = await tx.fetchrow(
                """select t.id as trigger_id, t.workspace_id, t.flow_id, t.node_id, t.kind, l.version_id as live,
                   1 as alike from trigger t join flow_live l using (flow_id) where t.id = $1""",
                made.id,
            )
            done.append(await fire(tx, trigger_of(row), f"{key} {n}", given))
    return done


async def earlier(made, seconds):
    """As if everything had happened so much earlier: the database's clock is the only one that counts."""
    async with system_tx("test") as tx:
        await tx.execute(
            "update trigger_firing set slot_at = slot_at - $2::interval, at = at - $2::interval where trigger_id = $1",
            made.id,
            timedelta(seconds=seconds),
        )


async def inputs_of(made):
    async with tenant_tx(made.workspace_id) as tx:
        rows = await tx.fetch("select input from run where trigger_id = $1 order by created_at, id", made.id)
    return [msgspec.json.decode(row["input"]) for row in rows]


@pytest.mark.parametrize(
    ("take", "given"),
    [
        ("first", {"n": 1}),
        ("last", {"n": 3}),
        ("collect", {"n": 3, "collected": [{"n": 1}, {"n": 2}, {"n": 3}]}),
    ],
)
async def test_many_become_one_after_a_quiet_time_with_the_input_that_is_wanted(engine, take, given):
    made = await paced(await an_actor(), mode="quiet", seconds=10, take=take)
    first, second, third = await come(made, {"n": 1}, {"n": 2}, {"n": 3})
    assert (first.result, second.result, third.result) == ("held", "merged", "merged")
    assert first.until is not None and "nothing came for 10 s" in first.reason and "Merged into" in third.reason
    assert await fire_held() == 0 and await inputs_of(made) == []
    await earlier(made, 11)
    assert sum(await asyncio.gather(*(fire_held() for _ in range(5)))) == 1
    assert await inputs_of(made) == [given]
    held = next(row for row in await firings(made.id) if row["result"] == "started")
    assert (held["reason"], held["times"], held["input"]) == ("After a quiet time, for 3 firings.", 3, None)
    async with a_worker():
        await wait_for(made.workspace_id, held["run_id"], "succeeded")
    assert [each.result for each in await come(made, {"n": 4}, key="later")] == ["held"]


async def test_each_one_that_comes_moves_the_start_but_not_beyond_the_longest(engine):
    made = await paced(await an_actor(), mode="quiet", seconds=10, longest=15)
    await come(made, {"n": 1})
    await earlier(made, 8)
    await come(made, {"n": 2}, key="b")
    await earlier(made, 4)
    assert await fire_held() == 0  # 12 s after the first, 4 s after the last
    await come(made, {"n": 3}, key="c")
    await earlier(made, 4)
    assert await fire_held() == 1 and await inputs_of(made) == [{"n": 3}]


async def test_each_value_of_the_key_has_a_pace_of_its_own(engine):
    made = await paced(await an_actor(), mode="quiet", seconds=10, key="input.who")
    done = await come(made, {"who": "a"}, {"who": "b"}, {"who": "a"}, {"nobody": 1})
    assert [each.result for each in done] == ["held", "held", "merged", "held"]
    assert "for 'a'" in done[0].reason
    await earlier(made, 11)
    await fire_held()
    assert len(await inputs_of(made)) == 3


async def test_no_more_than_so_many_start_in_any_period_and_the_rest_waits_in_order(engine):
    made = await paced(await an_actor(), mode="rate", seconds=60, most=2)
    done = await come(made, *({"n": n} for n in range(5)))
    assert [each.result for each in done] == ["started", "started", "held", "held", "held"]
    assert "at most 2 in 60 s" in done[2].reason
    slots = [(row["slot_at"]) for row in sorted(await firings(made.id), key=lambda row: row["slot_at"])]
    assert all(b - a >= timedelta(seconds=60) for a, b in zip(slots, slots[2:], strict=False))
    await earlier(made, 61)
    await asyncio.gather(*(fire_held() for _ in range(4)))
    assert [each["n"] for each in await inputs_of(made)] == [0, 1, 2, 3]
    assert [each.result for each in await come(made, {"n": 9}, key="more")] == ["held"]
    await earlier(made, 120)
    await fire_held()
    assert [each["n"] for each in await inputs_of(made)] == [0, 1, 2, 3, 4, 9]


async def test_what_is_over_the_rate_is_dropped_where_the_pace_says_so(engine):
    made = await paced(await an_actor(), mode="rate", seconds=60, most=1, over="drop", key="input.who")
    done = await come(made, {"who": "a"}, {"who": "a"}, {"who": "b"})
    assert [each.result for each in done] == ["started", "skipped", "started"]
    assert done[1].reason == "Left out: at most 1 in 60 s for 'a'."
    await earlier(made, 61)
    assert [each.result for each in await come(made, {"who": "a"}, key="later")] == ["started"]


async def test_many_at_the_same_moment_pass_no_limit_and_make_one_lead(engine):
    actor = await an_actor()
    rate = await paced(actor, mode="rate", seconds=60, most=3, over="drop")
    quiet = await paced(actor, mode="quiet", seconds=60)
    await asyncio.gather(*(come(made, {"n": n}, key=f"x{n}") for n in range(12) for made in (rate, quiet)))
    assert sorted(row["result"] for row in await firings(rate.id)) == ["skipped"] * 9 + ["started"] * 3
    assert sorted(row["result"] for row in await firings(quiet.id)) == ["held"] + ["merged"] * 11


async def test_the_same_firing_again_counts_once_also_in_what_is_collected(engine):
    made = await paced(await an_actor(), mode="quiet", seconds=10, take="collect")
    await come(made, {"n": 1}, {"n": 2})
    assert await come(made, {"n": 1}, {"n": 2}) == [None, None]
    await earlier(made, 11)
    await fire_held()
    assert [len(each["collected"]) for each in await inputs_of(made)] == [2]


async def test_what_is_full_starts_at_once_and_the_next_one_begins_anew(engine, monkeypatch):
    monkeypatch.setattr(pacing, "MOST_COLLECTED", 3)
    made = await paced(await an_actor(), mode="quiet", seconds=10, take="collect")
    done = await come(made, *({"n": n} for n in range(5)))
    assert [each.result for each in done] == ["held", "merged", "merged", "held", "merged"]
    assert [len(each["collected"]) for each in await inputs_of(made)] == [3]


async def test_only_so_much_is_held(engine, monkeypatch):
    monkeypatch.setattr(pacing, "MOST_HELD", 2)
    made = await paced(await an_actor(), mode="quiet", seconds=10, key="input.n")
    done = await come(made, *({"n": n} for n in range(3)))
    assert [each.result for each in done] == ["held", "held", "skipped"]


async def test_switched_off_nothing_that_is_held_starts_and_the_log_says_so(engine):
    actor = await an_actor()
    made = await paced(actor, mode="quiet", seconds=10)
    await come(made, {"n": 1})
    await service.switch(actor, made.id, on=False)
    await earlier(made, 11)
    await fire_held()
    (row,) = await firings(made.id)
    assert (row["result"], row["reason"]) == ("skipped", "Switched off while it was held.")
    assert await inputs_of(made) == []


async def test_fired_by_hand_it_starts_at_once(engine):
    actor = await an_actor()
    made = await paced(actor, mode="quiet", seconds=10)
    assert (await service.fire_now(actor, made.id)).result == "started"


async def test_a_webhook_with_a_pace_answers_at_once_and_says_what_becomes_of_the_call(signed_in, client, app):
    made = await paced(signed_in.actor, "start.webhook", mode="quiet", seconds=10, key="input.body.who")
    path = (await queries.trigger(signed_in.actor, made.id)).trigger.path
    first = await client.post(path, json={"who": "a", "n": 1}, headers={"idempotency-key": "one"})
    assert first.status_code == 202 and first.json()["status"] == "held" and int(first.json()["seconds"]) <= 10
    again = await client.post(path, json={"who": "a", "n": 1}, headers={"idempotency-key": "one"})
    assert (again.status_code, again.json()["status"]) == (200, "seen before")
    assert (await client.post(path, json={"who": "a", "n": 2})).json() == {"status": "merged"}
    await earlier(made, 11)
    await fire_held()
    assert [each["body"] for each in await inputs_of(made)] == [{"who": "a", "n": 2}]
    shown = await signed_in.get(f"/triggers/{made.id}")
    assert "Merged into the firing of" in shown.text and "After a quiet time, for 2 firings." in shown.text


async def test_a_webhook_over_its_rate_is_told_to_come_again(signed_in, client, app):
    made = await paced(signed_in.actor, "start.webhook", mode="rate", seconds=60, over="drop")
    path = (await queries.trigger(signed_in.actor, made.id)).trigger.path
    assert (await client.post(path, json={})).status_code == 202
    over = await client.post(path, json={})
    assert over.status_code == 429 and int(over.headers["retry-after"]) > 0 and "at most 1 in 60 s" in over.text


async def test_the_pace_is_set_on_the_page_and_by_the_api(signed_in, api, app):
    made = await a_trigger("start.drop", workspace_id=signed_in.actor.workspace_id)
    form = {"mode": "quiet", "seconds": "30", "take": "collect", "longest": "", "key": "input.name", "most": "x"}
    assert (await signed_in.post(f"/triggers/{made.id}/pace", data=form)).status_code == 303
    page = await signed_in.get(f"/triggers/{made.id}")
    assert "After 30 s of quiet, for each input.name" in page.text and "pace__quiet" in page.text
    told = (await api.get(f"/api/v1/triggers/{made.id}")).json()["trigger"]["pace"]
    assert told["mode"] == "quiet" and told["take"] == "collect" and told["longest"] is None
    for wrong, said in (
        ({"seconds": "soon"}, "no whole number"),
        ({"seconds": "0"}, "From 1 to"),
        ({"key": "input."}, ""),
    ):
        bad = await signed_in.post(f"/triggers/{made.id}/pace", data=form | wrong)
        assert bad.status_code == 422 and said in bad.text
    assert (await api.put(f"/api/v1/triggers/{made.id}/pace", json={"mode": "rate", "seconds": 0})).status_code == 422
    done = await api.put(f"/api/v1/triggers/{made.id}/pace", json={"mode": "rate", "seconds": 5, "most": 3})
    assert done.status_code == 204 and "At most 3 in 5 s" in (await signed_in.get(f"/triggers/{made.id}")).text
    await api.put(f"/api/v1/triggers/{made.id}/pace", json={"mode": "none"})
    assert (await api.get(f"/api/v1/triggers/{made.id}")).json()["trigger"]["pace"] is None
    with pytest.raises(NotAllowed):
        await service.set_pace(msgspec.structs.replace(signed_in.actor, role="viewer"), made.id, PaceForm("none"))
    with pytest.raises(Refused):
        await service.set_pace(signed_in.actor, made.id, PaceForm("quiet", key="input..x"))


async def test_what_somebody_waits_for_has_no_pace(engine):
    actor = await an_actor()
    made = await a_trigger("start.webhook", workspace_id=actor.workspace_id)
    async with system_tx("test") as tx:
        await tx.execute("update trigger set kind = 'chat' where id = $1", made.id)
    with pytest.raises(Conflict):
        await service.set_pace(actor, made.id, PaceForm("quiet"))


async def test_rule_125_a_key_knows_variables_and_is_not_saved_while_one_is_missing(engine):
    actor = await an_actor()
    form = {"mode": "quiet", "seconds": 10, "key": "input.shop + vars.region"}
    with pytest.raises(Refused, match="There is no variable 'region' here") as refused:
        await paced(actor, **form)
    assert refused.value.field == "key"
    async with tenant_tx(actor.workspace_id) as tx:
        await runs.put_variables(tx, actor.workspace_id, None, {"region": "eu"}, None)
    made = await paced(actor, **form)
    await come(made, {"shop": "fernhill"})
    (held,) = await firings(made.id)
    assert held["pace_key"] == "fernhilleu"
    async with tenant_tx(actor.workspace_id) as tx:
        await runs.put_variables(tx, actor.workspace_id, None, {}, None)
    await come(made, {"shop": "fernhill"}, key="later")
    assert (await firings(made.id))[-1]["pace_key"] == ""
