"""each, flow, wait: their own decisions; what the engine makes of them is in tests/flows/test_semantics.py."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from components.logic.each import Inputs, Settings, each
from components.logic.flow import Inputs as FlowInputs
from components.logic.flow import Settings as FlowSettings
from components.logic.flow import flow
from components.logic.join import Inputs as JoinInputs
from components.logic.join import Settings as JoinSettings
from components.logic.join import join
from components.logic.wait import Inputs as WaitInputs
from components.logic.wait import Settings as WaitSettings
from components.logic.wait import wait
from flows.sdk import NodeError, Round, Signal, Wait
from flows.sdk.testing import FakeBody, context


def by_value(values):
    match values["item"]:
        case "bad":
            return Round("failed", None, "no luck", "x")
        case "none":
            return Round("empty")
        case item:
            return Round("done", f"{values['index']}:{item}")


async def test_each_collects_results_leaves_empty_rounds_out_and_lists_errors():
    out = await each.run(
        Settings(on_item_error="skip"), Inputs(["a", "none", "bad", "b"]), context(body=FakeBody(by_value))
    )
    assert out.results == ["0:a", "3:b"] and out.errors == [{"index": 2, "message": "no luck"}]


async def test_each_fails_with_item_and_step_when_the_policy_says_so():
    with pytest.raises(NodeError, match="Item 1 failed at step 'x': no luck"):
        await each.run(Settings(), Inputs(["a", "bad", "b"]), context(body=FakeBody(by_value)))


async def test_join_gives_all_values_and_the_first(ctx):
    out = await join.run(JoinSettings(), JoinInputs(["a", "b"]), ctx)
    assert (out.items, out.first) == (["a", "b"], "a")
    assert join.join_of is not None and join.join_of(JoinSettings("n", 3)) == ("n", 3)


async def test_flow_without_a_choice_says_where_to_choose(ctx):
    with pytest.raises(NodeError, match="Choose one under 'Flow'") as refused:
        await flow.run(FlowSettings(), FlowInputs(), ctx)
    assert refused.value.field == "flow"


def test_each_named_input_of_a_flow_is_a_port():
    assert [p.name for p in flow.ports(FlowSettings("v", ["a", "b", "a"])).inputs] == ["input", "a", "b"]


@pytest.mark.parametrize(("unit", "seconds"), [("seconds", 2), ("minutes", 120), ("hours", 7_200), ("days", 172_800)])
async def test_wait_for_counts_in_its_unit(unit, seconds, ctx):
    out = await wait.run(WaitSettings(amount=2, unit=unit), WaitInputs("v"), ctx)
    assert isinstance(out, Wait) and out.seconds == seconds


async def test_wait_until_reads_a_moment_without_zone_as_utc(ctx):
    for text, moment in (
        ("2027-01-31T09:00+01:00", datetime(2027, 1, 31, 9, tzinfo=timezone(timedelta(hours=1)))),
        ("2027-01-31 09:00", datetime(2027, 1, 31, 9, tzinfo=UTC)),
    ):
        out = await wait.run(WaitSettings("until", until=text), WaitInputs(), ctx)
        assert isinstance(out, Wait) and out.until == moment
    with pytest.raises(NodeError, match="'soon' is no date and time") as refused:
        await wait.run(WaitSettings("until", until="soon"), WaitInputs(), ctx)
    assert refused.value.field == "until"


async def test_wait_hands_on_its_value_when_the_time_has_come():
    out = await wait.run(WaitSettings(), WaitInputs("v"), context(signal=Signal("time")))
    assert not isinstance(out, Wait) and out.value == "v"
