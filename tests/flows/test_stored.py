"""Large values: in storage once, named in the record, whole for whoever needs them (rules 100 to 105)."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType

from flows.ledger import Claim, MemoryLedger
from flows.limits import Limits
from flows.model import NodeUse
from flows.run import Engine, RunFailed
from flows.sdk import Context, NodeError, node
from flows.stored import INLINE, MARK, Later, Lost, all_stored, filled, record_of, reference, stored
from tests.flows.nodes import Log, Nothing, Passed, durable, express, flow, nodes, plan_of

BIG = "ä" * INLINE
"""2 bytes each."""
LIMITS = Limits()


class Ports(Struct, frozen=True):
    small: str
    large: str
    branch: str | UnsetType = UNSET
    values: dict[str, Any] = {}


def row(ledger: MemoryLedger, step: str, iter: str = "") -> Any:
    return next(r for r in ledger.runs["r"].steps if (r.node, r.iter) == (step, iter))


# what the record keeps


def test_rule_100_the_largest_values_go_to_storage_until_the_rest_is_small_enough():
    middle = "m" * (INLINE // 2)
    text, values = record_of(Ports("s", BIG, middle, {"dynamic": BIG + "x"}), LIMITS)
    kept = msgspec.json.decode(text)
    large, dynamic = stored(kept["large"]), stored(kept["values"]["dynamic"])
    assert large is not None and dynamic is not None and len(text) < INLINE
    assert (kept["small"], kept["branch"]) == ("s", middle)
    assert (large.kind, large.length, large.begins) == ("text", INLINE, "ä" * 2_000)
    assert set(values) == {large.hash, dynamic.hash}
    assert msgspec.json.decode(values[dynamic.hash]) == BIG + "x"
    assert filled(kept, values) == {"small": "s", "large": BIG, "branch": middle, "values": {"dynamic": BIG + "x"}}


def test_what_is_small_is_kept_as_it_is():
    out = Ports("s", "x" * (INLINE - 100))
    assert record_of(out, LIMITS) == (msgspec.json.encode(out).decode(), {})


@pytest.mark.parametrize(
    "value",
    [{"$stored": {"hash": "0" * 64, "size": 1, "kind": "text"}}, [{"deep": {"$stored": 1}}], 'a "$stored" text'],
)
def test_a_value_that_looks_like_a_reference_comes_back_as_it_was(value):
    text, values = record_of(Passed(value), LIMITS)
    assert filled(msgspec.json.decode(text), values) == {"value": value}


def test_the_size_and_beginning_of_lists_and_objects_are_said():
    items = reference(msgspec.json.encode([{"n": i} for i in range(1000)]))
    assert (items.kind, items.length, items.begins[:9], len(items.begins)) == ("list", 1000, '[{"n":0},', 2_000)
    assert reference(b'{"a":1}').kind == "object" and reference(b"1").kind == "other"


@pytest.mark.parametrize("hash", ["../../etc/passwd", "0" * 63, "G" * 64, ""])
def test_a_reference_with_another_kind_of_hash_is_none(hash):
    assert stored({"$stored": {"hash": hash, "size": 1, "kind": "text"}}) is None


def test_rule_101_a_value_that_is_too_large_is_refused_with_its_port_step_size_and_limit():
    with pytest.raises(NodeError) as refused:
        record_of(Ports("s", BIG), Limits(value_bytes=300 * 1024), "draw")
    assert refused.value.field == "large"
    assert refused.value.message.startswith("'large' of step 'draw' is 0.5 MB; at most 0.3 MB of one value are kept.")
    assert "hand it on in parts" in refused.value.message


def test_outputs_of_which_some_are_in_storage_say_which_ports_are_silent():
    text, values = record_of(Ports("s", BIG, values={"d": "e" * INLINE}), LIMITS)
    later = Later(text, Ports)
    assert later.small == "s" and getattr(later, "branch", UNSET) is UNSET and getattr(later, "other", UNSET) is UNSET
    assert stored(later.large) and stored(later.values["d"])
    assert later.with_values(values) == Ports("s", BIG, values={"d": "e" * INLINE})
    with pytest.raises(Lost):
        later.with_values({})


# in runs


CHAIN = flow(
    NodeUse("big", "number", settings={"value": BIG}),
    NodeUse("on", "pass"),
    NodeUse("wait", "logic.wait", settings={"amount": 1, "unit": "hours"}),
    NodeUse("after", "pass"),
    NodeUse("answer", "show.answer"),
    wires="big.value>on.value on.value>wait.value wait.value>after.value on.value>answer.data after.value>answer.after",
)


async def sleeping() -> tuple[MemoryLedger, Log]:
    ledger, log = MemoryLedger(), Log()
    assert (await durable(CHAIN, ledger, log)).status == "waiting"
    return ledger, log


def ring(ledger: MemoryLedger) -> None:
    run = ledger.runs["r"]
    steps = [msgspec.structs.replace(s, next_at=0.0) if s.status == "waiting" else s for s in run.steps]
    ledger.runs["r"] = msgspec.structs.replace(run, steps=steps)


async def test_rule_102_a_run_that_is_taken_up_reads_a_value_when_a_step_needs_it():
    ledger, log = await sleeping()
    assert len(ledger.values["r"]) == 1, "equal values are stored once"
    assert MARK in row(ledger, "big").output and len(row(ledger, "big").output) < 10_000
    ring(ledger)
    outcome = await durable(CHAIN, ledger, log)
    assert outcome.status == "succeeded", outcome.fault
    assert outcome.outputs["after"].value == BIG
    assert MARK in (outcome.output or "") and len(outcome.output or "") < 10_000
    assert all(len(str(event)) < 20_000 for event in ledger.events["r"])


async def test_rule_102_what_nothing_needs_any_more_is_not_read():
    ledger, log = await sleeping()
    asked: list[str] = []

    class Counting(MemoryLedger):
        async def fetch(self, claim: Claim, hash: str) -> bytes:
            asked.append(hash)
            return await super().fetch(claim, hash)

    other = Counting()
    other.__dict__.update(ledger.__dict__)
    outcome = await Engine(nodes(log), other).advance(other.claim("r"), plan_of(CHAIN, log))
    assert outcome.status == "waiting" and asked == []


async def test_rule_102_expressions_rounds_and_the_run_itself_see_the_value():
    ledger, log = MemoryLedger(), Log()
    made = flow(
        NodeUse("big", "number", settings={"value": [BIG, BIG + "x"]}),
        NodeUse("each", "logic.each", settings={"at_once": 1}),
        NodeUse("double", "double", parent="each"),
        NodeUse("size", "say", settings={"text": "{{ size(value) }}"}),
        wires="big.value>each.items each.item>double.value double.value>each.result each.results>size.value",
    )
    outputs = await Engine(nodes(log), ledger).run("r", made)
    assert outputs["each"].results == [BIG * 2, (BIG + "x") * 2] and outputs["size"].text == "2"
    ledger.runs["r"] = msgspec.structs.replace(
        ledger.runs["r"], status="queued", steps=[s for s in ledger.runs["r"].steps if s.node in ("big", "double")]
    )
    again = await Engine(nodes(log), ledger).run("r", made)
    assert again["each"].results == [BIG * 2, (BIG + "x") * 2] and again["size"].text == "2"
    assert len([call for call in log.calls if call == "size"]) == 2


@pytest.mark.parametrize(("harm", "said"), [("gone", "is not in storage any more"), ("damaged", "is damaged")])
async def test_rule_103_a_value_that_is_gone_or_damaged_fails_the_step_that_needs_it_and_is_named(harm, said):
    ledger, log = await sleeping()
    for hash in list(ledger.values["r"]):
        if harm == "gone":
            del ledger.values["r"][hash]
        else:
            ledger.values["r"][hash] = b'"other"'
    ring(ledger)
    outcome = await durable(CHAIN, ledger, log)
    assert outcome.status == "failed" and outcome.fault is not None
    assert said in outcome.fault.message and "'value' of step" in outcome.fault.message
    assert "(0.5 MB)" in outcome.fault.message and outcome.fault.node in ("wait", "answer")


async def test_rule_104_storage_comes_first_and_a_crash_before_the_record_leaves_a_value_that_nothing_names():
    class Dies(MemoryLedger):
        alive = False

        async def write(self, claim: Claim, *args: Any, **kwargs: Any) -> None:
            if not self.alive:
                raise ConnectionError("the worker dies here")
            await super().write(claim, *args, **kwargs)

    ledger, log = Dies(), Log()
    with pytest.raises(ConnectionError):
        await durable(CHAIN, ledger, log)
    assert len(ledger.values["r"]) == 1 and not ledger.runs["r"].steps
    ledger.alive = True
    assert (await durable(CHAIN, ledger, log)).status == "waiting"
    assert [one.hash for one in all_stored(msgspec.json.decode(row(ledger, "big").output))] == list(ledger.values["r"])


async def test_rule_101_all_values_of_a_run_together_have_a_limit_across_claims():
    made = flow(
        NodeUse("a", "number", settings={"value": BIG}),
        NodeUse("wait", "logic.wait", settings={"amount": 1, "unit": "hours"}),
        NodeUse("b", "double"),
        wires="a.value>wait.value wait.value>b.value",
    )
    ledger, log = MemoryLedger(), Log()
    options = {"engine": {"limits": Limits(stored_bytes=1024 * 1024)}}
    assert (await durable(made, ledger, log, **options)).status == "waiting"
    ring(ledger)
    outcome = await durable(made, ledger, log, **options)
    assert outcome.status == "failed" and outcome.fault is not None
    assert (outcome.fault.node, outcome.fault.message) == (
        "b", "The large values of this run take more than 1 MB together. Split the work."
    )  # fmt: skip


async def test_rule_101_a_workspace_may_have_a_limit_of_its_own():
    ledger = MemoryLedger()
    outcome = await durable(CHAIN, ledger, facts={"value_bytes": 400 * 1024})
    assert outcome.fault is not None and "'value' of step 'big' is 0.5 MB; at most 0.4 MB" in outcome.fault.message


async def test_what_ends_more_than_itself_keeps_its_value_in_the_record():
    made = flow(NodeUse("big", "number", settings={"value": BIG}), NodeUse("stop", "logic.stop"),
                wires="big.value>stop.data")  # fmt: skip
    ledger = MemoryLedger()
    assert (await durable(made, ledger)).status == "succeeded"
    assert MARK not in row(ledger, "stop").output


async def test_an_express_run_names_its_large_values_and_answers_with_the_whole():
    made = flow(NodeUse("big", "number", settings={"value": BIG}), NodeUse("answer", "show.answer"),
                wires="big.value>answer.data")  # fmt: skip
    record = await express(made)
    assert record.output.data == BIG and len(record.steps_json) < 20_000 and len(record.values) == 1
    record = await express(made, limits=Limits(value_bytes=300 * 1024))
    assert record.status == "failed" and "at most 0.3 MB of one value are kept" in record.fault.message
    many = [NodeUse(f"n{i}", "number", settings={"value": f"{i}{BIG}"}) for i in range(3)]
    record = await express(flow(*many), limits=Limits(value_bytes=1024 * 1024))
    assert record.status == "failed" and "take more than 1 MB together" in record.fault.message


async def test_a_called_flow_that_was_taken_up_gives_its_large_result():
    @node("calls", version=1, title="Calls", effect="pure", subflow=True)
    async def calls(settings: Nothing, inputs: Nothing, ctx: Context) -> Passed:
        return Passed((await ctx.flow("v", {}))["data"])

    inner = flow(NodeUse("big", "number", settings={"value": BIG}), NodeUse("answer", "show.answer"),
                 wires="big.value>answer.data")  # fmt: skip
    log, ledger = Log(), MemoryLedger()
    catalogue = {**nodes(log), "calls": calls}

    async def flow_of(facts: Any, version: str) -> Any:
        return plan_of(inner, log)

    outer = flow(NodeUse("call", "calls"), NodeUse("on", "pass"), wires="call.value>on.value")
    outputs = await Engine(catalogue, ledger, flow_of=flow_of).run("r", outer)
    assert outputs["on"].value == BIG
    steps = [s for s in ledger.runs["r"].steps if s.node.startswith("call/")]
    ledger.runs["r"] = msgspec.structs.replace(ledger.runs["r"], status="queued", steps=steps)
    assert (await Engine(catalogue, ledger, flow_of=flow_of).run("r", outer))["on"].value == BIG


async def test_a_step_may_fail_because_its_value_is_too_large_and_the_flow_goes_on():
    made = flow(NodeUse("big", "number", settings={"value": BIG}, on_error="wire"), NodeUse("told", "pass"),
                wires="big.error>told.value")  # fmt: skip
    ledger = MemoryLedger()
    outcome = await durable(made, ledger, engine={"limits": Limits(value_bytes=300 * 1024)})
    assert outcome.status == "succeeded" and outcome.outputs["told"].value["field"] == "value"
    with pytest.raises(RunFailed):
        await Engine(nodes(Log()), MemoryLedger(), limits=Limits(value_bytes=300 * 1024)).run("r2", CHAIN)


async def test_rule_105_a_run_reaches_only_what_was_kept_for_it():
    ledger, _ = await sleeping()
    (hash,) = ledger.values["r"]
    ledger.open("other")
    with pytest.raises(Lost):
        await ledger.fetch(ledger.claim("other"), hash)
    assert await ledger.fetch(ledger.claim("r"), hash) == msgspec.json.encode(BIG)
