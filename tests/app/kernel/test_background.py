import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from app import background, clock
from app.accounts import jobs as accounts
from app.db import system_tx, tenant_tx
from app.events import jobs, outbox, publish, read
from app.web.ids import digest
from app.worker import JOBS, LOOKS
from tests.factories.accounts import an_actor
from tests.factories.kernel import a_workspace


def test_the_worker_runs_the_jobs_of_every_domain_that_has_some():
    """A jobs.py that nobody lists would never run, and nobody would notice."""
    import importlib
    from pathlib import Path

    home = Path(background.__file__).parent
    for file in sorted(home.glob("*/jobs.py")):
        module = importlib.import_module(f"app.{file.parent.name}.jobs")
        seldom, often = set(getattr(module, "JOBS", ())), set(getattr(module, "LOOKS", ()))
        assert seldom | often, f"{file} lists nothing"
        assert seldom <= set(JOBS) and often <= set(LOOKS), f"{file} is not in app/worker.py"
    assert all(every >= 60 for _, every in JOBS)


async def test_a_job_that_fails_comes_again_and_all_end_with_the_block(monkeypatch):
    monkeypatch.setattr(background, "FIRST", 0.01)
    calls = {"good": 0, "bad": 0}
    enough = asyncio.Event()

    async def good() -> int:
        calls["good"] += 1
        return calls["good"]

    async def bad() -> int:
        calls["bad"] += 1
        if min(calls.values()) > 2:
            enough.set()
        raise OSError("the database is away")

    async with background.serving([(good, 0.01), (bad, 0.01)]):
        await asyncio.wait_for(enough.wait(), 5)
    seen = dict(calls)
    await asyncio.sleep(0.05)
    assert calls == seen


async def test_events_are_forgotten_after_a_quarter_and_numbers_are_not_used_again(db):
    workspace = await a_workspace()
    for number in range(3):
        async with tenant_tx(workspace) as tx:
            await publish(tx, workspace, "workspace", "thing.happened", number)
    await _make_older("event", "at", jobs.KEEP_DAYS + 1, "workspace_id = $1 and seq <= 2", workspace)
    assert await jobs.forget_events() >= 2
    async with tenant_tx(workspace) as tx:
        await publish(tx, workspace, "workspace", "thing.happened", 3)
    async with tenant_tx(workspace) as tx:
        assert [event.seq for event in await read(tx, workspace)] == [3, 4]


async def test_letters_are_forgotten_a_month_after_they_went_and_never_before(db):
    workspace, kind = await a_workspace(), f"test.{uuid4().hex}"
    async with tenant_tx(workspace) as tx:
        for name in ("sent long ago", "sent now", "waiting long"):
            await outbox.add(tx, workspace, kind, {}, dedupe_key=name)
    async with system_tx("test") as tx:
        await tx.execute("update outbox set done_at = now() where kind = $1 and dedupe_key like 'sent%'", kind)
    await _make_older("outbox", "done_at", jobs.SENT_DAYS + 1, "kind = $1 and dedupe_key = 'sent long ago'", kind)
    await _make_older("outbox", "next_at", jobs.SENT_DAYS + 1, "kind = $1 and dedupe_key = 'waiting long'", kind)
    assert await jobs.forget_letters() >= 1
    async with system_tx("test") as tx:
        left = await tx.fetch("select dedupe_key from outbox where kind = $1 order by 1", kind)
    assert [row["dedupe_key"] for row in left] == ["sent now", "waiting long"]


@pytest.mark.parametrize(("days", "kept"), [(1, True), (-1, True), (-accounts.INVITE_DAYS - 1, False)])
async def test_an_invitation_is_listed_for_a_month_after_it_ran_out(db, days, kept):
    actor = await an_actor()
    async with system_tx("test") as tx:
        made = await tx.fetchval(
            "insert into invite (workspace_id, digest, role, email, created_by, expires_at) "
            "values ($1, $2, 'editor', '', $3, $4) returning id",
            actor.workspace_id,
            digest(uuid4().hex),
            actor.user_id,
            clock.now() + timedelta(days=days),
        )
    await accounts.forget_invites()
    async with system_tx("test") as tx:
        assert await tx.fetchval("select exists (select from invite where id = $1)", made) is kept


async def _make_older(table: str, column: str, days: int, where: str, value: object) -> None:
    async with system_tx("test") as tx:
        await tx.execute(f"update {table} set {column} = now() - make_interval(days => $2) where {where}", value, days)
