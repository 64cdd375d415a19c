import asyncio
from uuid import uuid4

import pytest

from app import config, health, metrics
from app.db import pools, system_tx


@pytest.fixture
async def worker_row(db):
    """Insert a worker; the whole table is emptied first and after, because readiness asks for any worker at all."""

    async def insert(seconds_ago: int = 0, draining: bool = False) -> None:
        async with system_tx("test") as tx:
            await tx.execute("delete from worker")
            await tx.execute(
                "insert into worker (id, boot_id, host, pid, slots, draining, heartbeat_at) "
                "values ($1, $2, 'h', 1, 4, $3, clock_timestamp() - make_interval(secs => $4))",
                uuid4(),
                uuid4(),
                draining,
                seconds_ago,
            )

    yield insert
    async with system_tx("test") as tx:
        await tx.execute("delete from worker")


async def test_ready_needs_a_worker_that_is_alive_and_not_leaving(worker_row):
    async with system_tx("test") as tx:
        await tx.execute("delete from worker")
    assert await health.workers() == "no worker is taking runs"
    await worker_row()
    assert await health.workers() == ""
    await worker_row(seconds_ago=60)
    assert await health.workers() == "no worker is taking runs"
    await worker_row(draining=True)
    assert await health.workers() == "no worker is taking runs"


async def test_a_database_that_does_not_answer_is_a_reason_and_not_an_exception(db, monkeypatch):
    assert await health.database() == ""
    monkeypatch.setitem(pools, "system", None)
    assert "the database does not answer" in await health.database()
    assert "can't be read" in await health.workers()


async def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


async def test_the_internal_listener_serves_numbers_and_health_and_nothing_else(worker_row):
    from app.embedded.folder import free_port

    port = free_port()
    with config.using(metrics_port=port):
        async with metrics.serving() as first, metrics.serving() as second:
            assert second.port > first.port == port
            metrics.request("/flows/{id}", "GET", 200, 0.003)
            status, body = await get(port, "/metrics")
            assert status == 200
            assert 'agentbase_request_seconds_count{method="GET",route="/flows/{id}",status="2xx"} 1.0' in body
            assert 'agentbase_db_connections{role="app",state="busy"}' in body and "agentbase_streams 0.0" in body
            assert await get(port, "/health/live") == (200, "live\n")
            async with system_tx("test") as tx:
                await tx.execute("delete from worker")
            assert await get(port, "/health/ready") == (503, "no worker is taking runs\n")
            await worker_row()
            assert await get(port, "/health/ready?x=1") == (200, "ready\n")
            assert (await get(port, "/"))[0] == 404
            assert (await get(port, "/metrics", "POST"))[0] == 405
    with pytest.raises(OSError):
        await get(port, "/metrics")


async def test_no_listener_when_it_is_off():
    with config.using(metrics_port=0):
        async with metrics.serving() as listener:
            assert listener is None
