"""Tests must pass before publishing, where a flow asks for it."""

import pytest

from app.checks import queries as checks
from app.checks import service
from app.checks.service import FailedTest, TestsGate
from app.errors import Conflict
from app.runs import running
from app.studio import gates, queries
from app.studio import service as studio
from app.studio.forms import NodeConfig
from tests.factories.accounts import an_actor
from tests.factories.checks import a_case
from tests.factories.studio import a_batch, a_document

GIVEN = {"message": "When do tulips flower?", "history": []}


@pytest.fixture
async def actor(db):
    await running.start("cli")
    gates.use(TestsGate())
    yield await an_actor()
    gates.use(gates.Open())
    await running.stop()


async def test_a_draft_that_fails_a_test_is_not_published_and_the_refusal_leads_to_it(actor):
    flow_id, case_id = await a_case(actor, a_document(), GIVEN, "Flowering")
    await service.demand(actor, flow_id, True)
    first = await studio.publish(actor, flow_id, "", "")
    await studio.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Reply {{ question }}")))
    with pytest.raises(FailedTest, match="The test 'Flowering' fails: It is something else") as refused:
        await studio.publish(actor, flow_id, "", "")
    assert refused.value.link == f"/flows/{flow_id}/tests/{case_id}" and refused.value.link in refused.value.remedy
    assert (await queries.editor(actor, flow_id)).live_version_id == first
    await service.demand(actor, flow_id, False)
    assert await studio.publish(actor, flow_id, "", "") != first


async def test_an_edit_while_the_tests_run_is_noticed(actor, monkeypatch):
    flow_id, _ = await a_case(actor, a_document(), GIVEN)

    async def edits(*_):
        await studio.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Late")))

    monkeypatch.setattr(TestsGate, "may_publish", edits)
    with pytest.raises(Conflict, match="changed the draft"):
        await studio.publish(actor, flow_id, "", "")


async def test_a_flow_that_asks_for_nothing_is_published_without_a_run(actor):
    flow_id, _ = await a_case(actor, a_document(), GIVEN)
    await studio.publish(actor, flow_id, "", "")
    assert (await checks.suite(actor, flow_id)).cases[0].last is None
