import pytest

from components.data.filter import Inputs, Settings, filter_
from flows.expressions import binder
from flows.sdk import NodeError

ORDERS = [{"total": 5}, {"total": 50}, {"total": 500}]


def bound(keep: str) -> Settings:
    """As the engine fills it in: a callable of each item."""
    fill = binder(Settings(keep))
    return fill({}) if fill else Settings(keep)


async def test_items_go_one_way_or_the_other_in_their_order(ctx):
    out = await filter_.run(bound("item.total > 10 && index < 2"), Inputs(ORDERS), ctx)
    assert (out.kept, out.left) == ([ORDERS[1]], [ORDERS[0], ORDERS[2]])
    assert (await filter_.run(bound(""), Inputs(ORDERS), ctx)).kept == ORDERS
    many = await filter_.run(bound("index >= 1500"), Inputs(list(range(1_600))), ctx)
    assert (len(many.kept), len(many.left)) == (100, 1_500)


@pytest.mark.parametrize(
    ("keep", "says"),
    [("item.total", "gave '5' for item 1"), ("item.name == 'x'", "Item 1: "), ("item.total > 5 || item.x", "Item 1: ")],
)
async def test_an_item_it_can_not_be_worked_out_for_is_named(ctx, keep, says):
    with pytest.raises(NodeError, match=says) as refused:
        await filter_.run(bound(keep), Inputs(ORDERS), ctx)
    assert refused.value.field == "keep"


def test_item_and_index_are_no_inputs_of_the_step():
    assert [port.name for port in filter_.ports(Settings("item.total > limit && index > 0")).inputs] == [
        "items",
        "limit",
    ]
