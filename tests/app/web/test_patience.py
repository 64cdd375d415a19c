"""Streams end for whoever does not read them, and only for them."""

import asyncio

import pytest

from app.web import patience
from app.web.patience import LiveStream


async def pieces():
    for n in range(3):
        yield f"{n}".encode()


async def answered(send):
    """As a server does it: who has got everything is gone."""
    scope = {"type": "http", "method": "GET", "path": "/events", "headers": []}
    over = asyncio.Event()

    async def receive():
        await over.wait()
        return {"type": "http.disconnect"}

    async def taken(message):
        await send(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            over.set()

    async with asyncio.timeout(5):
        await LiveStream(pieces(), media_type="text/event-stream").to_asgi_response(None, None)(scope, receive, taken)


async def test_a_stream_is_ended_when_a_piece_is_not_taken(monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE", 0.05)
    sent = []

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    await answered(send)
    assert [message.get("body") for message in sent] == [None, b"0", b"1"]


async def test_who_reads_gets_all_of_it():
    sent = []

    async def send(message):
        await asyncio.sleep(0.01)
        sent.append(message)

    await answered(send)
    assert b"".join(message.get("body", b"") for message in sent) == b"012" and not sent[-1]["more_body"]


async def test_other_troubles_are_not_swallowed():
    async def send(message):
        raise OSError("gone")

    with pytest.raises((OSError, ExceptionGroup)) as raised:
        await answered(send)
    assert "gone" in repr(raised.value)
