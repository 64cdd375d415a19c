"""What the gateway adds to a model call: time to the first token, and CPU per streamed piece.

The model is the fake server in a process of its own; PostgreSQL runs with its usual durability. Direct calls and calls
through the pipeline take turns, so that a busy moment of the machine hits both alike.
"""

import asyncio
import contextlib
import logging
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from app import config, db, egress, logs
from app.embedded.folder import free_port
from app.embedded.postgres import EmbeddedPostgres
from app.gateway import running, service
from app.gateway.attempt import Watch
from app.gateway.forms import BudgetForm, ConnectForm
from app.gateway.ledger import Purpose
from app.migrate import migrate
from flows.sdk.capabilities import ChatRequest
from flows.sdk.values import Message
from tests.bench.figure import Figure
from tests.factories.accounts import an_actor
from tests.servers import run_sql, with_database

ROUNDS = 300
GOAL_MS = 10.0
PIECES = 200


def figures() -> Iterator[Figure]:
    logs.setup(level=logging.WARNING)  # to stderr: stdout is for the figures
    yield from asyncio.run(_measured())


async def _measured() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="agentbase-bench-") as folder, _fake() as url:
        async with _database(Path(folder)), aiohttp.ClientSession() as direct:
            actor = await an_actor()
            await service.connect(actor, ConnectForm("compatible", base_url=url))
            purpose = Purpose(actor.workspace_id)
            free = await _compare(direct, url, purpose)
            await service.set_budget(actor, BudgetForm("workspace", 1000))
            braked = await _compare(direct, url, purpose)
            piece_us = await _piece(purpose)
            at_once = await _at_once(purpose)
            await running.drain()
            await egress.stop()
    return [
        Figure("gateway.first_token.direct_p50", free[0], "ms"),
        Figure("gateway.first_token.added_p50", free[1], "ms", GOAL_MS),
        Figure("gateway.first_token.added_p95", free[2], "ms"),
        Figure("gateway.first_token.added_p50_with_budget", braked[1], "ms", GOAL_MS),
        Figure("gateway.piece.cpu", piece_us, "us"),
        Figure("gateway.calls.16_at_once", at_once, "calls/s"),
    ]


async def _compare(direct: aiohttp.ClientSession, url: str, purpose: Purpose) -> tuple[float, float, float]:
    """(direct p50, added p50, added p95) in ms. Added = the difference of the medians, and of the 95th percentiles."""
    straight, through = [], []
    for i in range(ROUNDS + 20):
        one, other = await _direct(direct, url), await _through(purpose)
        if i >= 20:
            straight.append(one)
            through.append(other)
    low, high = statistics.median(straight), statistics.median(through)
    tail = statistics.quantiles(through, n=20)[18] - statistics.quantiles(straight, n=20)[18]
    return low, high - low, tail


async def _direct(session: aiohttp.ClientSession, url: str) -> float:
    body = {"model": "fake-small", "messages": [{"role": "user", "content": "one two three"}], "stream": True}
    began = time.perf_counter()
    first = 0.0
    async with session.post(f"{url}/chat/completions", json=body) as answer:
        async for line in answer.content:
            if not first and line.startswith(b"data: {"):
                first = time.perf_counter() - began
    return first * 1000


async def _through(purpose: Purpose, text: str = "one two three") -> float:
    began = time.perf_counter()
    first = 0.0
    request = ChatRequest([Message(text)], "compatible/fake-small")
    async with aclosing(running.pipeline().stream(purpose, request, Watch())) as parts:
        async for _ in parts:
            first = first or time.perf_counter() - began
    return first * 1000


async def _piece(purpose: Purpose) -> float:
    """Microseconds of this process's CPU for one piece of a long answer: the slope between a short and a long one."""
    costs = []
    for pieces in (0, PIECES):
        text = " ".join(["word"] * (pieces + 1))
        await _through(purpose, text)
        began = time.process_time()
        for _ in range(20):
            await _through(purpose, text)
        costs.append((time.process_time() - began) / 20)
    return (costs[1] - costs[0]) / PIECES * 1e6


async def _at_once(purpose: Purpose) -> float:
    async def worker() -> None:
        for _ in range(25):
            await _through(purpose)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(16)))
    return 16 * 25 / (time.perf_counter() - began)


@contextlib.contextmanager
def _fake() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.doubles.openai_server", "--port", str(port)]
    with subprocess.Popen(command) as server:
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[UUID | None]:
    postgres = EmbeddedPostgres(folder / "postgres")
    addresses: Any = postgres.start()
    try:
        name = "bench"
        await run_sql(addresses.owner, f"create database {name} owner agentbase_owner")
        owner, login = with_database(addresses.owner, name), with_database(addresses.login, name)
        await run_sql(owner, "create extension if not exists vector", "create extension if not exists pg_trgm")
        await migrate(owner, login)
        given = {
            "data": folder,
            "database_url": config.Secret(login),
            "secret_key": config.Secret(secrets.token_hex(24)),
        }
        with config.using(**given):
            await db.start("web")
            try:
                yield None
            finally:
                await db.stop()
    finally:
        postgres.stop()
