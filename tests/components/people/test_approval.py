import pytest
from msgspec import UNSET

from components.people.approval import Inputs, Settings, approval
from flows.sdk import Signal, Wait
from flows.sdk.testing import context


async def test_it_asks_with_title_choices_and_time_limit():
    out = await approval.run(Settings("Send?", "To 3 people", hours=2), Inputs({"n": 1}), context())
    assert isinstance(out, Wait)
    assert (out.signal, out.title, out.choices, out.seconds, out.data) == (
        "approval",
        "Send?",
        ("approve", "reject"),
        7_200,
        {"n": 1},
    )


@pytest.mark.parametrize(
    ("data", "approved"),
    [
        ({"choice": "approve", "comment": "ok"}, True),
        ({"choice": "reject"}, False),
        ({"choice": "maybe"}, False),
        (None, False),
    ],
)
async def test_only_approve_approves(data, approved):
    out = await approval.run(Settings(), Inputs("v"), context(signal=Signal("approval", data, "user-1")))
    assert not isinstance(out, Wait)
    assert (out.approved, out.rejected) == (("v", UNSET) if approved else (UNSET, "v")) and out.by == "user-1"


@pytest.mark.parametrize("way", ["approve", "reject"])
async def test_when_nobody_decides_in_time_the_setting_does(way):
    out = await approval.run(Settings(hours=1, on_timeout=way), Inputs("v"), context(signal=Signal("time")))
    assert not isinstance(out, Wait) and (out.approved == "v") == (way == "approve") and out.by == ""
