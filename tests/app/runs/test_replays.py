"""A run goes on from one of its steps: what came before is not called again."""

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec
import pytest

from app import config
from app.db import tenant_tx
from app.errors import Conflict, NotAllowed, Refused
from app.runs import queries, replays, service
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version, a_worker, wait_for


@pytest.fixture
def counter():
    """A real server that counts how often each path was called; it answers with the number."""
    calls: dict[str, int] = {}

    class Counting(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            calls[self.path] = calls.get(self.path, 0) + 1
            body = msgspec.json.encode({"called": calls[self.path], "at": self.path})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    Thread(target=server.serve_forever, daemon=True).start()
    calls["port"] = server.server_port
    with config.using(egress_allow=("127.0.0.0/8",)):
        yield calls
    server.shutdown()


def calling(port: int, *names: str, last: str = "data.set") -> Flow:
    """start → a request to each name, one after the other → fields → answer."""
    nodes, edges, before = [NodeUse("start", "start.api")], [], "start.input"
    for name in names:
        settings = {"method": "POST", "url": f"http://127.0.0.1:{port}/{name}", "body": "{{ value }}"}
        nodes.append(NodeUse(name, "connect.http", label=f"Call {name}", settings=settings))
        edges.append(Edge(before, f"{name}.value"))
        before = f"{name}.body"
    nodes += [
        NodeUse("set", last, settings={"fields": [{"name": "done", "text": "yes"}]}),
        NodeUse("answer", "show.answer"),
    ]
    edges += [Edge(before, "set.object"), Edge("set.object", "answer.data")]
    return Flow(nodes, edges, name="calls")


async def ended(actor, run):
    row = await wait_for(actor.workspace_id, run, "succeeded", "failed", "in_doubt", "cancelled")
    assert row["status"] == "succeeded", row["error"]
    return row


async def test_steps_before_are_not_called_again_and_the_rest_is(engine, counter):
    actor = await an_actor()
    _, _, version = await a_version(calling(counter["port"], "one", "two", "three"), actor.workspace_id)
    async with a_worker():
        first = await service.start(actor, version, {"x": 1}, trigger="api")
        await ended(actor, first)
        assert (counter["/one"], counter["/two"], counter["/three"]) == (1, 1, 1)
        second = await replays.replay(actor, first, from_step="two")
        row = await ended(actor, second)
    assert (counter["/one"], counter["/two"], counter["/three"]) == (1, 2, 2)
    assert (row["origin_run"], row["from_step"]) == (first, "two")
    view = await queries.run(actor, second)
    assert [(step.node, step.taken_over) for step in view.steps] == [
        ("start", True), ("one", True), ("two", False), ("three", False), ("set", False), ("answer", False),
    ]  # fmt: skip
    assert view.steps[2].inputs == {"value": {"called": 1, "at": "/one"}}


async def test_an_edited_input_takes_the_place_of_what_arrived_and_survives_a_second_worker(engine, counter):
    actor = await an_actor()
    _, _, version = await a_version(calling(counter["port"], "one"), actor.workspace_id)
    async with a_worker():
        first = await service.start(actor, version, {"x": 1}, trigger="api")
        await ended(actor, first)
        second = await replays.replay(actor, first, from_step="set", edits={"object": {"hand": "made"}})
        row = await ended(actor, second)
        third = await replays.replay(actor, second, from_step="answer")
        last = await ended(actor, third)
    assert msgspec.json.decode(row["output"])["data"] == {"hand": "made", "done": "yes"}
    assert msgspec.json.decode(last["output"])["data"] == {"hand": "made", "done": "yes"}
    assert counter["/one"] == 1
    step = next(step for step in (await queries.run(actor, second)).steps if step.node == "set")
    assert step.edited == ("object",) and step.inputs == {"object": {"hand": "made"}}


async def test_an_express_run_is_resumed_in_the_durable_lane(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(5, start="start.api"), actor.workspace_id)
    first = await service.answer(actor, version, {"a": 1}, trigger="api")
    async with a_worker():
        again = await replays.replay(actor, first.run_id, from_step="s1", edits={"object": {"b": 2}})
        row = await ended(actor, again)
    assert msgspec.json.decode(row["output"])["data"] == {"b": 2, "n1": "1", "n2": "2"}
    taken = {step.node for step in (await queries.run(actor, again)).steps if step.taken_over}
    assert taken == {"start", "s0"}


async def test_from_the_beginning_with_the_same_and_with_another_input(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    first = await service.answer(actor, version, {"a": 1, "api_key": "sk-live-0123456789abcdefghij"}, trigger="api")
    shown = (await queries.run(actor, first.run_id)).input
    assert "sk-live" not in str(shown)
    async with a_worker():
        same = await ended(actor, await replays.replay(actor, first.run_id))
        other = await ended(actor, await replays.replay(actor, first.run_id, input={**shown, "a": 2}))
    assert msgspec.json.decode(same["input"])["a"] == 1
    assert msgspec.json.decode(other["input"]) == {"a": 2, "api_key": "sk-live-0123456789abcdefghij"}


async def test_one_round_is_done_anew_and_the_others_are_kept(engine, counter):
    actor = await an_actor()
    url = f"http://127.0.0.1:{counter['port']}/item-{{{{ value }}}}"
    flow = Flow(
        [
            NodeUse("start", "start.api", settings={"fields": [{"name": "items", "kind": "list"}]}),
            NodeUse("each", "logic.each"),
            NodeUse("call", "connect.http", parent="each", settings={"method": "POST", "url": url}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("start.items", "each.items"), Edge("each.item", "call.value"),
            Edge("call.body", "each.result"), Edge("each.results", "answer.data"),
        ],
        name="rounds",
    )  # fmt: skip
    _, _, version = await a_version(flow, actor.workspace_id)
    async with a_worker():
        first = await service.start(actor, version, {"items": ["a", "b", "c"]}, trigger="api")
        await ended(actor, first)
        second = await ended(actor, await replays.replay(actor, first, from_step="call:1"))
        assert (counter["/item-a"], counter["/item-b"], counter["/item-c"]) == (1, 2, 1)
        await ended(actor, await replays.replay(actor, first, from_step="each"))
    assert [each["called"] for each in msgspec.json.decode(second["output"])["data"]] == [1, 2, 1]
    assert (counter["/item-a"], counter["/item-b"], counter["/item-c"]) == (2, 3, 2)


async def test_another_version_takes_over_what_is_the_same_and_refuses_by_name_what_is_not(engine, counter):
    actor = await an_actor()
    flow = calling(counter["port"], "one", "two")
    _, flow_id, version = await a_version(flow, actor.workspace_id)
    async with a_worker():
        first = await service.start(actor, version, {}, trigger="api")
        await ended(actor, first)
        flow.nodes[3].settings = {"fields": [{"name": "done", "text": "newer"}]}
        newer = await _next(actor, flow_id, flow)
        row = await ended(actor, await replays.replay(actor, first, from_step="set", version_id=newer))
        assert msgspec.json.decode(row["output"])["data"]["done"] == "newer"
        assert (counter["/one"], counter["/two"]) == (1, 1)
    flow.nodes[1] = NodeUse("one", "data.set", label="Call one")
    flow.edges[0], flow.edges[1] = Edge("start.input", "one.object"), Edge("one.object", "two.value")
    changed = await _next(actor, flow_id, flow)
    with pytest.raises(Refused, match="'Call one' is another kind of step in version 3"):
        await replays.replay(actor, first, from_step="set", version_id=changed)
    del flow.nodes[1]
    flow.edges[0:2] = [Edge("start.input", "two.value")]
    gone = await _next(actor, flow_id, flow)
    with pytest.raises(Refused, match="'Call one' is gone in version 4"):
        await replays.replay(actor, first, from_step="set", version_id=gone)


async def _next(actor, flow_id, flow):
    async with tenant_tx(actor.workspace_id) as tx:
        return await service.save_version(tx, actor.workspace_id, flow_id, flow, "", None)


async def test_what_can_not_be_resumed_says_what_to_do(engine, counter):
    actor = await an_actor()
    flow = calling(counter["port"], "one")
    flow.nodes[1].settings = {**flow.nodes[1].settings, "url": "http://127.0.0.1:1/nobody"}
    _, _, version = await a_version(flow, actor.workspace_id)
    waiting = await service.start(actor, version, {}, trigger="api")
    with pytest.raises(Conflict, match="still goes on"):
        await replays.replay(actor, waiting, from_step="one")
    async with a_worker():
        await wait_for(actor.workspace_id, waiting, "failed", "in_doubt")
    with pytest.raises((Refused, Conflict), match="Call one"):
        await replays.replay(actor, waiting, from_step="set")
    with pytest.raises(Refused, match="no step 'nowhere'"):
        await replays.replay(actor, waiting, from_step="nowhere")
    viewer = msgspec.structs.replace(actor, role="viewer")
    with pytest.raises(NotAllowed):
        await replays.replay(viewer, waiting)


async def test_an_edit_that_does_not_fit_is_refused_before_anything_is_stored(engine):
    actor = await an_actor()
    _, flow_id, version = await a_version(a_chain(4, start="start.api"), actor.workspace_id)
    first = await service.answer(actor, version, {"a": 1}, trigger="api")
    for edits, words in (({"object": "text"}, "'object' of step"), ({"nothing": 1}, "no input 'nothing'")):
        with pytest.raises(Refused, match=words):
            await replays.replay(actor, first.run_id, from_step="s0", edits=edits)
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run where flow_id = $1", flow_id) == 1


async def test_two_people_at_once_make_two_runs(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    first = await service.answer(actor, version, {}, trigger="api")
    made = await asyncio.gather(*(replays.replay(actor, first.run_id, from_step="s0") for _ in range(3)))
    assert len(set(made)) == 3
