"""A run becomes a test: recorded answers instead of calls, stale ones marked, results kept, statistics left alone."""

import pytest

from app.checks import queries, service
from app.checks.forms import CaseForm
from app.checks.shapes import Expectation
from app.db import tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import hub
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.runs import running
from app.runs import service as runs
from app.studio import service as studio
from app.studio.forms import NodeConfig
from flows.model import Edge, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.checks import a_case, a_run, a_support_flow
from tests.factories.runs import a_version, a_worker, an_approval, wait_for
from tests.factories.studio import a_batch, a_document, adding, wiring

GIVEN = {"message": "When do tulips flower?", "history": []}


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


@pytest.fixture
async def helped(actor, fake):
    """Somebody with a connected model."""
    form = ConnectForm(provider="compatible", name="Fake", key="sk-x", base_url=fake.url)
    await gateway.connect(actor, form)
    return actor


async def asked(workspace_id):
    async with tenant_tx(workspace_id) as tx:
        return await tx.fetchval("select count(*) from model_call")


async def test_a_test_of_a_model_asks_no_model_costs_nothing_and_counts_nowhere(helped):
    actor = helped
    flow_id, case_id = await a_case(actor, a_support_flow(), GIVEN, "Flowering")
    before = await asked(actor.workspace_id)
    [(view, result)] = await service.run(actor, flow_id)
    assert (view.id, view.case.name, result.status, result.why) == (case_id, "Flowering", "passed", "")
    assert await asked(actor.workspace_id) == before == 1
    assert result.cost_micros == 0
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select trigger, draft, status from run where id = $1", result.run_id)
    assert tuple(row) == ("test", True, "succeeded")


async def test_a_changed_step_makes_its_recorded_answer_stale_and_moving_it_does_not(helped):
    actor = helped
    flow_id, case_id = await a_case(actor, a_support_flow(), GIVEN)
    assert (await queries.case(actor, flow_id, case_id)).stale == []
    await studio.apply_ops(actor, flow_id, a_batch(0, NodeConfig("model", "instructions", "Be curt.")))
    view = await queries.case(actor, flow_id, case_id)
    assert [(each.title, each.stale, each.moved) for each in view.stale] == [("Helper", True, False)]


async def test_a_change_before_a_step_makes_its_recorded_answer_stale_and_one_behind_it_does_not(helped):
    actor = helped
    flow = a_support_flow()
    flow.nodes.append(NodeUse("before", "ai.prompt", settings={"template": "Kindly: {{ q }}"}))
    flow.edges[:1] = [Edge("start.message", "before.q"), Edge("before.text", "model.message")]
    flow_id, case_id = await a_case(actor, flow, GIVEN)
    behind = [adding("note", "ai.prompt", template="x {{ text }}"), wiring("model.text", "note.text")]
    await studio.apply_ops(actor, flow_id, a_batch(0, *behind, NodeConfig("note", "template", "y {{ text }}")))
    assert (await queries.case(actor, flow_id, case_id)).stale == []
    await studio.apply_ops(actor, flow_id, a_batch(1, NodeConfig("before", "template", "Curtly: {{ q }}")))
    view = await queries.case(actor, flow_id, case_id)
    assert [(each.title, each.stale, each.moved) for each in view.stale] == [("Helper", False, True)]


async def test_a_failing_test_says_what_is_different(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN)
    await studio.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Reply {{ question }}")))
    [(_, result)] = await service.run(actor, flow_id, [case_id])
    assert result.status == "failed"
    assert [(piece.kind, piece.text) for piece in result.verdicts[0].diff[:2]] == [("gone", "Answer"), ("new", "Reply")]
    assert (await queries.case(actor, flow_id, case_id)).last == result


async def test_what_waited_for_a_person_does_not_wait_in_a_test(actor):
    flow_id = await studio.create_flow(actor, "", an_approval())
    async with tenant_tx(actor.workspace_id) as tx:
        version = await runs.save_version(tx, actor.workspace_id, flow_id, an_approval(), "", None, kind="draft")
    async with a_worker():
        run_id = await runs.start(actor, version, {"refund": 38.5}, trigger="api", draft=True)
        await wait_for(actor.workspace_id, run_id, "waiting")
        await runs.signal(actor, run_id, "approval", {"choice": "approve"})
        await wait_for(actor.workspace_id, run_id, "succeeded")
    await service.save_run(actor, run_id, "Approved", [Expectation("cel", "data.refund > 38.0")])
    [(view, result)] = await service.run(actor, flow_id)
    assert [each.node for each in view.recordings] == ["ask"]
    assert (result.status, result.why) == ("passed", "")


async def test_a_step_that_waits_and_is_not_recorded_is_refused_by_name(actor):
    flow_id, _ = await a_case(actor, a_document(), GIVEN)
    use = NodeUse("gate", "people.approval", label="Chief", settings={"title": "OK?"})
    flow = a_document()
    flow.nodes.append(use)
    flow.edges.append(type(flow.edges[0])("ask.message", "gate.value"))
    await studio.replace_document(actor, flow_id, flow)
    [(view, result)] = await service.run(actor, flow_id)
    assert view.missing == ["Chief"]
    assert result.status == "failed" and "'Chief' has no recorded answer" in result.error


async def test_only_a_run_that_ended_well_becomes_a_test(actor):
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    run_id = await runs.start(actor, version, {}, trigger="api")
    with pytest.raises(Conflict, match="still goes on"):
        await service.save_run(actor, run_id)
    await runs.cancel(actor, run_id)
    with pytest.raises(Conflict, match="did not end well"):
        await service.save_run(actor, run_id)


async def test_a_run_replaces_the_record_of_a_test_and_leaves_its_name_and_expectations(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN, "Greeting")
    async with tenant_tx(actor.workspace_id) as tx:
        version = await runs.save_version(tx, actor.workspace_id, flow_id, a_document(), "", None, kind="draft")
    other = await runs.answer(actor, version, {"message": "Hi", "history": []}, trigger="chat", draft=True)
    await service.save_run(actor, other.run_id, replace=case_id)
    view = await queries.case(actor, flow_id, case_id)
    assert (view.case.name, view.case.input["message"], view.source_run) == ("Greeting", "Hi", other.run_id)
    assert view.case.expect[0].value == "Answer When do tulips flower?"


async def test_changed_deleted_and_brought_back(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN)
    await service.change(actor, flow_id, case_id, CaseForm(name="Other", expect=[Expectation("contains", "tulips")]))
    view = await queries.case(actor, flow_id, case_id)
    assert (view.case.name, view.case.expect, view.case.input) == ("Other", [Expectation("contains", "tulips")], GIVEN)
    assert await service.remove(actor, flow_id, case_id) == "Other"
    with pytest.raises(NotFound):
        await queries.case(actor, flow_id, case_id)
    await service.bring_back(actor, flow_id, case_id)
    assert (await queries.suite(actor, flow_id)).cases[0].case.name == "Other"


async def test_a_test_that_is_too_large_is_refused(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN)
    with pytest.raises(Refused, match="2 MB"):
        await service.change(actor, flow_id, case_id, CaseForm(input={"message": "x" * 2_100_000}))


async def test_attack_a_test_of_another_workspace_does_not_exist(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN)
    _, run_id = await a_run(actor, a_document(), GIVEN)
    other = await an_actor()
    theirs, _ = await a_case(other, a_document(), GIVEN)
    for deed in (
        queries.case(other, flow_id, case_id), queries.case(other, theirs, case_id), queries.suite(other, flow_id),
        service.remove(other, flow_id, case_id), service.remove(other, theirs, case_id), service.run(other, flow_id),
        service.run(other, theirs, [case_id]), service.save_run(other, run_id), service.demand(other, flow_id, True),
        service.save_run(other, run_id, replace=case_id), service.change(other, theirs, case_id, CaseForm(name="x")),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await deed


async def test_a_viewer_looks_and_changes_nothing(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN)
    viewer = await an_actor(role="viewer", workspace_id=actor.workspace_id)
    assert (await queries.suite(viewer, flow_id)).cases
    for deed in (service.run(viewer, flow_id), service.remove(viewer, flow_id, case_id)):
        with pytest.raises(NotAllowed):
            await deed
