import pytest

from components.text.join import Inputs, Settings, join
from flows.sdk import NodeError


async def test_texts_are_put_together_in_order_without_empty_ones(ctx):
    out = await join.run(Settings(before="- "), Inputs(["a", "", 2, None, "c"]), ctx)
    assert out.text == "- a\n- 2\n- c"


async def test_a_list_in_the_list_is_refused_by_its_place(ctx):
    with pytest.raises(NodeError, match="Item 1 is a list") as refused:
        await join.run(Settings(), Inputs(["a", ["b"]]), ctx)
    assert refused.value.field == "items"
