"""Find in a flow: names first, then what stands in settings, with the words around it."""

from app.studio.finding import find
from flows import catalogue
from flows.model import Flow, NodeUse

KINDS = catalogue.load()
FLOW = Flow(
    nodes=[
        NodeUse("a", "ai.prompt", settings={"template": "Write about Tulips and nothing else, please, dear model."}),
        NodeUse("b", "text.split", label="Cut tulips"),
        NodeUse("n", "note.note", settings={"text": "Ask Mara"}),
        NodeUse("g", "note.group", label="Spring", settings={"members": ["tulip"]}),
    ]
)


def test_a_name_comes_before_a_setting_and_the_setting_is_named():
    first, second = find(FLOW, "TULIPS", KINDS)
    assert (first.node, first.field) == ("b", "")
    assert (second.node, second.field, second.where) == ("a", "template", "Prompt")
    assert second.text.startswith("Write about Tulips")
    assert second.text.endswith("…")


def test_every_word_must_be_there_and_no_word_finds_nothing():
    assert [hit.node for hit in find(FLOW, "mara ask", KINDS)] == ["n"]
    assert find(FLOW, "mara tulips", KINDS) == []
    assert find(FLOW, "  ", KINDS) == []


def test_ids_of_a_groups_steps_are_no_text():
    assert {hit.node for hit in find(FLOW, "tulip", KINDS)} == {"a", "b"}
