import asyncio
from uuid import uuid4

import msgspec
import pytest

from app.db import tenant_tx
from app.errors import Refused
from app.events import Event, hub, publish
from app.web import stream
from tests.factories.kernel import a_workspace


@pytest.fixture
async def workspace(db):
    await hub.start()
    yield await a_workspace()
    await hub.stop()


async def say(workspace, *types: str) -> None:
    async with tenant_tx(workspace) as tx:
        for type in types:
            await publish(tx, workspace, "workspace", type, {"text": "a\nb"})


async def test_a_stream_greets_with_a_number_then_tells_and_a_second_one_continues_where_it_stopped(workspace):
    body = stream.body(hub.subscribe(workspace, ["workspace"]))
    assert await anext(body) == (b'retry: 1000\nid: 0\nevent: hello\ndata: {"topic":"","type":"hello","data":null}\n\n')
    await say(workspace, "flow.renamed", "flow.published")
    first, second, _ = (await anext(body)).split(b"\n\n")  # what is there already goes out in one piece
    assert second.startswith(b"id: 2\nevent: flow.published\n")
    assert first.startswith(b"id: 1\nevent: flow.renamed\ndata: {")
    assert msgspec.json.decode(first.split(b"data: ")[1]) == {
        "topic": "workspace",
        "type": "flow.renamed",
        "data": {"text": "a\nb"},
    }
    await body.aclose()
    assert hub.listening == 0

    again = stream.body(hub.subscribe(workspace, ["workspace"], 1))
    assert b"id: 1\nevent: hello" in await anext(again)
    assert (await anext(again)).startswith(b"id: 2\nevent: flow.published")
    await again.aclose()


async def test_silence_is_filled_with_pings_and_the_longest_stream_ends_with_bye(workspace, monkeypatch):
    monkeypatch.setattr(stream, "PING", 0.05)
    monkeypatch.setattr(stream, "LONGEST", 2.0)
    chunks = [chunk async for chunk in stream.body(hub.subscribe(workspace, ["workspace"]))]
    assert chunks.count(b": ping\n\n") >= 2
    assert chunks[-1] == b"retry: 500\nevent: bye\ndata: {}\n\n"


async def test_closing_says_bye_at_once(workspace):
    body = stream.body(hub.subscribe(workspace, ["workspace"]))
    await anext(body)
    asyncio.get_running_loop().call_later(0.05, hub.end_streams)
    async with asyncio.timeout(1):
        assert [chunk async for chunk in body] == [b"retry: 500\nevent: bye\ndata: {}\n\n"]


async def test_open_streams_are_counted_per_session_also_when_the_browser_just_leaves(workspace):
    who = uuid4()
    body = stream.counted(who, stream.body(hub.subscribe(workspace, ["workspace"])))
    await anext(body)
    assert stream._open[who] == 1
    waiting = asyncio.ensure_future(anext(body))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await body.aclose()
    assert who not in stream._open and hub.listening == 0


@pytest.mark.parametrize(
    "text", ["", ",", "run:1;drop", "Run:1", "a" * 41, ",".join(f"run:{n}" for n in range(21)), "a\nb"]
)
def test_what_is_no_topic_is_refused(text):
    with pytest.raises(Refused):
        stream.topics_of(text)


def test_topics_are_sorted_and_named_once():
    assert stream.topics_of("workspace, run:1,workspace") == ["run:1", "workspace"]


def test_a_whisper_has_no_number_on_the_wire():
    assert stream.chunk(Event(None, "run:1", "step.token", {"text": "Hi"})).startswith(b"event: step.token\ndata: ")


async def test_the_route_streams_a_persons_own_workspace_and_nobody_elses(signed_in, stranger, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST", 1.0)

    async def say_soon() -> None:
        await asyncio.sleep(0.3)
        await say(signed_in.actor.workspace_id, "flow.renamed")

    mine, theirs, _ = await asyncio.gather(
        signed_in.get("/events?topics=workspace"), stranger.get("/events?topics=workspace"), say_soon()
    )
    assert mine.headers["content-type"].startswith("text/event-stream")
    assert "no-transform" in mine.headers["cache-control"] and "content-encoding" not in mine.headers
    assert "set-cookie" not in mine.headers
    assert "event: flow.renamed" in mine.text and mine.text.endswith("event: bye\ndata: {}\n\n")
    assert theirs.status_code == 200 and "flow.renamed" not in theirs.text
    again = await signed_in.get("/events?topics=workspace", headers={"last-event-id": "0"})
    assert "id: 1\nevent: flow.renamed" in again.text


async def test_the_route_wants_to_know_who_asks_and_for_what(client, signed_in, monkeypatch):
    assert (await client.get("/events?topics=workspace", follow_redirects=False)).status_code in {302, 303, 401}
    assert (await signed_in.get("/events?topics=no%20topic")).status_code == 422
    assert (await signed_in.get("/events")).status_code in {400, 422}
    monkeypatch.setattr(stream, "STREAMS", 0)
    refused = await signed_in.get("/events?topics=workspace")
    assert refused.status_code == 429 and refused.headers["retry-after"] == "30"
