"""The outline: the same document by lists and plain forms."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.studio import queries, service
from app.studio.forms import EdgeAdd, EdgeDelete
from app.studio.ops import Workbench, apply
from app.studio.outline import intents
from app.studio.outline.ends import ends_of
from app.studio.outline.posted import changed, read
from app.studio.ports import ports_of
from app.studio.settings_form import form_of
from app.studio.wiring import edit, may_wire
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow

KINDS = catalogue.load()
TYPES = ["start.chat", "ai.prompt", "text.split", "logic.if", "logic.join", "data.json", "show.answer", "ai.chat"]


def _ends(flow: Flow, node: str) -> Any:
    ports = {each.id: ports_of(each, KINDS) for each in flow.nodes}
    return ends_of(flow, node, KINDS, ports, {each.id: each.label or each.id for each in flow.nodes})


@st.composite
def flows(draw: Any) -> Flow:
    """Some steps, some of them in a container, wired at random where the rules allow."""
    types = draw(st.lists(st.sampled_from(TYPES), min_size=2, max_size=7))
    nodes = [NodeUse("loop", "logic.each")]
    for n, type in enumerate(types):
        inside = draw(st.booleans()) and not type.startswith(("start.", "show."))
        nodes.append(NodeUse(f"n{n}", type, parent="loop" if inside else ""))
    flow = Flow(nodes=nodes)
    ends = [(n.id, ports_of(n, KINDS)) for n in nodes]
    outs = [f"{id}.{p.name}" for id, ports in ends if ports for p in ports.outputs]
    ins = [f"{id}.{p.name}" for id, ports in ends if ports for p in ports.inputs]
    for source, target in draw(st.lists(st.tuples(st.sampled_from(outs), st.sampled_from(ins)), max_size=12)):
        try:
            flow = edit(flow, [EdgeAdd(source, target)], KINDS).flow
        except Exception:
            continue
    return flow


@given(flows())
@settings(max_examples=150, deadline=None)
def test_the_lists_offer_just_what_may_be_wired(flow):
    for node in flow.nodes:
        ends = _ends(flow, node.id)
        for line in ends.inputs:
            here = f"{node.id}.{line.name}"
            bench = Workbench(flow)
            if line.single:
                for each in line.wired:
                    bench.apply(EdgeDelete(each.value, here))
            for choice in line.choices:
                assert may_wire(bench, EdgeAdd(choice.value, here), KINDS) is None
        for line in ends.outputs:
            here = f"{node.id}.{line.name}"
            offered = {choice.value for choice in line.choices} | {each.value for each in line.wired}
            for other in flow.nodes:
                ports = ports_of(other, KINDS)
                for port in ports.inputs if ports and other.id != node.id else ():
                    value = f"{other.id}.{port.name}"
                    allowed = may_wire(Workbench(flow), EdgeAdd(here, value), KINDS) is None
                    assert (value in offered) == (allowed or value in {w.value for w in line.wired}), (here, value)


def test_a_step_added_after_another_goes_into_the_middle_of_its_wire():
    flow = a_document()
    id, ops = intents.add(flow, "ai.chat", KINDS, after="write")
    after = edit(flow, ops, KINDS, lenient=False).flow
    wires = {(edge.source, edge.target) for edge in after.edges}
    assert ("write.text", "reply.text") not in wires
    assert any(source == "write.text" and target.startswith(f"{id}.") for source, target in wires)
    assert any(source.startswith(f"{id}.") and target == "reply.text" for source, target in wires)
    assert len({(node.x, node.y) for node in after.nodes}) == len(after.nodes), "no step lies on another"


def test_a_step_may_be_added_to_an_empty_flow_or_into_a_container():
    id, ops = intents.add(Flow(), "start.chat", KINDS)
    flow = edit(Flow(), ops, KINDS, lenient=False).flow
    assert [node.id for node in flow.nodes] == [id]
    flow = edit(flow, intents.add(flow, "logic.each", KINDS)[1], KINDS, lenient=False).flow
    inner, ops = intents.add(flow, "ai.prompt", KINDS, inside="each")
    flow = edit(flow, ops, KINDS, lenient=False).flow
    assert next(node for node in flow.nodes if node.id == inner).parent == "each"
    with pytest.raises(Refused, match="no kind of step called"):
        intents.add(flow, "acme.rocket", KINDS)


def test_a_step_taken_out_of_its_chain_stays_without_wires_and_the_others_go_on():
    flow = a_document()
    after = edit(flow, intents.detach(flow, "write", KINDS), KINDS, lenient=False)
    assert [node.id for node in after.flow.nodes] == [node.id for node in flow.nodes]
    assert [edge.id for edge in after.flow.edges] == ["ask.message>reply.text"]
    assert apply(after.flow, after.inverse)[0] == flow
    assert intents.detach(after.flow, "write", KINDS) == []


def test_a_container_taken_out_of_its_chain_keeps_what_is_wired_inside_it():
    inside = [Edge("loop.item", "write.item"), Edge("write.text", "loop.result")]
    flow = Flow(
        nodes=[
            NodeUse("ask", "start.chat"),
            NodeUse("cut", "text.split"),
            NodeUse("loop", "logic.each"),
            NodeUse("write", "ai.prompt", parent="loop", settings={"template": "{{ item }}"}),
            NodeUse("reply", "show.answer"),
        ],
        edges=[
            Edge("ask.message", "cut.text"),
            Edge("cut.chunks", "loop.items"),
            *inside,
            Edge("loop.results", "reply.data"),
        ],
    )
    after = edit(flow, intents.detach(flow, "loop", KINDS), KINDS, lenient=False).flow
    assert {edge.id for edge in after.edges} == {
        "ask.message>cut.text", "cut.chunks>reply.data", *(edge.id for edge in inside),
    }  # fmt: skip


def test_taking_the_only_step_of_a_loop_out_of_its_chain_does_not_wire_the_loop_to_itself():
    flow = Flow(
        nodes=[NodeUse("loop", "logic.each"), NodeUse("write", "ai.prompt", parent="loop")],
        edges=[Edge("loop.item", "write.question"), Edge("write.text", "loop.result")],
    )
    assert edit(flow, intents.detach(flow, "write", KINDS), KINDS, lenient=False).flow.edges == []


@given(flows(), st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_taking_out_of_the_chain_draws_only_wires_that_may_be_drawn(flow, nth):
    node = flow.nodes[nth % len(flow.nodes)]
    after = edit(flow, intents.detach(flow, node.id, KINDS), KINDS, lenient=False).flow
    inner = {each.id for each in after.nodes if each.parent == node.id}
    ends = [{end.partition(".")[0] for end in (edge.source, edge.target)} for edge in after.edges]
    assert not [pair for pair in ends if node.id in pair and not pair & inner], "only what is wired inside it is left"


def test_moving_into_a_container_lets_go_of_wires_that_would_cross_its_border():
    flow = a_document()
    flow.nodes.append(NodeUse("loop", "logic.each"))
    after = edit(flow, intents.move_into(flow, "write", "loop", KINDS), KINDS, lenient=False).flow
    assert next(node for node in after.nodes if node.id == "write").parent == "loop"
    assert [edge.id for edge in after.edges] == ["ask.message>write.question"], "a wire may lead in, none out"
    back = edit(after, intents.move_into(after, "write", "", KINDS), KINDS, lenient=False).flow
    assert next(node for node in back.nodes if node.id == "write").parent == ""


def test_an_input_that_takes_one_wire_lets_go_of_the_old_one():
    flow = a_document()
    flow.nodes.append(NodeUse("other", "ai.prompt"))
    after = edit(flow, intents.wire(flow, "other.text", "reply.text", KINDS), KINDS, lenient=False).flow
    assert [edge.source for edge in after.edges if edge.target == "reply.text"] == ["other.text"]
    cut, _ = apply(after, intents.unwire(after, "", "reply.text"))
    assert not [edge for edge in cut.edges if edge.target == "reply.text"]


def _form(type: str, **given: Any) -> list[Any]:
    return form_of(NodeUse("x", type, settings=given), KINDS[type], [])


def _as_sent(fields: list[Any], path: str = "s") -> dict[str, list[str]]:
    """What a browser sends when nobody touched the form."""
    sent: dict[str, list[str]] = {}
    for field in fields:
        name, value = f"{path}.{field.name}", field.value
        if field.control == "rows":
            sent[f"{name}.rows"] = ["", *map(str, range(len(field.rows)))]
            for n, row in enumerate(field.rows):
                sent |= _as_sent(list(row), f"{name}.{n}")
        elif field.control == "pairs":
            sent[f"{name}.rows"] = ["", *map(str, range(len(value or {})))]
            for n, (key, text) in enumerate((value or {}).items()):
                sent |= {f"{name}.{n}.key": [key], f"{name}.{n}.value": [text]}
        elif field.control == "yesno":
            sent[name] = ["yes", "no"] if value else ["no"]
        elif field.control == "lines":
            sent[name] = ["\r\n".join(value or [])]
        elif field.control in ("choice", "json"):
            as_is = field.control == "json" and isinstance(value, str)
            shown = "" if value is None and field.control == "json" else msgspec.json.encode(value).decode()
            sent[name] = [value if as_is else shown]
        elif field.control == "schema":
            sent[name] = sent[f"{name}.was"] = [msgspec.json.encode(value).decode() if value else ""]
            sent[f"{name}.kept"] = ["{}"]
        else:
            sent[name] = ["" if value is None else str(value)]
    return sent


@pytest.mark.parametrize("type", sorted(KINDS))
def test_a_form_that_nobody_touched_changes_nothing(type):
    fields = _form(type)
    found = read(fields, _as_sent(fields))
    assert not found.faults
    assert changed(fields, found.settings) == {}


def test_lists_of_small_forms_grow_shrink_and_move():
    fields = _form("start.form", fields=[{"name": "one"}, {"name": "two", "kind": "number"}])
    sent = _as_sent(fields)
    assert [row["name"] for row in read(fields, sent).settings["fields"]] == ["one", "two"]
    assert [row["name"] for row in read(fields, sent, "up:fields.1").settings["fields"]] == ["two", "one"]
    assert [row["name"] for row in read(fields, sent, "drop:fields.0").settings["fields"]] == ["two"]
    assert len(read(fields, sent, "add:fields").settings["fields"]) == 3
    assert read(fields, sent, "drop:fields.9").settings["fields"] == read(fields, sent).settings["fields"]
    assert read(fields, {}).settings == {}, "what did not come stays as it is"


def test_what_can_not_be_read_is_named_and_kept():
    fields = _form("ai.chat")
    name = next(field.name for field in fields if field.control in ("number", "slider"))
    found = read(fields, {f"s.{name}": ["soon"]})
    assert [(fault.field, fault.given) for fault in found.faults] == [(name, "soon")]
    assert name not in found.settings


async def test_an_edit_of_the_outline_is_one_step_back(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    flow, _ = await queries.draft(actor, flow_id)
    from app.studio.controllers.outline import _edit

    _, ops = intents.add(flow, "ai.prompt", KINDS, after="write")
    await _edit(actor, flow_id, 0, ops)
    assert len((await queries.draft(actor, flow_id))[0].nodes) == 4
    await service.undo(actor, flow_id, "outline")
    assert (await queries.draft(actor, flow_id))[0] == flow
    assert Edge("write.text", "reply.text") in flow.edges


WHEN = 'order.total > 10 && order.country == "DE"'


def _sent(text, clauses, **more):
    """What the outline's form of a condition holds: the expression as it was, and its clauses."""
    sent = {"s.expression": [text], "s.expression.was": [text], "s.expression.match": ["all"]}
    sent["s.expression.clauses"] = [at for at, *_ in clauses]
    for at, value, op, other in clauses:
        sent |= {f"s.expression.{at}.{name}": [said] for name, said in (("value", value), ("op", op), ("other", other))}
    return sent | {f"s.expression.{name}": [value] for name, value in more.items()}


TWO = [("0.0", "order.total", "more", "10"), ("0.1", "order.country", "is", "DE")]


@pytest.mark.parametrize(
    ("sent", "deed", "made"),
    [
        (_sent(WHEN, TWO), "", WHEN),
        (_sent("order.total>10&&order.country=='DE'", TWO), "", "order.total>10&&order.country=='DE'"),
        (_sent(WHEN, TWO, match="any"), "", 'order.total > 10 || order.country == "DE"'),
        (_sent(WHEN, [TWO[0], ("0.1", "order.country", "contains", "D")]), "",
         'order.total > 10 && order.country.contains("D")'),
        (_sent(WHEN, TWO), "clause:expression", f'{WHEN} && value == ""'),
        (_sent(WHEN, TWO), "group:expression", f'({WHEN}) || value == ""'),
        (_sent(WHEN, TWO), "unclause:expression.0.0", 'order.country == "DE"'),
        (_sent("", []), "clause:expression", 'value == ""'),
        ({**_sent(WHEN, TWO), "s.expression": ["size(x) > 1"]}, "", "size(x) > 1"),
        ({"s.expression": ["a ? b : c"], "s.expression.was": ["a ? b : c"]}, "", "a ? b : c"),
    ],
)  # fmt: skip
def test_a_condition_is_sent_as_a_sentence_or_as_an_expression(sent, deed, made):
    use = NodeUse("x", "logic.if", settings={"expression": WHEN})
    found = read(form_of(use, KINDS["logic.if"], []), sent, deed)
    assert (found.settings["expression"], found.faults) == (made, [])


def test_a_condition_in_a_list_is_changed_in_its_own_row_and_an_old_case_keeps_its_comparison():
    cases = [{"name": "old", "op": "contains", "other": "x"}, {"name": "new", "when": "value == 1"}]
    use = NodeUse("x", "logic.switch", settings={"cases": cases})
    fields = form_of(use, KINDS["logic.switch"], [])
    sent = {
        "s.cases.rows": ["", "0", "1"], "s.cases.0.name": ["old"], 
        "s.cases.0.op": ['"contains"'], "s.cases.0.other": ["x"],
        "s.cases.0.when": [""], "s.cases.0.when.was": [""], "s.cases.0.when.match": ["all"],
        "s.cases.1.name": ["new"], "s.cases.1.when": ["value == 1"], "s.cases.1.when.was": ["value == 1"],
        "s.cases.1.when.match": ["all"], "s.cases.1.when.clauses": ["0.0"], "s.cases.1.when.0.0.value": ["value"],
        "s.cases.1.when.0.0.op": ["is"], "s.cases.1.when.0.0.other": ["1"],
    }  # fmt: skip
    assert changed(fields, read(fields, sent).settings) in ({}, {"cases": [{**cases[0], "when": ""}, cases[1]]})
    more = read(fields, sent, "clause:cases.1.when").settings["cases"]
    assert more == [{**cases[0], "when": ""}, {"name": "new", "when": 'value == 1 && value == ""'}]


SHAPE = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^B"}, "lines": {"type": "object"}},
    "required": ["city"],
    "additionalProperties": False,
}


def _fields(schema, places, kept="{}", **more):
    text = msgspec.json.encode(schema).decode() if schema else ""
    sent = {"s.answer": [text], "s.answer.was": [text], "s.answer.kept": [kept], "s.answer.places": list(places)}
    for place, parts in places.items():
        sent |= {f"s.answer.{place}.{name}": [value] for name, value in parts.items()}
    return sent | {f"s.answer.{name}": [value] for name, value in more.items()}


CITY = {"name": "city", "kind": "text", "required": "yes", "kept": '{"pattern": "^B"}'}


def test_a_schema_is_sent_field_by_field_and_keeps_what_the_list_cannot_say():
    use = NodeUse("x", "ai.chat", settings={"answer": SHAPE})
    fields = form_of(use, KINDS["ai.chat"], [])
    places = {"0": CITY, "1": {"name": "lines", "kind": "object", "kept": "{}"}}
    assert changed(fields, read(fields, _fields(SHAPE, places)).settings) == {}

    def after(deed="", **more):
        found = read(fields, _fields(SHAPE, places, **more), deed)
        return found.settings.get("answer"), [fault.why for fault in found.faults]

    added, _ = after("field:answer@")
    assert list(added["properties"]) == ["city", "lines", "field_3"]
    inside, _ = after("field:answer@1")
    assert list(inside["properties"]["lines"]["properties"]) == ["field_1"]
    assert list(after("unfield:answer@0")[0]["properties"]) == ["lines"]
    assert after("sample:answer", sample='{"n": 1}')[0]["properties"] == {"n": {"type": "integer"}}
    assert "is not JSON yet" in after("sample:answer", sample="{")[1][0]
    assert "A sample is an object" in after("sample:answer", sample="3")[1][0]
    typed = _fields(SHAPE, places) | {"s.answer": ['{"anyOf": []}']}
    assert read(fields, typed).settings["answer"] == {"anyOf": []}
    assert read(fields, typed | {"s.answer": ["[]"]}).faults[0].why == "A schema is a JSON object."
