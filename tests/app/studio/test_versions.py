"""Publishing: what changes, what stays, what is refused."""

import pytest

from app.db import tenant_tx
from app.errors import NotFound
from app.studio import queries, service
from app.studio.changes import changes
from app.studio.forms import NodeConfig, NodeDelete, NodeLabel, NodeMove
from app.studio.service.versions import NotReady
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_document, a_flow


async def test_publishing_freezes_the_draft_and_makes_it_live(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    version_id = await service.publish(actor, flow_id, "Opening day", "All of it.")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("ask", "Changed")))
    editor = await queries.editor(actor, flow_id)
    assert (editor.live_version_id, editor.live_flow) == (version_id, a_document())
    assert editor.flow.nodes[0].label == "Changed"
    [version] = await queries.versions(actor, flow_id)
    assert (version.number, version.name, version.notes, version.live) == (1, "Opening day", "All of it.", True)


async def test_publishing_twice_without_a_change_gives_the_same_version(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    assert await service.publish(actor, flow_id, "", "") == await service.publish(actor, flow_id, "", "")


async def test_a_draft_that_can_not_run_is_not_published_and_says_why(db):
    actor = await an_actor()
    flow_id = await a_flow(actor, Flow(nodes=[NodeUse("cut", "text.split")]))
    with pytest.raises(NotReady, match="needs") as refused:
        await service.publish(actor, flow_id, "", "")
    assert refused.value.node == "cut"
    with pytest.raises(NotReady, match="no step"):
        await service.publish(actor, await a_flow(actor, Flow(name="Empty")), "", "")


async def test_restoring_brings_a_version_back_as_an_undoable_edit_and_leaves_live_alone(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    first = await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeDelete("write")))
    changed = (await queries.draft(actor, flow_id))[0]
    await service.restore(actor, flow_id, first)
    assert (await queries.draft(actor, flow_id))[0] == a_document()
    assert (await queries.editor(actor, flow_id)).live_version_id == first
    await service.undo(actor, flow_id, "t")
    assert (await queries.draft(actor, flow_id))[0] == changed
    with pytest.raises(NotFound):
        await service.restore(await an_actor(), flow_id, first)


async def test_a_version_of_another_flow_is_not_restored(db):
    actor = await an_actor()
    version = await service.publish(actor, await a_flow(actor), "", "")
    with pytest.raises(NotFound, match="This version does not exist"):
        await service.restore(actor, await a_flow(actor), version)


def test_changes_are_told_in_words_and_moving_is_none():
    live = a_document()
    draft = Flow(
        nodes=[
            NodeUse("ask", "start.chat", x=400, y=400),
            NodeUse("write", "ai.prompt", settings={"template": "Other {{ question }}"}, label="Write"),
            NodeUse("cut", "text.split"),
        ],
        edges=[Edge("ask.message", "write.question"), Edge("write.text", "cut.text")],
        name="Garden helper",
    )
    told = [(c.kind, c.title, c.detail) for c in changes(live, draft, catalogue.load())]
    assert told == [
        ("added", "Split text", "New"),
        ("changed", "Write", "Prompt; name"),
        ("removed", "Answer", "Removed"),
        ("wires", "Wires", "1 new, 1 removed"),
    ]
    assert changes(live, live, catalogue.load()) == []


async def test_moving_steps_does_not_count_as_a_change(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeMove("ask", 80, 80)))
    editor = await queries.editor(actor, flow_id)
    assert changes(editor.live_flow, editor.flow, catalogue.load()) == []
    await service.apply_ops(actor, flow_id, a_batch(1, NodeConfig("write", "template", "New {{ question }}")))
    editor = await queries.editor(actor, flow_id)
    assert [c.detail for c in changes(editor.live_flow, editor.flow, catalogue.load())] == ["Prompt"]


async def test_an_archived_flow_is_not_served_until_it_is_back(db):
    from app.runs import service as runs

    actor = await an_actor()
    flow_id = await a_flow(actor)
    version = await service.publish(actor, flow_id, "First", "")
    gone = await service.archive(actor, flow_id)
    assert gone.live and await runs.live_version(actor.workspace_id, flow_id) is None
    back = await service.unarchive(actor, flow_id)
    assert back.live and await runs.live_version(actor.workspace_id, flow_id) == version
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select bool_and(enabled) from trigger where flow_id = $1", flow_id) is not False
