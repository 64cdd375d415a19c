"""What the first screen offers: every starter is a flow that can run, drawn so that nothing lies on anything else."""

from itertools import combinations

import pytest

from app.runs import limits
from app.runs.limits import Limits
from app.studio import queries
from app.studio.starters import starters
from app.web.search_places import OF_FLOW
from flows import catalogue
from flows.compile import compile
from flows.plan import Plan
from tests.factories.studio import a_flow

HEAD = 44.0
"""Of a container: nothing lies there."""


@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.name)
def test_a_starter_can_run_and_nothing_in_its_picture_lies_on_anything_else(starter):
    if starter.flow.nodes:
        assert isinstance(compile(starter.flow, catalogue.load()), Plan)
    size = {view.id: (view.w, view.h) for view in queries.views(starter.flow, [])}
    for a, b in combinations(starter.flow.nodes, 2):
        if a.parent == b.parent:
            apart = (
                a.x + size[a.id][0] <= b.x
                or b.x + size[b.id][0] <= a.x
                or a.y + size[a.id][1] <= b.y
                or b.y + size[b.id][1] <= a.y
            )
            assert apart, f"{a.id} and {b.id}"
    for node in starter.flow.nodes:
        if node.parent:
            (w, h), (wide, high) = size[node.id], size[node.parent]
            assert node.x >= 0 and node.y >= HEAD and node.x + w <= wide and node.y + h <= high, node.id


async def test_a_flow_that_was_only_drawn_has_a_page_of_its_runs_that_says_there_are_none(signed_in, stranger):
    flow_id = await a_flow(signed_in.actor)
    page = await signed_in.get(f"/flows/{flow_id}/runs")
    assert page.status_code == 200 and "Nothing has run yet" in page.text
    assert (await stranger.get(f"/flows/{flow_id}/runs")).status_code == 404


@pytest.mark.parametrize("place", OF_FLOW, ids=lambda place: place.href or "/")
async def test_what_ctrl_k_offers_for_a_flow_is_there_also_for_one_that_was_only_drawn(signed_in, stranger, place):
    path = f"/flows/{await a_flow(signed_in.actor)}{place.href}"
    assert (await signed_in.get(path)).status_code == 200
    assert (await stranger.get(path)).status_code == 404


async def test_a_flow_that_was_only_drawn_is_given_its_limits_before_it_first_runs(signed_in):
    flow_id = await a_flow(signed_in.actor)
    sent = await signed_in.post(f"/flows/{flow_id}/limits", data={"running": "2", "key": "", "per_key": ""})
    assert sent.status_code in (200, 303)
    assert (await limits.of(signed_in.actor, flow_id)).limits == Limits(running=2)
