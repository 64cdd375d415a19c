"""Variables: vars.name in every text and expression, a value for each environment; runs keep theirs."""

from uuid import uuid4

import pytest

from app.db import tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service as runs
from app.runs.variables import forget_sets
from app.studio import queries, service
from app.studio.variables import places, rows
from app.studio.version_forms import EnvironmentForm, StageForm, VariableForm
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker, wait_for
from tests.factories.studio import a_flow


def a_reader(text: str = "From {{ vars.shop }}", *between: NodeUse, name: str = "Reader") -> Flow:
    return Flow(
        [NodeUse("in", "start.api"), NodeUse("say", "ai.prompt", settings={"template": text + "{{ of }}"}),
         NodeUse("out", "show.answer")],
        [Edge("in.input", "say.of"), Edge("say.text", "out.text")], name=name,
    )  # fmt: skip


async def _live(actor, flow: Flow):
    flow_id = await a_flow(actor, flow)
    return flow_id, await service.publish(actor, flow_id, "", "")


async def _put(actor, name, value, place="", kind="text"):
    return await service.put_variable(actor, VariableForm(name, value, kind, str(place)))


async def test_rule_122_each_environment_has_its_own_and_the_express_lane_takes_what_is_in_force(app, signed_in, api):
    actor = signed_in.actor
    place = await service.add_environment(actor, EnvironmentForm("staging"))
    await _put(actor, "shop", "Fernhill")
    flow_id, version = await _live(actor, a_reader())
    with pytest.raises(Refused, match=r"reads vars\.shop, which staging does not have"):
        await service.stage(actor, flow_id, StageForm(version, str(place)))
    assert await _put(actor, "shop", "Test shop", place) == "staging"
    await service.stage(actor, flow_id, StageForm(version, str(place)))
    start = f"/api/v1/flows/{flow_id}/runs"
    live = await api.post(start, json={"input": {}, "wait": True})
    staged = await api.post(start, json={"input": {}, "wait": True, "environment": "staging"})
    assert "From Fernhill" in live.text and "From Test shop" in staged.text
    await _put(actor, "shop", "Mill")
    assert "From Mill" in (await api.post(start, json={"input": {}, "wait": True})).text
    async with tenant_tx(actor.workspace_id) as tx:
        kept = await tx.fetch(
            "select s.vars->>'shop' as shop from run r join variable_set s on s.id = r.variables_id order by r.id"
        )
    assert [row["shop"] for row in kept] == ["Fernhill", "Test shop", "Mill"], "each run names the set it had"


async def test_rule_123_a_run_that_sleeps_keeps_its_own_and_a_called_flow_has_its_callers(db, app):
    actor = await an_actor()
    await _put(actor, "shop", "before")
    _, inner = await _live(actor, a_reader("inner {{ vars.shop }} "))
    outer = Flow(
        [NodeUse("in", "start.api"), NodeUse("wait", "logic.signal", settings={"name": "go"}),
         NodeUse("call", "logic.flow", settings={"flow": str(inner)}), NodeUse("out", "show.answer")],
        [Edge("in.input", "wait.value"), Edge("wait.received", "call.input"), Edge("call.text", "out.data")],
    )  # fmt: skip
    _, version = await _live(actor, outer)
    async with a_worker():
        run = await runs.start(actor, version, {"a": 1}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        await _put(actor, "shop", "after")
        await runs.signal(actor, run, "go", {})
        done = await wait_for(actor.workspace_id, run, "succeeded", "failed")
        assert "inner before" in str(done["output"]), done["error"]
        fresh = await runs.start(actor, version, {"a": 1}, trigger="api")
        await wait_for(actor.workspace_id, fresh, "waiting")
        await runs.signal(actor, fresh, "go", {})
        assert "inner after" in str((await wait_for(actor.workspace_id, fresh, "succeeded", "failed"))["output"])


async def test_sets_that_nobody_has_any_more_go_and_those_of_runs_stay(app, signed_in, api):
    actor = signed_in.actor
    place = await service.add_environment(actor, EnvironmentForm("dev"))
    flow_id, _ = await _live(actor, a_reader())
    for value in ("one", "two", "three"):
        await _put(actor, "shop", value)
        if value == "two":
            await api.post(f"/api/v1/flows/{flow_id}/runs", json={"input": {}, "wait": True})
    await _put(actor, "shop", "gone", place)
    await service.remove_environment(actor, place)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update variable_set set made_at = now() - interval '2 hours'")
    await forget_sets()
    async with tenant_tx(actor.workspace_id) as tx:
        left = [row["shop"] for row in await tx.fetch("select vars->>'shop' as shop from variable_set order by id")]
    assert left == ["two", "three"]


async def test_the_problems_list_says_where_one_is_missing(db):
    actor = await an_actor()
    place = await service.add_environment(actor, EnvironmentForm("staging"))
    flow_id = await a_flow(actor, a_reader())

    async def said():
        flow = await queries.editor(actor, flow_id)
        return [problem.message for problem in queries.problems_at(flow_id, flow.rev, flow.flow)]

    assert "reads vars.shop, which does not exist anywhere" in (await said())[0]
    await _put(actor, "shop", "Fernhill")
    assert "which does not exist in staging. Add it under" in (await said())[0]
    await _put(actor, "shop", "Test", place)
    assert await said() == []


async def test_rule_124_what_looks_like_a_key_and_what_is_no_name_is_refused(db):
    actor, stranger = await an_actor(), await an_actor()
    place = await service.add_environment(actor, EnvironmentForm("staging"))
    for name, value in (("api_key", "abc"), ("x", "Bearer abcdefghijklmnop"), ("x", "https://me:secret@shop.example")):
        with pytest.raises(Refused, match="looks like a key"):
            await _put(actor, name, value)
    for name in ("", "1a", "a b", "ü", "a.b", "x" * 65, "../x"):
        with pytest.raises(Refused, match="name of a variable"):
            await _put(actor, name, "v")
    with pytest.raises(Refused, match="no JSON"):
        await _put(actor, "x", "{", kind="json")
    with pytest.raises(Refused, match="at most 8,000 bytes"):
        await _put(actor, "x", "y" * 9_000)
    for where in (place, uuid4()):
        with pytest.raises(NotFound):
            await _put(stranger, "x", "v", where)
    with pytest.raises(NotFound):
        await service.remove_variable(actor, "x", None)
    with pytest.raises(NotFound):
        await service.return_variable(actor, "x", None)
    assert [place.vars for place in await places(stranger)] == [{}]


async def test_pages_and_api_do_the_same(app, signed_in, api):
    actor = signed_in.actor
    sent = {"name": "limit", "value": "5", "kind": "json", "environment": ""}
    assert (await signed_in.post("/settings/variables", data=sent)).status_code == 303
    page = (await signed_in.get("/settings/variables")).text
    assert "vars.limit" in page and "Where" in page
    assert (await signed_in.get("/settings/variables?name=limit")).text.count(">5<") >= 1
    wrong = await signed_in.post("/settings/variables", data={**sent, "name": "a b"})
    assert wrong.status_code == 422 and "can&#39;t be the name" in wrong.text
    assert (await api.get("/api/v1/variables")).json() == [{"id": None, "name": "live", "vars": {"limit": 5}}]
    assert (await signed_in.post("/settings/variables/limit/removal")).status_code == 303
    assert rows(await places(actor)) == []
    assert (await signed_in.post("/settings/variables/limit/return")).status_code == 303
    assert (await api.delete("/api/v1/variables/limit")).status_code == 204
    assert (await api.post("/api/v1/variables/limit/return")).json() == {"environment": "live"}
    with pytest.raises(Conflict):
        await service.return_variable(actor, "limit", None)
    put = await api.put("/api/v1/variables", json={"name": "word", "value": "tulips"})
    assert put.json() == {"environment": "live"}
    assert [row.name for row in rows(await places(actor))] == ["limit", "word"]


async def test_the_editor_offers_them_and_shows_what_a_text_comes_to_before_anything_ran(app, signed_in):
    actor = signed_in.actor
    await _put(actor, "shop", "Fernhill <b>")
    flow_id = await a_flow(actor, a_reader())
    panel = (await signed_in.get(f"/flows/{flow_id}/nodes/say/panel")).text
    assert '"vars.shop"' in panel and "Fernhill \\u003cb" in panel.replace("\\u003C", "\\u003c")
    asked = {"text": "From {{ vars.shop }}", "kind": "template", "field": "template"}
    seen = (await signed_in.post(f"/flows/{flow_id}/nodes/say/preview", json=asked)).json()
    assert (seen["state"], seen["text"]) == ("value", "From Fernhill <b>")
    wrong = await signed_in.post(f"/flows/{flow_id}/nodes/say/preview", json={**asked, "text": "{{ vars.x }}"})
    assert "there is no variable 'x' here" in wrong.json()["error"]
