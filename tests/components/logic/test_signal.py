import pytest
from msgspec import UNSET

from components.logic.signal import Inputs, Settings, signal
from flows.compile import check
from flows.ledger import MemoryLedger
from flows.model import NodeUse
from flows.sdk import Signal, Wait
from flows.sdk.testing import context
from tests.flows.nodes import Log, durable, flow, nodes, statuses


async def test_it_waits_for_its_name_and_asks_no_person():
    out = await signal.run(Settings("paid", hours=2), Inputs(), context())
    assert isinstance(out, Wait) and (out.signal, out.seconds, out.asks) == ("paid", 7_200, False)


async def test_what_the_signal_brings_goes_on():
    out = await signal.run(Settings("paid"), Inputs("v"), context(signal=Signal("paid", {"sum": 3}, "shop")))
    assert (out.received, out.late, out.by) == ({"sum": 3}, UNSET, "shop")


async def test_when_nothing_comes_the_value_goes_on_along_too_late():
    out = await signal.run(Settings("paid", hours=1), Inputs("v"), context(signal=Signal("time")))
    assert (out.received, out.late, out.by) == (UNSET, "v", "")


@pytest.mark.parametrize("name", ["time", "approval"])
def test_names_that_mean_something_else_are_a_problem(name):
    found = check(flow(NodeUse("w", "logic.signal", settings={"name": name})), nodes(Log()))
    assert [problem.field for problem in found] == ["name"]


WAITING = flow(
    NodeUse("w", "logic.signal", settings={"name": "paid"}),
    NodeUse("ship", "pass"),
    NodeUse("late", "pass"),
    wires="w.received>ship.value w.late>late.value",
)


async def test_a_run_goes_on_with_the_signal_and_skips_the_other_way():
    ledger = MemoryLedger()
    assert (await durable(WAITING, ledger)).status == "waiting"
    ledger.signal("r", Signal("other", 1))
    assert (await durable(WAITING, ledger)).status == "waiting"
    ledger.signal("r", Signal("paid", 7))
    assert (await durable(WAITING, ledger)).status == "succeeded"
    assert statuses(ledger) == {"w": "succeeded", "ship": "succeeded", "late": "skipped"}


async def test_a_signal_that_came_before_the_wait_counts():
    ledger = MemoryLedger()
    ledger.open("r")
    ledger.signal("r", Signal("paid", 7))
    assert (await durable(WAITING, ledger)).status == "succeeded"
