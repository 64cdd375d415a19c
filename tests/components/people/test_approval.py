import pytest
from msgspec import UNSET

from components.people.approval import Inputs, Settings, approval
from components.start.fields import Field
from flows.ledger import MemoryLedger
from flows.model import NodeUse
from flows.sdk import NodeError, Signal, Wait
from flows.sdk.testing import context
from tests.flows.nodes import durable, flow


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


FORM = Settings(fields=[Field("sum", "Sum", "number"), Field("note", required=False), Field("sure", kind="yes/no")])


async def test_it_asks_for_its_fields_typed():
    out = await approval.run(FORM, Inputs(), context())
    assert isinstance(out, Wait) and out.form["required"] == ["sum"]
    assert {name: shape["type"] for name, shape in out.form["properties"].items()} == {
        "sum": "number", "note": "string", "sure": "boolean", "comment": "string",
    }  # fmt: skip


async def test_fields_come_with_the_approval_in_their_kinds():
    said = Signal("approval", {"choice": "approve", "fields": {"sum": "3.5", "note": "", "sure": "yes"}})
    out = await approval.run(FORM, Inputs("v"), context(signal=said))
    assert not isinstance(out, Wait) and (out.approved, out.values) == ("v", {"sum": 3.5, "sure": True})


@pytest.mark.parametrize("fields", [{"sum": "much"}, {}, None, [1]])
async def test_an_approval_whose_fields_do_not_fit_is_asked_again_with_the_reason(fields):
    said = Signal("approval", {"choice": "approve", "fields": fields})
    out = await approval.run(FORM, Inputs("v"), context(signal=said))
    assert isinstance(out, Wait) and out.signal == "approval" and "Sum" in out.description


async def test_a_rejection_needs_no_fields():
    out = await approval.run(FORM, Inputs("v"), context(signal=Signal("approval", {"choice": "reject"})))
    assert not isinstance(out, Wait) and (out.rejected, out.values) == ("v", {})


@pytest.mark.parametrize("field", [Field("by"), Field("doc", kind="file"), Field("rows", kind="list")])
def test_a_field_that_can_not_be_asked_for_is_a_problem(field):
    with pytest.raises(NodeError):
        approval.ports(Settings(fields=[field]))


async def test_in_a_run_a_wrong_answer_is_asked_again_and_the_right_one_goes_on():
    made = flow(
        NodeUse("ask", "people.approval", settings={"fields": [{"name": "sum", "kind": "number"}]}),
        NodeUse("pay", "pass"),
        wires="ask.sum>pay.value",
    )
    ledger = MemoryLedger()
    assert (await durable(made, ledger)).status == "waiting"
    for sum, status in (("much", "waiting"), ("4", "succeeded")):
        ledger.signal("r", Signal("approval", {"choice": "approve", "fields": {"sum": sum}}))
        assert (await durable(made, ledger)).status == status
    assert next(row.output for row in ledger.runs["r"].steps if row.node == "pay") == '{"value":4}'
