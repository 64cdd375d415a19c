"""The door in front of both applications: how it starts, stops, and says why it can't."""

import asyncio
from contextlib import asynccontextmanager

from app.web import closing
from app.web.hosts import Dispatcher


class Part:
    """One of the two applications; writes down when it starts and stops."""

    def __init__(self, name, log, breaks=False):
        self.name, self.log, self.breaks = name, log, breaks

    async def __call__(self, scope, receive, send):
        scope["state"]["seen"] = self.name

    @asynccontextmanager
    async def lifespan(self):
        if self.breaks:
            raise RuntimeError("the disk is full")
        self.log.append(f"{self.name} up")
        try:
            yield
        finally:
            self.log.append(f"{self.name} down")


def a_door(log, breaks=False):
    return Dispatcher(Part("dashboard", log), Part("sites", log, breaks), lambda: Part("services", log).lifespan())


async def a_life(door):
    inbox, said = asyncio.Queue(), []

    async def send(message):
        said.append(message)
        if message["type"] == "lifespan.startup.complete":
            inbox.put_nowait({"type": "lifespan.shutdown"})

    inbox.put_nowait({"type": "lifespan.startup"})
    await door({"type": "lifespan"}, inbox.get, send)
    return said


async def test_services_come_first_and_go_last():
    log = []
    said = await a_life(a_door(log))
    assert [m["type"] for m in said] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert log == ["services up", "dashboard up", "sites up", "sites down", "dashboard down", "services down"]


async def test_a_start_that_fails_says_why_and_stops_what_had_begun():
    log = []
    said = await a_life(a_door(log, breaks=True))
    assert said == [{"type": "lifespan.startup.failed", "message": "the disk is full"}]
    assert log[-2:] == ["dashboard down", "services down"]


async def test_requests_never_share_what_they_keep():
    """Some servers hand the same state to every request: who is signed in must not stick to it."""
    shared = {"of": "the server"}
    scope = {"type": "http", "headers": [(b"host", b"localhost")], "state": shared}
    await a_door([])(scope, None, None)
    assert shared == {"of": "the server"} and scope["state"]["seen"] == "dashboard"


async def test_closing_is_told_to_open_streams_and_is_new_for_the_next_start():
    closing.begin()
    waiting = asyncio.create_task(closing.closing().wait())
    await asyncio.sleep(0)
    closing.end()
    assert await asyncio.wait_for(waiting, 1)
    closing.begin()
    assert not closing.closing().is_set()
