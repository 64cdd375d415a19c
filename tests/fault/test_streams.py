"""Live streams: their web process is killed under them, and readers who do not read."""

import asyncio
import socket
from contextlib import suppress

import httpx
import pytest

from app.db import tenant_tx
from app.events import publish
from app.web.session import COOKIE
from tests.factories.accounts import Entered, a_person, an_api_key
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.web import Follower, Web, browsers
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

OF_ONE_PERSON = 18
"""Streams; a browser may have 20."""


async def test_f_29_web_processes_are_killed_under_open_streams(folder, full, chance):
    """Who comes back says what he heard last, and hears everything once, in order: runs' events, a workspace's."""
    streams, kills = (200, 6) if full else (24, 2)
    async with world(folder) as it, browsers() as client:
        person = await a_person()
        it.in_workspace(person.actor.workspace_id)
        webs = [Web(), Web()]
        for web in webs:
            web.start()
        try:
            followers = await followed_workspace(client, person, webs, streams // 2)
            tasks = [asyncio.create_task(each.follow()) for each in followers]
            await all_open(followers)
            key = {"authorization": f"Bearer {await an_api_key(person.actor)}"}
            [(workspace, version)] = await it.flow(steps.five_steps(0.4, risky=False))
            of_runs: list[Follower] = []
            ending: list[asyncio.Task[None]] = []
            done = asyncio.Event()

            async def runs() -> None:
                while len(of_runs) < streams // 2 or not done.is_set():
                    run = await it.start(workspace, version, f"followed-{len(it.accepted)}")
                    one = Follower(client, f"{chance.choice(webs).url}/api/v1/runs/{run}/events", key, ends=True)
                    of_runs.append(one)
                    ending.append(asyncio.create_task(one.follow()))
                    await asyncio.sleep(0.1)

            starting = asyncio.create_task(runs())
            for n in range(kills):
                web = webs[n % len(webs)]
                async with asyncio.timeout(60):
                    while not cut_by(of_runs, web) or not cut_by(followers, web):
                        await asyncio.sleep(0.01)
                await asyncio.to_thread(web.kill)
                it.note("web killed")
                web.start()
                await all_open(followers)
            done.set()
            await starting
            await it.quiet(90)
            await asyncio.wait_for(asyncio.gather(*ending), 60)
            await heard_all_of_workspace(it, person, followers)
            for task in tasks:
                task.cancel()
            for one in of_runs:
                await heard_all_of_run(it, one)
            figures = await check(it)
            assert figures["faults"]["web"] == kills
            assert sum(one.cuts for one in followers) >= len(followers), (
                "a stream was never cut: the fault did not happen"
            )
            assert sum(one.cuts for one in of_runs) > 0
        finally:
            for web in webs:
                web.kill()


async def followed_workspace(
    client: httpx.AsyncClient, person: Entered, webs: list[Web], streams: int
) -> list[Follower]:
    people = [person, *[await a_person(workspace_id=person.actor.workspace_id)
                        for _ in range(streams // OF_ONE_PERSON)]]  # fmt: skip
    return [
        Follower(client, f"{webs[i % len(webs)].url}/events?topics=workspace",
                 {"cookie": f"{COOKIE}={people[i // OF_ONE_PERSON].secret}"})
        for i in range(streams)
    ]  # fmt: skip


async def all_open(followers: list[Follower]) -> None:
    async with asyncio.timeout(150):
        for one in followers:
            await one.open.wait()


def cut_by(followers: list[Follower], web: Web) -> list[Follower]:
    """Whose stream ends when this process is killed."""
    return [one for one in followers if one.open.is_set() and one.url.startswith(web.url + "/")]


async def heard_all_of_workspace(it: World, person: Entered, followers: list[Follower]) -> None:
    rows = await it.ask(
        "select seq from event where workspace_id = $1 and topic = 'workspace' order by seq", person.actor.workspace_id
    )
    numbers = [row["seq"] for row in rows]
    for one in followers:
        async with asyncio.timeout(60):
            while not one.heard or one.heard[-1][0] < numbers[-1]:
                await asyncio.sleep(0.05)
        assert "resync" not in [kind for _, kind, _ in one.heard]
        assert [number for number, _, _ in one.heard] == [n for n in numbers if n > one.began], "I6: a gap, or twice"


async def heard_all_of_run(it: World, one: Follower) -> None:
    run = one.url.rsplit("/", 2)[1]
    [[last]] = await it.ask("select max(seq) from run_event where run_id = $1::uuid", run)
    assert [number for number, _, _ in one.heard] == list(range(1, last + 1)), f"I6: {one.heard}"


MOST_EACH = 256 << 10
DROPPED_AFTER = 30.0


async def test_f_31_readers_that_do_not_read(folder, full):
    """They cost little memory, are let go after half a minute, and the others hear everything at once. Who was let go
    comes back with the number he heard last, and misses nothing.
    """
    slow, events = (50, 4000) if full else (12, 3000)
    async with world(folder, workers=0) as it, browsers() as client:
        person = await a_person()
        workspace = person.actor.workspace_id
        web = Web(folder / "web.log")
        web.start()
        try:
            quick = await followed_workspace(client, person, [web], 2)
            tasks = [asyncio.create_task(each.follow()) for each in quick]
            await all_open(quick)
            asleep = await followed_workspace(client, await a_person(workspace_id=workspace), [web], slow // 12)
            tasks += [asyncio.create_task(each.follow()) for each in asleep]
            await all_open(asleep)
            lazy = [
                await one_byte_a_second(web, await a_person(workspace_id=workspace)) for _ in range(slow - slow // 12)
            ]
            await publish_many(workspace, 300)  # whatever is allocated once is there
            await heard_all_of_workspace(it, person, [*quick, *asleep])
            for one in asleep:
                one.reading.clear()
            before, late = web.resident(), []
            for _ in range(0, events, 100):
                await publish_many(workspace, 100)
                begun = asyncio.get_running_loop().time()
                [[last]] = await it.ask("select last from event_counter where workspace_id = $1", workspace)
                async with asyncio.timeout(20):
                    while min(one.heard[-1][0] if one.heard else 0 for one in quick) < last:
                        await asyncio.sleep(0.01)
                late.append(asyncio.get_running_loop().time() - begun)
            grown = web.resident() - before
            it.note(f"did not read {slow} readers")
            print(f"{grown >> 10} kB more, {grown // slow >> 10} kB each; quick ones waited {max(late):.2f} s at most")
            assert grown < slow * MOST_EACH + (16 << 20), f"{grown // slow >> 10} kB for each reader"
            assert sorted(late)[len(late) // 2] < 2.0, "the others waited"
            async with asyncio.timeout(DROPPED_AFTER + 60):
                while web.said("nobody reads was ended") < slow:
                    await publish_many(workspace, 1)
                    await asyncio.sleep(1)
            assert all(one.cuts == 0 for one in (*quick, *asleep)), "who reads was cut off"
            for one in asleep:
                one.reading.set()
            await heard_all_of_workspace(it, person, [*quick, *asleep])
            assert all(one.cuts == 0 for one in quick) and all(one.cuts == 1 for one in asleep)
            for task in (*tasks, *lazy):
                task.cancel()
        finally:
            web.kill()


async def publish_many(workspace: object, count: int) -> None:
    async with tenant_tx(workspace) as tx:
        for _ in range(count):
            await publish(tx, workspace, "workspace", "garden.grew", {"text": "x" * 2000})


async def one_byte_a_second(web: Web, person: Entered) -> "asyncio.Task[None]":
    """With the smallest window the system gives."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    sock.setblocking(False)
    await loop.sock_connect(sock, ("127.0.0.1", web.port))
    head = ("GET /events?topics=workspace HTTP/1.1", "host: 127.0.0.1", f"cookie: {COOKIE}={person.secret}", "", "")
    await loop.sock_sendall(sock, "\r\n".join(head).encode())
    said = await loop.sock_recv(sock, 15)
    assert b"200" in said, said

    async def read() -> None:
        with suppress(OSError):
            while await loop.sock_recv(sock, 1):
                await asyncio.sleep(1)

    return asyncio.create_task(read())
