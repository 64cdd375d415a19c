"""What the first screen offers: every starter is a flow that can run, drawn so that nothing lies on anything else."""

from itertools import combinations

import pytest

from app.studio import queries
from app.studio.starters import starters
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
