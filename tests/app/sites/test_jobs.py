from uuid import uuid4

import pytest

from app.db import system_tx, tenant_tx
from app.sites.jobs import forget_visitors
from app.sites.visiting import talk
from tests.factories.runs import a_version
from tests.factories.sites import a_site, a_visit, an_editor
from tests.factories.studio import a_document

pytestmark = pytest.mark.usefixtures("db")


async def _left(workspace_id):
    async with tenant_tx(workspace_id) as tx:
        counts = [
            await tx.fetchval(f"select count(*) from {table}") for table in ("conversation", "turn", "submission")
        ]
    return tuple(counts)


async def _visited(workspace_id, days):
    """An ended run that a visitor started some days ago."""
    _, _, version_id = await a_version(a_document(), workspace_id)
    async with system_tx("test") as tx:
        await tx.execute(
            """insert into run (workspace_id, flow_id, version_id, status, trigger, finished_at)
               select workspace_id, flow_id, id, 'succeeded', 'site', now() - make_interval(days => $2)
               from flow_version where id = $1""",
            version_id,
            days,
        )


async def test_the_runs_that_answered_visitors_go_with_what_was_written_in_them():
    site, _ = await a_site(await an_editor())
    await _visited(site.workspace_id, 31)
    await _visited(site.workspace_id, 29)
    await forget_visitors()
    async with tenant_tx(site.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run") == 1


async def test_what_visitors_left_goes_when_its_own_site_keeps_it_no_longer():
    kept, forgotten = [], []
    for days, places in ((30, kept), (5, forgotten)):
        site, page_id = await a_site(await an_editor())
        visit = a_visit(site)
        await talk.ask(visit, visit.visitor, page_id, "chat", uuid4(), "How deep?")
        async with system_tx("test") as tx:
            await tx.execute("update site set keep_days = $2 where id = $1", site.id, days)
            await tx.execute("update conversation set last_at = now() - interval '6 days' where site_id = $1", site.id)
            await tx.execute(
                """insert into submission
                   (workspace_id, site_id, page_id, block_id, flow_id, visitor, input, created_at)
                   values ($1, $2, $3, 'form', $4, $5, '{}', now() - interval '6 days')""",
                site.workspace_id, site.id, page_id, uuid4(), visit.visitor,
            )  # fmt: skip
        places.append(site.workspace_id)
    assert await forget_visitors() >= 2
    assert await _left(kept[0]) == (1, 2, 1)
    assert await _left(forgotten[0]) == (0, 0, 0)


async def test_a_conversation_that_goes_on_is_kept_whole_however_old_its_beginning_is():
    site, page_id = await a_site(await an_editor())
    visit = a_visit(site)
    await talk.ask(visit, visit.visitor, page_id, "chat", uuid4(), "How deep?")
    async with system_tx("test") as tx:
        await tx.execute("update conversation set created_at = now() - interval '1 year' where site_id = $1", site.id)
    await forget_visitors()
    assert await _left(site.workspace_id) == (1, 2, 0)
