"""An edit of one step finds the same problems as a look at the whole flow, at a fraction of its price."""

import msgspec
import pytest

from app.studio import queries
from app.studio.queries import problems_of
from app.studio.rechecking import rechecked
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.studio import a_large_document

KINDS = catalogue.load()
VALUES = ["", "words", "{{ nowhere.to.be }}", "{{ broken", 0, -1, 3, None, True, [], [{"name": "a"}], {"a": 1}]


def _titled(flow: Flow) -> Flow:
    return queries._named(flow)


@pytest.mark.parametrize("type", sorted(KINDS))
def test_whatever_a_setting_is_changed_to_the_problems_are_those_of_the_whole_flow(type: str) -> None:
    settings = {field.name for field in msgspec.structs.fields(KINDS[type].settings)}
    flow = _titled(
        Flow(
            [NodeUse("a", "text.template"), NodeUse("b", type), NodeUse("c", "text.template"), NodeUse("d", type)],
            [Edge("a.text", "b.text"), Edge("b.text", "c.name"), Edge("d.error", "c.other")],
        )
    )
    found = problems_of(flow)
    for name in sorted(settings):
        for value in VALUES:
            changed = msgspec.structs.replace(flow.nodes[1], settings={name: value}, x=80.0)
            after = Flow([flow.nodes[0], changed, *flow.nodes[2:]], flow.edges)
            short = rechecked(flow, found, after, KINDS)
            assert short is None or short == problems_of(after), f"{name} = {value!r}"


def test_typing_in_a_large_flow_needs_no_look_at_the_whole() -> None:
    flow = _titled(a_large_document(200, 300))
    found = problems_of(flow)
    at = next(i for i, node in enumerate(flow.nodes) if node.type == "ai.prompt")
    before = flow.nodes[at].settings["template"]
    for more in (" a", " and", " and so", ""):
        changed = msgspec.structs.replace(flow.nodes[at], settings={"template": before + more})
        after = Flow([*flow.nodes[:at], changed, *flow.nodes[at + 1 :]], flow.edges)
        short = rechecked(flow, found, after, KINDS)
        assert short is not None
        assert short == problems_of(after)
        flow, found = after, short


def test_a_changed_wire_name_or_number_of_steps_is_a_case_for_the_whole() -> None:
    flow = _titled(Flow([NodeUse("a", "text.template"), NodeUse("b", "text.template")], [Edge("a.text", "b.name")]))
    found = problems_of(flow)
    for after in (
        Flow(flow.nodes, []),
        Flow(flow.nodes[:1], []),
        Flow([msgspec.structs.replace(flow.nodes[0], label="Other"), flow.nodes[1]], flow.edges),
        Flow([msgspec.structs.replace(flow.nodes[0], disabled=True), flow.nodes[1]], flow.edges),
    ):
        assert rechecked(flow, found, after, KINDS) is None
