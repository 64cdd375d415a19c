"""Thumbs up and down at a run: who may, what is shown, what is found by it."""

from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound
from app.runs import listing, queries, service
from app.runs.listing import RunFilter
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version, an_approval

VISITOR = b"\x01" * 32


async def a_run(actor, visitor=""):
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    return (await service.answer(actor, version, {"n": 1}, trigger="site", visitor=visitor)).run_id


async def test_a_person_rates_changes_their_mind_and_takes_it_back(signed_in):
    run = await a_run(signed_in.actor)
    here = f"/runs/{run}"
    assert "Was the answer good?" in (await signed_in.get(here)).text
    assert (await signed_in.post(f"{here}/rating", data={"good": "true"})).headers["location"] == f"{here}#rating"
    await signed_in.post(f"{here}/rating", data={"good": "false", "note": " <b>wrong</b>\nprice "})
    (rating,) = (await queries.run(signed_in.actor, run)).ratings
    assert (rating.good, rating.note, rating.user_id) == (False, "<b>wrong</b> price", signed_in.actor.user_id)
    shown = (await signed_in.get(here)).text
    assert "&lt;b&gt;wrong&lt;/b&gt; price" in shown and "Take it back" in shown
    assert (await signed_in.post(f"{here}/rating", data={"good": "true", "note": "x" * 1001})).status_code == 422
    await signed_in.post(f"{here}/rating/removal", data={})
    assert (await queries.run(signed_in.actor, run)).ratings == []


async def test_beside_an_answer_the_thumbs_come_back_as_they_are_now(signed_in, stranger):
    run = await a_run(signed_in.actor)
    here = f"/runs/{run}/rating"
    thumbs = await signed_in.htmx("POST", here, data={"good": "false"})
    assert thumbs.status_code == 200 and f'data-rate="{run}"' in thumbs.text and "<html" not in thumbs.text
    assert thumbs.text.count('aria-pressed="true"') == 1 and f'action="{here}/removal"' in thumbs.text
    noted = await signed_in.htmx("POST", here, data={"good": "false", "note": "<b>wrong"})
    assert 'value="&lt;b&gt;wrong"' in noted.text
    gone = await signed_in.htmx("POST", f"{here}/removal", data={})
    assert 'aria-pressed="true"' not in gone.text and "Why, optional" not in gone.text
    assert (await queries.run(signed_in.actor, run)).ratings == []
    assert (await stranger.htmx("POST", here, data={"good": "true"})).status_code == 404


async def test_runs_are_found_by_what_people_and_visitors_think(signed_in, api):
    actor = signed_in.actor
    good, bad, mixed, none = [await a_run(actor, VISITOR.hex()) for _ in range(4)]
    assert (await api.put(f"/api/v1/runs/{good}/rating", json={"good": True})).status_code == 204
    await service.rate_as_visitor(actor.workspace_id, VISITOR, bad, False, "No")
    await service.rate(actor, mixed, True)
    await service.rate_as_visitor(actor.workspace_id, VISITOR, mixed, False)

    async def found(rating):
        return {row.id: row.rating for row in (await listing.listed(actor, RunFilter(rating=rating))).runs}

    assert await found("good") == {good: "good", mixed: "mixed"}
    assert await found("bad") == {bad: "bad", mixed: "mixed"}
    assert await found("any") == {good: "good", bad: "bad", mixed: "mixed"}
    assert (await found(""))[none] == ""
    page = (await signed_in.get("/runs?rating=bad")).text
    assert str(bad) in page and str(none) not in page and 'value="bad" selected' in page
    told = (await api.get(f"/api/v1/runs/{bad}")).json()["ratings"]
    assert [(each["good"], each["note"], each["user_id"]) for each in told] == [(False, "No", None)]
    assert (await api.delete(f"/api/v1/runs/{good}/rating")).status_code == 204
    assert (await api.delete(f"/api/v1/runs/{good}/rating")).status_code == 404


async def test_nobody_rates_what_is_not_theirs(engine):
    actor, stranger = await an_actor(), await an_actor()
    run = await a_run(actor, VISITOR.hex())
    for who in (stranger, replace(stranger, role="owner")):
        with pytest.raises(NotFound):
            await service.rate(who, run, True)
    with pytest.raises(NotAllowed):
        await service.rate(replace(actor, role="viewer"), run, True)
    with pytest.raises(NotFound):
        await service.rate_as_visitor(actor.workspace_id, b"\x02" * 32, run, True)
    with pytest.raises(NotFound):
        await service.rate_as_visitor(stranger.workspace_id, VISITOR, run, True)
    with pytest.raises(NotFound):
        await service.rate_as_visitor(actor.workspace_id, VISITOR, uuid4(), True)
    assert await service.rated_by_visitor(actor.workspace_id, b"\x02" * 32, [run]) == {}
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run_rating") == 0


async def test_a_run_that_goes_on_is_not_rated_and_a_deleted_one_takes_its_rating_along(engine):
    actor = await an_actor()
    _, _, asking = await a_version(an_approval(), actor.workspace_id)
    queued = await service.start(actor, asking, {}, trigger="api")
    with pytest.raises(Conflict):
        await service.rate(actor, queued, True)
    run = await a_run(actor)
    await service.rate(actor, run, True)
    async with system_tx("test: forget") as tx:
        await tx.execute("delete from run where id = $1", run)
        assert await tx.fetchval("select count(*) from run_rating where run_id = $1", run) == 0


async def test_a_link_to_a_run_shows_no_rating(signed_in, client):
    from app.runs import shares

    run = await a_run(signed_in.actor)
    await service.rate(signed_in.actor, run, False, "between us")
    link = await shares.share(signed_in.actor, run, 1)
    shown = await client.get(link.path)
    assert shown.status_code == 200 and "between us" not in shown.text and "Was the answer good" not in shown.text
