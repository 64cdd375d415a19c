"""Drafting through the gateway: a good answer, one that is repaired, a hopeless one; what it costs; who may."""

import asyncio
from uuid import UUID

import pytest

from app.db import tenant_tx
from app.drafting import making, queries, service
from app.drafting.forms import WishForm
from app.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from app.gateway import service as gateway
from app.gateway.forms import BudgetForm
from app.studio import queries as studio
from app.studio import service as flows
from tests.doubles.openai_script import Answer
from tests.factories.accounts import an_actor
from tests.factories.checks import a_support_flow
from tests.factories.drafting import CHAT, FALLBACK, LARGE, a_model, a_proposal, a_ready_proposal, ended, says
from tests.factories.studio import a_batch, a_document, a_flow, a_large_document, adding

WISH = WishForm("A kind chat")


@pytest.fixture
async def actor(db, fake):
    made = await an_actor()
    await a_model(made, fake)
    return made


async def test_a_description_becomes_a_proposal_and_then_a_flow(actor, fake):
    fake.script(says(CHAT))
    view = await a_proposal(actor)
    assert (view.status, view.said, view.rounds) == ("ready", "A chat that answers kindly.", 1), view.said
    assert view.cost_micros > 0 and view.proposed.found.count("added") == 3
    assert await studio.flows(actor) == [], "nothing is made before it is taken over"
    flow_id = await service.accept(actor, view.id)
    flow, _ = await studio.draft(actor, flow_id)
    assert flow.name == "Kind chat" and len(flow.nodes) == 3
    assert await service.accept(actor, view.id) == flow_id, "sent twice"
    assert len(await studio.flows(actor)) == 1


async def test_an_invalid_answer_is_repaired_and_the_log_says_so(actor, fake):
    wrong = CHAT | {"wires": [*CHAT["wires"][:1], {"from": "think.txt", "to": "reply.text"}]}
    fake.script(says(wrong), says(CHAT))
    view = await a_proposal(actor)
    assert view.status == "ready" and view.rounds == 2
    assert any("has no output 'txt'" in line for line in view.log), view.log
    told = fake.calls[1].body["messages"][-1]["content"]
    assert "This does not work yet" in told and "txt" in told


async def test_a_hopeless_model_ends_with_the_reason_and_changes_nothing(actor, fake):
    fake.always(says(CHAT | {"wires": [{"from": "nobody.x", "to": "reply.text"}]}))
    view = await a_proposal(actor)
    assert view.status == "failed" and "After 4 tries" in view.said and "nobody" in view.said
    assert len(fake.calls) == making.MOST_ROUNDS and view.cost_micros > 0
    with pytest.raises(Conflict):
        await service.accept(actor, view.id)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(text="I can't do that."), "did not answer in the shape asked for"),
        (Answer(status=401), "refused"),
        (Answer(text='{"say": "Nothing to do.", "steps": [], "wires": [], "name": "' + "x" * 40 + '"}'), "no step"),
    ],
)
async def test_what_goes_wrong_is_told_in_a_sentence(actor, fake, answer, reason):
    fake.always(answer)
    view = await a_proposal(actor)
    assert view.status == "failed" and reason in view.said, view.said


async def test_an_edit_is_one_undoable_operation_and_keeps_what_others_did(actor, fake):
    flow_id = await a_flow(actor, a_support_flow())
    fake.script(says(FALLBACK))
    view = await a_proposal(actor, "Add a fallback model", flow_id)
    assert view.status == "ready", view.said
    before, rev = await studio.draft(actor, flow_id)
    await flows.apply_ops(actor, flow_id, a_batch(rev, adding("note", "note.note", text="Mine")))
    await service.accept(actor, view.id)
    flow, now = await studio.draft(actor, flow_id)
    assert now == rev + 2 and {"second", "first", "note"} <= {node.id for node in flow.nodes}
    await flows.undo(actor, flow_id, "")
    undone, _ = await studio.draft(actor, flow_id)
    assert {node.id for node in undone.nodes} == {node.id for node in before.nodes} | {"note"}
    assert {edge.id for edge in undone.edges} == {edge.id for edge in before.edges}


async def test_a_proposal_for_steps_that_somebody_changed_since_is_refused(actor, fake):
    flow_id = await a_flow(actor, a_support_flow())
    fake.script(says(FALLBACK))
    view = await a_proposal(actor, "Add a fallback model", flow_id)
    document = a_support_flow("Answer sternly.")
    await flows.replace_document(actor, flow_id, document)
    with pytest.raises(Conflict, match="changed the same steps"):
        await service.accept(actor, view.id)
    assert (await studio.draft(actor, flow_id))[0].nodes == document.nodes
    assert (await queries.proposal(actor, view.id)).status == "ready", "it can still be looked at"


async def test_secrets_and_connections_never_reach_the_model_and_survive_the_edit(actor, fake):
    document = a_document()
    secret = {
        "url": "https://api.example",
        "connection": "7e0",
        "headers": [{"name": "Authorization", "value": "Bearer k3y"}],
    }
    document.nodes.append(adding("call", "connect.http", **secret).node)
    flow_id = await a_flow(actor, document)
    fake.script(says({"say": "", "steps": [{"id": "call", "type": "connect.http", "label": "Ask them"}], "wires": []}))
    view = await a_proposal(actor, "Rename the call", flow_id)
    assert "k3y" not in str(fake.calls[0].body) and "7e0" not in str(fake.calls[0].body["messages"][1:])
    await service.accept(actor, view.id)
    flow, _ = await studio.draft(actor, flow_id)
    call = flow.nodes[-1]
    assert call.label == "Ask them" and call.settings["headers"][0]["value"] == "Bearer k3y"


async def test_it_can_be_stopped_and_costs_are_kept(actor, fake):
    fake.always(says(CHAT, first_token_ms=60_000))
    proposal_id = await service.begin(actor, WISH)
    task = service._under_way[proposal_id]
    await service.cancel(actor, proposal_id)
    await asyncio.gather(task, return_exceptions=True)
    assert (await queries.proposal(actor, proposal_id)).status == "cancelled"
    with pytest.raises(Conflict):
        await service.cancel(actor, proposal_id)


async def test_a_model_that_is_too_slow_is_given_up(actor, fake, monkeypatch):
    monkeypatch.setattr(making, "LONGEST", 0.3)
    fake.always(Answer(hang=True))
    view = await a_proposal(actor)
    assert view.status == "failed" and "longer than" in view.said


async def test_while_it_is_written_the_names_of_its_steps_appear(actor, fake, monkeypatch):
    monkeypatch.setattr(making, "OFTEN", 0.02)
    seen = []
    original = making._Teller._write

    async def spy(self, change, *values, lost=True):
        if change.startswith("seen ="):
            seen.append(values[0])
        await original(self, change, *values, lost=lost)

    monkeypatch.setattr(making._Teller, "_write", spy)
    fake.script(says(CHAT, tokens_per_second=15))
    await a_proposal(actor)
    assert any("Somebody asks" in each for each in seen), seen


async def test_a_budget_stops_it_before_the_call(actor, fake):
    await gateway.set_budget(actor, BudgetForm(scope="workspace", limit=0.000001))
    view = await a_proposal(actor)
    assert view.status == "failed" and "budget" in view.said and fake.calls == []


async def test_only_so_many_at_a_time_and_only_flows_of_a_size(actor, fake):
    fake.always(Answer(hang=True))
    begun = [await service.begin(actor, WISH) for _ in range(service.AT_ONCE)]
    with pytest.raises(TooMany):
        await service.begin(actor, WISH)
    for each in begun:
        task = service._under_way[each]
        await service.cancel(actor, each)
        await asyncio.gather(task, return_exceptions=True)
    flow_id = await a_flow(actor, a_large_document(250, 0))
    with pytest.raises(Refused, match="at most 200 steps"):
        await service.begin(actor, WISH, flow_id)


async def test_a_model_that_was_not_offered_is_refused(actor):
    with pytest.raises(Refused, match="can't draft"):
        await service.begin(actor, WishForm("x", "local/smollm2-135m-instruct"))
    with pytest.raises(Refused, match="Say what you want"):
        await service.begin(actor, WishForm(" \0 "))


async def test_without_a_capable_model_it_says_so(db):
    with pytest.raises(service.NoModel):
        await service.begin(await an_actor(), WISH)


async def test_viewers_and_other_workspaces_are_kept_out(actor, db):
    view = await queries.proposal(actor, await a_ready_proposal(actor, a_document()))
    stranger, viewer = await an_actor(), await an_actor(role="viewer", workspace_id=actor.workspace_id)
    for verb in (service.accept, service.cancel, service.reject, service.bring_back):
        with pytest.raises(NotFound):
            await verb(stranger, view.id)
        with pytest.raises(NotAllowed):
            await verb(viewer, view.id)
    with pytest.raises(NotAllowed):
        await service.begin(viewer, WISH)
    with pytest.raises(NotFound):
        await service.begin(actor, WISH, await a_flow(stranger))


async def test_one_whose_process_died_is_shown_as_interrupted(actor, fake):
    fake.always(Answer(hang=True))
    proposal_id = await service.begin(actor, WISH)
    task = service._under_way[proposal_id]
    try:
        async with asyncio.timeout(10):
            while not fake.calls:  # from here on it only listens, and writes nothing
                await asyncio.sleep(0.01)
        async with tenant_tx(actor.workspace_id) as tx:
            await tx.execute(
                "update proposal set updated_at = now() - interval '10 minutes' where id = $1", proposal_id
            )
        view = await queries.proposal(actor, proposal_id)
        assert view.status == "failed" and "interrupted" in view.said
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_pages_from_the_wish_to_the_canvas(signed_in, fake):
    await a_model(signed_in.actor, fake)
    fake.script(says(CHAT))
    begun = await signed_in.post("/drafting", data={"wish": "A kind chat <b>", "model": LARGE})
    assert begun.status_code == 303
    proposal_id = begun.headers["location"].rpartition("/")[2]
    await ended(UUID(proposal_id))
    shown = await signed_in.get(f"/drafting/{proposal_id}")
    assert "Make this flow" in shown.text and "Answer kindly" in shown.text and "A kind chat &lt;b&gt;" in shown.text
    thrown = await signed_in.post(f"/drafting/{proposal_id}/rejection", data={})
    assert thrown.headers["location"] == "/drafting"
    await signed_in.post(f"/drafting/{proposal_id}/return", data={})
    taken = await signed_in.post(f"/drafting/{proposal_id}/acceptance", data={})
    assert taken.headers["location"].startswith("/flows/")
    assert "Somebody asks" in (await signed_in.get(taken.headers["location"])).text


async def test_without_a_model_the_page_looks_among_templates_and_says_so(signed_in):
    answer = await signed_in.post("/drafting", data={"wish": "a chat that answers visitors", "model": ""})
    assert answer.status_code == 200 and "No connected model can draft flows" in answer.text
    assert "What fits" in answer.text and "Begin with it" in answer.text and "Chat message" in answer.text


async def test_programs_draft_too(signed_in, api, fake):
    await a_model(signed_in.actor, fake)
    flow_id = await a_flow(signed_in.actor, a_support_flow())
    fake.script(says(FALLBACK))
    begun = await api.post(f"/api/v1/flows/{flow_id}/drafting", json={"wish": "Add a fallback", "model": LARGE})
    assert begun.status_code == 202
    await ended(UUID(begun.json()["id"]))
    here = f"/api/v1/drafting/{begun.json()['id']}"
    view = (await api.get(here)).json()
    assert (
        view["status"] == "ready" and [wire["kind"] for wire in view["proposed"]["found"]["wires"]].count("added") == 5
    )
    assert (await api.post(f"{here}/acceptance")).json() == {"flow_id": str(flow_id)}
    assert (await api.delete(here)).status_code == 409
