"""Every way a step or a run can fail says where, with which value, and what to do: one table, the real engine."""

import time
from typing import Any

import pytest

from flows.breaks import Breaks
from flows.ledger import MemoryLedger
from flows.ledger.protocol import Fault, StepChange
from flows.limits import Limits
from flows.model import Flow, NodeUse
from tests.flows.nodes import durable, flow

SLOW = {"after": 5}
REFUSED = {"fail_times": 9, "error": "The key was refused. Enter a new key."}


def one(use: NodeUse, *others: NodeUse, wires: str = "") -> Flow:
    return flow(use, *others, wires=wires)


def misfit() -> Flow:
    return one(
        NodeUse("n", "number", label="Price", settings={"value": [1, 2]}),
        NodeUse("speak", "speak", label="Say it"),
        wires="n.value>speak.text",
    )


CASES: dict[str, tuple[Flow, dict[str, Any], str, str, str]] = {
    # what happens: (flow, options, the step it names, what the sentence shows, what it says to do)
    "the component's own word": (
        one(NodeUse("a", "say", label="Ask", settings=REFUSED)),
        {}, "a", "The key was refused", "Enter a new key",
    ),
    "a value that does not fit": (misfit(), {}, "speak", "a list of 2", "'Price'"),
    "too long": (
        one(NodeUse("a", "say", timeout=0.01, settings=SLOW)), {}, "a", "0.01 s", "Raise 'Time limit'",
    ),
    "the whole run too long": (
        one(NodeUse("a", "say", settings=SLOW)), {"facts": {"deadline": time.time()}}, "", "time limit",
        "Raise the limit",
    ),
    "too dear": (
        one(NodeUse("a", "ask")), {"engine": {"limits": Limits(cost_micros=1)}}, "a", "$0.0000", "Raise its limit",
    ),
    "nobody knows whether it happened": (
        one(NodeUse("a", "pay")), {"before": StepChange("a", "", "started", 1, "at_most_once")}, "a", "'a'",
        "Say whether it happened",
    ),
    "nobody went on": (
        one(NodeUse("a", "say")), {"facts": {"breaks": Breaks({"a": "each"}, patience=0)}}, "a", "0 minutes",
        "Run it again",
    ),
    "too many rounds": (
        one(
            NodeUse("list", "list", settings={"items": [1, 2, 3]}),
            NodeUse("each", "logic.each", settings={"limit": 2}),
            NodeUse("in", "pass", parent="each"),
            wires="list.items>each.items each.item>in.value in.value>each.result",
        ),
        {}, "each", "3 items", "Raise 'At most'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
async def test_a_fault_says_where_with_which_value_and_what_to_do(what):
    made, options, node, shows, remedy = CASES[what]
    ledger = MemoryLedger()
    if (before := options.get("before")) is not None:
        ledger.open("r")
        await ledger.write(ledger.claim("r"), [before])
    outcome = await durable(made, ledger, **{key: value for key, value in options.items() if key != "before"})
    fault = outcome.fault
    assert isinstance(fault, Fault), outcome
    assert fault.node == node
    assert shows in fault.message and remedy in fault.message
    assert fault.message.endswith("."), "a sentence"
