"""The tour is kept for each person: offered, going on, skipped or done, and on which flow."""

import pytest

from app.errors import NotAllowed, NotFound
from app.studio import queries, touring
from app.studio.touring import Tour, TourForm
from tests.factories.accounts import an_actor
from tests.factories.studio import a_flow


async def test_it_is_remembered_for_a_person_and_a_flow(db):
    actor = await an_actor()
    flow, other = await a_flow(actor), await a_flow(actor)
    assert await touring.tour_of(actor, flow) == Tour("")
    await touring.keep(actor, TourForm("running", flow))
    assert await touring.tour_of(actor, flow) == Tour("running", True)
    assert await touring.tour_of(actor, other) == Tour("running", False)
    await touring.keep(actor, TourForm("skipped", other))
    assert await touring.tour_of(actor, other) == Tour("skipped", True)


async def test_beginning_makes_an_empty_flow_once(db):
    actor = await an_actor()
    first = await touring.begin(actor)
    assert await touring.begin(actor) == first, "it is empty still"
    flow, _ = await queries.draft(actor, first)
    assert (flow.name, flow.nodes) == (touring.NAME, [])
    filled = await a_flow(actor)
    await touring.keep(actor, TourForm("done", filled))
    assert await touring.begin(actor) not in (first, filled)


async def test_another_workspaces_flow_is_not_there_and_viewers_make_none(db):
    actor, stranger = await an_actor(), await an_actor()
    with pytest.raises(NotFound):
        await touring.keep(stranger, TourForm("running", await a_flow(actor)))
    assert await touring.tour_of(stranger, await a_flow(actor)) == Tour("")
    with pytest.raises(NotAllowed):
        await touring.begin(await an_actor(role="viewer"))
