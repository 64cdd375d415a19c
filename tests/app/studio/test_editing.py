"""Edits on a real database: conflicts, idempotency, undo, chains, fragments."""

import asyncio

import pytest

from app.errors import NotFound, Refused
from app.studio import queries, service
from app.studio.forms import (
    EdgeDelete,
    Fragment,
    NodeConfig,
    NodeDelete,
    NodeLabel,
    NodeMove,
    PasteForm,
)
from app.studio.service.editing import EditConflict
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import a_person, an_actor
from tests.factories.studio import a_batch, a_document, a_flow, adding, wiring


async def drafted(actor, flow_id) -> Flow:
    return (await queries.draft(actor, flow_id))[0]


async def test_an_edit_is_saved_with_the_next_revision(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    answer = await service.apply_ops(actor, flow_id, a_batch(0, NodeMove("ask", 40, 80)))
    flow, rev = await queries.draft(actor, flow_id)
    assert (answer.rev, rev, flow.nodes[0].x, flow.nodes[0].y) == (1, 1, 40, 80)


async def test_sending_a_batch_twice_does_it_once_and_answers_the_same(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    batch = a_batch(0, NodeDelete("write", keep_chain=True))
    first = await service.apply_ops(actor, flow_id, batch)
    again = await service.apply_ops(actor, flow_id, batch)
    assert (first.rev, again.rev) == (1, 1)
    assert first.extra == again.extra == [wiring("ask.message", "reply.text")]


async def test_edits_at_the_same_time_wait_for_each_other_and_all_of_them_stay(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    batches = [a_batch(0, adding(f"x{i}", "note.note", y=i * 100), client=f"tab-{i}") for i in range(8)]
    await asyncio.gather(*(service.apply_ops(actor, flow_id, batch) for batch in batches))
    flow, rev = await queries.draft(actor, flow_id)
    assert rev == 8
    assert {node.id for node in flow.nodes} >= {f"x{i}" for i in range(8)}


async def test_an_editor_that_is_behind_is_told_what_it_missed(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeMove("ask", 8, 8), client="other"))
    answer = await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("reply", "Say it")))
    assert [(batch.rev, batch.ops) for batch in answer.since] == [(1, [NodeMove("ask", 8, 8)])]
    assert answer.rev == 2


async def test_two_different_texts_are_never_merged_silently(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Theirs"), client="other"))
    with pytest.raises(EditConflict) as conflict:
        await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Mine")))
    assert (conflict.value.clash.theirs, conflict.value.rev) == ("Theirs", 1)
    await service.apply_ops(actor, flow_id, a_batch(1, NodeConfig("write", "template", "Mine")))
    assert (await drafted(actor, flow_id)).nodes[1].settings == {"template": "Mine"}


async def test_deleting_beats_editing_and_says_so(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeDelete("write"), client="other"))
    answer = await service.apply_ops(actor, flow_id, a_batch(0, NodeMove("write", 8, 8), NodeMove("ask", 8, 8)))
    assert [(each.index, each.why) for each in answer.dropped] == [(0, "This step was deleted.")]
    assert (await drafted(actor, flow_id)).nodes[0].x == 8


async def test_a_wire_of_the_wrong_type_is_refused_with_the_reason_and_nothing_is_done(db):
    actor = await an_actor()
    document = a_document()
    document.nodes.append(NodeUse("split", "text.split"))
    document.nodes.append(NodeUse("when", "logic.wait"))
    flow_id = await a_flow(actor, document)
    with pytest.raises(Refused, match="needs .*, this is"):
        await service.apply_ops(actor, flow_id, a_batch(0, NodeMove("ask", 8, 8), wiring("split.chunks", "reply.text")))
    flow, rev = await queries.draft(actor, flow_id)
    assert (rev, flow.nodes[0].x) == (0, 0)


async def test_a_loop_is_refused(db):
    actor = await an_actor()
    flow_id = await a_flow(actor, Flow(nodes=[NodeUse("a", "ai.prompt", settings={"template": "{{ x }}"}),
                                              NodeUse("b", "ai.prompt", settings={"template": "{{ x }}"})],
                                       edges=[Edge("a.text", "b.x")]))  # fmt: skip
    with pytest.raises(Refused, match="feed each other"):
        await service.apply_ops(actor, flow_id, a_batch(0, wiring("b.text", "a.x")))


async def test_deleting_a_step_keeps_the_chain(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeDelete("write", keep_chain=True)))
    assert (await drafted(actor, flow_id)).edges == [Edge("ask.message", "reply.text")]
    await service.undo(actor, flow_id, "tab-1")
    assert await drafted(actor, flow_id) == a_document()


async def test_renaming_a_port_takes_its_wires_along(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "Answer {{ wish }}")))
    assert Edge("ask.message", "write.wish") in (await drafted(actor, flow_id)).edges


async def test_undo_and_redo_walk_back_and_forth_per_person(db):
    mara = await an_actor()
    jonas = (await a_person(workspace_id=mara.workspace_id)).actor
    flow_id = await a_flow(mara)
    await service.apply_ops(mara, flow_id, a_batch(0, NodeMove("ask", 8, 0)))
    await service.apply_ops(mara, flow_id, a_batch(1, NodeMove("ask", 16, 0)))
    await service.apply_ops(jonas, flow_id, a_batch(2, NodeLabel("reply", "Jonas")))

    xs = []
    for step in (service.undo, service.undo, service.redo, service.redo, service.undo):
        answer = await step(mara, flow_id, "t")
        xs.append((await drafted(mara, flow_id)).nodes[0].x)
    assert xs == [8, 0, 8, 16, 8]
    assert (answer.undo, answer.redo) == (True, True)
    assert (await drafted(mara, flow_id)).nodes[2].label == "Jonas"
    again = await service.apply_ops(mara, flow_id, a_batch(answer.rev, NodeMove("ask", 80, 0)))
    assert again.redo is False


async def test_undo_leaves_what_somebody_else_changed_since_and_says_so(db):
    mara = await an_actor()
    jonas = (await a_person(workspace_id=mara.workspace_id)).actor
    flow_id = await a_flow(mara)
    await service.apply_ops(mara, flow_id, a_batch(0, NodeLabel("ask", "Mara"), NodeMove("ask", 8, 8)))
    await service.apply_ops(jonas, flow_id, a_batch(1, NodeLabel("ask", "Jonas")))
    answer = await service.undo(mara, flow_id, "t")
    node = (await drafted(mara, flow_id)).nodes[0]
    assert (node.label, node.x) == ("Jonas", 0)
    assert "1 of 2 changes stayed" in answer.said


async def test_what_is_pasted_gets_new_ids_and_keeps_its_wires(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    fragment, _ = await service.copy_fragment(actor, flow_id, ["write", "reply"])
    assert (fragment.nodes[0].x, len(fragment.edges)) == (0, 1)
    form = PasteForm(base=0, batch="paste-0001", client="t", fragment=fragment, x=0, y=400)
    answer = await service.paste(actor, flow_id, form)
    flow = await drafted(actor, flow_id)
    assert len(flow.nodes) == 5
    assert len({node.id for node in flow.nodes}) == 5
    assert len(flow.edges) == 3
    again = await service.paste(actor, flow_id, form)
    assert again.resync and await drafted(actor, flow_id) == flow, "sent twice, pasted once"
    await service.undo(actor, flow_id, "t")
    assert await drafted(actor, flow_id) == a_document()
    assert answer.undo


async def test_copies_carry_no_secrets(db):
    actor = await an_actor()
    document = Flow(
        nodes=[
            NodeUse(
                "get",
                "connect.http",
                settings={"url": "https://x", "headers": [{"name": "Authorization", "value": "Bearer canary"}]},
            )
        ]
    )
    flow_id = await a_flow(actor, document)
    fragment, left_out = await service.copy_fragment(actor, flow_id, ["get"])
    assert "canary" not in str(fragment)
    assert left_out == 1
    assert "canary" not in str(await service.export_flow(actor, flow_id))


async def test_a_fragment_of_another_format_is_refused(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    form = PasteForm(base=0, batch="paste-0002", client="t", fragment=Fragment(99, [NodeUse("a", "note.note")]))
    with pytest.raises(Refused, match="newer Agentbase"):
        await service.paste(actor, flow_id, form)


async def test_the_flow_of_another_workspace_is_like_one_that_does_not_exist(db):
    mine, foreign = await an_actor(), await an_actor()
    flow_id = await a_flow(mine)
    for attempt in (
        service.apply_ops(foreign, flow_id, a_batch(0, NodeMove("ask", 1, 1))),
        service.undo(foreign, flow_id, "t"),
        service.archive(foreign, flow_id),
        service.duplicate(foreign, flow_id),
        service.copy_fragment(foreign, flow_id, ["ask"]),
        queries.draft(foreign, flow_id),
    ):
        with pytest.raises(NotFound, match="does not exist, or you have no access"):
            await attempt


async def test_a_whole_document_can_be_replaced_and_undone(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    rev = await service.replace_document(actor, flow_id, Flow(nodes=[NodeUse("only", "note.note")]))
    assert [node.id for node in (await drafted(actor, flow_id)).nodes] == ["only"]
    await service.undo(actor, flow_id, "t")
    assert (await drafted(actor, flow_id)).nodes == a_document().nodes
    with pytest.raises(Exception, match="revision 2 by now"):
        await service.replace_document(actor, flow_id, Flow(), base=rev)


async def test_an_archived_flow_comes_back_as_it_was(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    assert (await service.archive(actor, flow_id)).name == "Garden helper"
    assert (await queries.flows(actor))[0].archived
    await service.unarchive(actor, flow_id)
    assert not (await queries.flows(actor))[0].archived
    copy = await service.duplicate(actor, flow_id)
    assert (await drafted(actor, copy)).nodes == a_document().nodes


async def test_cutting_a_wire_and_undoing_restores_its_place_in_the_order(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, EdgeDelete("ask.message", "write.question")))
    await service.undo(actor, flow_id, "t")
    assert (await drafted(actor, flow_id)).edges == a_document().edges


async def test_a_group_is_copied_with_its_steps_and_holds_the_copies(db):
    actor = await an_actor()
    flow = a_document()
    flow.nodes.append(NodeUse("frame", "note.group", settings={"members": ["write", "reply", "gone"]}))
    flow_id = await a_flow(actor, flow)
    fragment, _ = await service.copy_fragment(actor, flow_id, ["frame"])
    assert {node.id for node in fragment.nodes} == {"write", "reply", "frame"}
    await service.paste(actor, flow_id, PasteForm(0, "b" * 8, "tab-1", fragment))
    after = await drafted(actor, flow_id)
    copy = next(node for node in after.nodes if node.type == "note.group" and node.id != "frame")
    ids = {node.id for node in after.nodes}
    assert len(copy.settings["members"]) == 2
    assert set(copy.settings["members"]) <= ids - {"write", "reply"}


async def test_what_belongs_to_one_workspace_does_not_travel_by_the_clipboard_and_the_answer_says_so(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    headers = [{"name": "Authorization", "value": "Bearer abc"}]
    stolen = Fragment(1, [NodeUse("call", "connect.http", settings={"headers": headers})])
    answer = await service.paste(actor, flow_id, PasteForm(0, "c" * 8, "tab-1", stolen))
    assert "do not travel" in answer.said
    assert "abc" not in str((await drafted(actor, flow_id)).nodes)


async def test_what_was_typed_in_one_go_is_one_undo(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    for rev, text in enumerate(("B", "Be", "Be kind")):
        await service.apply_ops(actor, flow_id, a_batch(rev, NodeConfig("write", "template", text)))
    await service.apply_ops(actor, flow_id, a_batch(3, NodeConfig("write", "other", "x")))
    await service.undo(actor, flow_id, "tab-1")
    assert (await drafted(actor, flow_id)).nodes[1].settings["template"] == "Be kind"
    answer = await service.undo(actor, flow_id, "tab-1")
    assert (await drafted(actor, flow_id)) == a_document()
    assert not answer.undo
    assert answer.redo
    await service.redo(actor, flow_id, "tab-1")
    assert (await drafted(actor, flow_id)).nodes[1].settings["template"] == "Be kind"


async def test_a_value_written_over_somebody_elses_is_told_with_the_way_back(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "tries", 5), client="other"))
    answer = await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "tries", 2)))
    (over,) = answer.over
    assert (over.id, over.theirs, over.back) == ("write", "5", NodeConfig("write", "tries", 5))
    again = await service.apply_ops(actor, flow_id, a_batch(2, NodeConfig("write", "tries", 2)))
    assert again.over == []


async def test_typing_after_a_redo_forgets_what_else_could_be_redone(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeConfig("write", "template", "One")))
    await service.apply_ops(actor, flow_id, a_batch(1, NodeMove("write", 8, 8)))
    for _ in range(2):
        await service.undo(actor, flow_id, "tab-1")
    await service.redo(actor, flow_id, "tab-1")
    answer = await service.apply_ops(actor, flow_id, a_batch(5, NodeConfig("write", "template", "Two")))
    assert not answer.redo
    await service.undo(actor, flow_id, "tab-1")
    assert (await drafted(actor, flow_id)).nodes[1].settings == {"template": "One"}
