"""Environments besides live: own references, own addresses, own versions; and nothing different for who wants none."""

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import hooks
from app.runs import queries as runs
from app.runs.binding import Instead, bound
from app.studio import queries, service
from app.studio.environments import places
from app.studio.history import history
from app.studio.version_forms import AnswerForm, EnvironmentForm, InsteadForm, StageForm
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow

KINDS = catalogue.load()
OURS, THEIRS = str(uuid4()), str(uuid4())


def a_hook(word: str = "https://shop.example says") -> Flow:
    return Flow(
        [NodeUse("in", "start.webhook"), NodeUse("say", "ai.prompt", settings={"template": word + " {{ body }}"}),
         NodeUse("out", "show.answer")],
        [Edge("in.body", "say.body"), Edge("say.text", "out.text")], name="Hook",
    )  # fmt: skip


async def _staging(actor, *values):
    place = await service.add_environment(actor, EnvironmentForm("staging"))
    for kind, given_, instead in values:
        await service.set_instead(actor, place, InsteadForm(kind, given_, instead))
    return place


def test_references_are_replaced_as_wholes_and_texts_wherever_they_stand():
    settings_ = {"url": "https://shop.example/a?to=https://shop.example", "connection": OURS,
                 "headers": [{"name": "X", "value": "https://shop.example"}]}  # fmt: skip
    flow = Flow([NodeUse("a", "connect.http", settings=settings_), NodeUse("b", "gone.type", settings={"x": OURS})])
    values = [Instead("text", "https://shop.example", "https://test.shop.example"), Instead("connection", OURS, THEIRS),
              Instead("text", OURS, "never")]  # fmt: skip
    one, two = bound(flow, values, KINDS).nodes
    assert one.settings["url"] == "https://test.shop.example/a?to=https://test.shop.example"
    assert one.settings["connection"] == THEIRS
    assert one.settings["headers"][0]["value"] == "https://test.shop.example"
    assert two.settings == {"x": OURS}, "of an unknown type nobody can say what it means"
    assert flow.nodes[0].settings["connection"] == OURS


texts = st.text("ab", min_size=1, max_size=3)


@given(st.lists(st.tuples(texts, texts), max_size=4, unique_by=lambda pair: pair[0]), st.text("ab", max_size=12))
@settings(max_examples=200)
def test_what_was_put_in_is_not_replaced_again(pairs, text):
    values = [Instead("text", a, b.upper()) for a, b in pairs]
    flow = Flow([NodeUse("a", "ai.prompt", settings={"template": text})])
    made = bound(flow, values, KINDS).nodes[0].settings["template"]
    longest = max((a for a, _ in pairs), key=len, default="")
    assert not pairs or longest not in made
    assert made == text or any(a in text for a, _ in pairs)


async def test_without_an_environment_nothing_is_different(signed_in):
    flow_id = await a_flow(signed_in.actor)
    await service.publish(signed_in.actor, flow_id, "", "")
    page = (await signed_in.get(f"/flows/{flow_id}/history")).text
    assert "Environments" not in page.partition("<main")[2] and "Put on" not in page
    assert "Any environment" not in (await signed_in.get("/runs")).text


async def test_a_version_goes_from_one_to_the_next_and_back_in_one_step(db):
    actor = await an_actor()
    place = await _staging(actor)
    flow_id = await a_flow(actor)
    first = await service.publish(actor, flow_id, "", "", live=False)
    await service.replace_document(actor, flow_id, a_document(prompt="Other {{ question }}"))
    second = await service.publish(actor, flow_id, "", "", live=False)
    for version in (first, second):
        assert await service.stage(actor, flow_id, StageForm(version, str(place))) == "staging"
    [stage] = (await history(actor, flow_id)).stages
    assert (stage.number, stage.before, stage.before_id) == (2, 1, first)
    assert (await queries.editor(actor, flow_id)).live_version_id is None
    await service.stage(actor, flow_id, StageForm(stage.before_id, str(place)))
    assert (await history(actor, flow_id)).stages[0].number == 1
    assert await service.stage(actor, flow_id, StageForm(second)) == "live"
    assert (await queries.editor(actor, flow_id)).live_version_id == second
    await service.unstage(actor, flow_id, place)
    with pytest.raises(Conflict):
        await service.unstage(actor, flow_id, place)


async def test_promoting_to_live_needs_the_word_that_publishing_needs(db):
    mara = await an_actor()
    ole = await an_actor(role="editor", workspace_id=mara.workspace_id)
    await service.set_rule(mara, approval=True)
    place = await _staging(mara)
    flow_id = await a_flow(ole)
    version = await service.publish(ole, flow_id, "", "", live=False)
    await service.stage(ole, flow_id, StageForm(version, str(place)))
    with pytest.raises(Refused, match="needs the approval"):
        await service.stage(ole, flow_id, StageForm(version))
    request = await service.ask(ole, flow_id, version, "")
    await service.answer(mara, request, AnswerForm("approve"))
    assert await service.stage(ole, flow_id, StageForm(version)) == "live"


async def test_a_change_of_values_is_felt_at_once_and_versions_stay_what_they_are(db):
    actor = await an_actor()
    place = await _staging(actor, ("text", "https://shop.example", "https://test.example"))
    flow_id = await a_flow(actor, a_hook())
    version = await service.publish(actor, flow_id, "", "")
    await service.stage(actor, flow_id, StageForm(version, str(place)))

    async def says():
        async with tenant_tx(actor.workspace_id) as tx:
            row = await tx.fetchrow(
                """select v.document::text as d from flow_stage s join flow_version v on v.id = s.staged_id
                    where s.flow_id = $1""",
                flow_id,
            )
        return row["d"]

    assert "https://test.example says" in await says()
    assert (
        await service.set_instead(actor, place, InsteadForm("text", "https://shop.example", "https://new.example")) == 1
    )
    assert "https://new.example says" in await says()
    [value] = (await places(actor))[0].values
    assert await service.remove_instead(actor, place, value.id) == 1
    assert "https://shop.example says" in await says()
    assert (await runs.version(actor, version)).document == a_hook()


async def test_foreign_and_bad_input_is_refused(db):
    actor, stranger = await an_actor(), await an_actor()
    place = await _staging(actor)
    flow_id = await a_flow(actor)
    version = await service.publish(actor, flow_id, "", "")
    for who, flow, form in (
        (stranger, flow_id, StageForm(version, str(place))),
        (actor, await a_flow(actor), StageForm(version, str(place))),
        (actor, flow_id, StageForm(version, str(uuid4()))),
        (stranger, await a_flow(stranger), StageForm(version, str(place))),
    ):
        with pytest.raises(NotFound):
            await service.stage(who, flow, form)
    for name in ("live", "LIVE ", "a b", "-x", "ü", "../x"):
        with pytest.raises(Refused):
            await service.add_environment(actor, EnvironmentForm(name))
    with pytest.raises(Conflict):
        await service.add_environment(actor, EnvironmentForm("Staging"))
    with pytest.raises(NotFound):
        await service.set_instead(stranger, place, InsteadForm("text", "a", "b"))
    with pytest.raises(NotFound):
        await service.remove_environment(stranger, place)
    for i in range(7):
        await service.add_environment(actor, EnvironmentForm(f"e{i}"))
    with pytest.raises(Refused, match="at most 8"):
        await service.add_environment(actor, EnvironmentForm("more"))


async def test_each_environment_has_its_own_address_runs_and_keys(app, signed_in, api, client):
    actor = signed_in.actor
    added = await signed_in.post("/settings/environments", data={"name": "staging"})
    assert added.status_code == 303
    [place] = await places(actor)
    set_ = {"kind": "text", "given": "https://shop.example", "instead": "https://test.example"}
    assert (await signed_in.post(f"/settings/environments/{place.id}/values", data=set_)).status_code == 303
    flow_id = await a_flow(actor, a_hook())
    version = await service.publish(actor, flow_id, "", "")
    put = await signed_in.post(
        f"/flows/{flow_id}/stages", data={"version_id": str(version), "environment": str(place.id)}
    )
    assert put.status_code == 303
    [stage] = (await api.get(f"/api/v1/flows/{flow_id}/stages")).json()
    [[node, path]] = stage["hooks"]
    [live] = await runs.webhooks(actor, flow_id)
    assert node == "in" and path != live.path
    key = {"idempotency-key": "one"}
    said = [(await client.post(where, headers=key, json="tulips")).text for where in (path, live.path, path)]
    assert "https://test.example says tulips" in said[0] and "https://shop.example says tulips" in said[1]
    assert said[0] == said[2], "one key is one run in each environment"
    started = f"/api/v1/flows/{flow_id}/runs"
    made = await api.post(started, json={"input": {"body": "x"}, "wait": True, "environment": "staging"})
    assert "test.example" in made.text
    assert (await api.post(started, json={"environment": "nowhere"})).status_code == 404
    listed = (await api.get("/api/v1/runs?environment=staging")).json()["runs"]
    assert len(listed) == 2 and {run["environment"] for run in listed} == {"staging"}
    assert len((await api.get("/api/v1/runs?environment=live")).json()["runs"]) == 1
    assert "staging" in (await signed_in.get(f"/runs/{listed[0]['id']}")).text
    assert "Any environment" in (await signed_in.get("/runs")).text
    page = (await signed_in.get(f"/flows/{flow_id}/history")).text
    assert path in page and "Promote to live" not in page
    await service.archive(actor, flow_id)
    hooks._known.clear()
    assert (await client.post(path)).status_code == 404
    assert (await signed_in.post(f"/settings/environments/{place.id}/removal")).status_code == 303
    assert "Any environment" not in (await signed_in.get("/runs")).text
