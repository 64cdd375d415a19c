"""What somebody reads who may only look: every setting as words, and for what is left out what it was."""

from app.studio.giving import given
from app.studio.shown import KEPT, Setting, steps_of
from flows import catalogue
from flows.model import Edge, Flow, NodeUse, Retry

KINDS = catalogue.load()


def shown(*nodes: NodeUse, edges: tuple[Edge, ...] = ()) -> dict[str, dict[str, Setting]]:
    safe = given(Flow(nodes=list(nodes), edges=list(edges)), KINDS)
    return {step.node: {each.title: each for each in step.settings} for step in steps_of(safe, KINDS)}


def test_settings_read_as_on_the_form_and_say_which_nobody_touched():
    call = shown(
        NodeUse("call", "connect.http", settings={
            "method": "POST", "headers": [{"name": "Accept", "value": "text/plain"}], "timeout": 5,
        }),
    )["call"]  # fmt: skip
    assert (call["Method"].words, call["Method"].usual) == ("POST", False)
    assert call["Headers"].words == "Name: Accept, Value: text/plain"
    assert call["Stop on an error answer"] == Setting("Stop on an error answer", "yes", usual=True)


def test_what_happens_when_a_step_fails_is_said_only_where_it_is_not_the_usual():
    use = NodeUse("a", "ai.prompt", retry=Retry(3), on_error="wire")
    assert shown(use)["a"]["If it fails"].words == "tries 3 times, then goes along the error wire"
    assert "If it fails" not in shown(NodeUse("a", "ai.prompt"))["a"]


def test_a_condition_is_read_as_a_sentence():
    use = NodeUse("if", "logic.if", settings={"expression": 'order.total > 10 && order.country == "DE"'})
    read = [each.words for each in shown(use)["if"].values()]
    assert "order.total is greater than 10 and order.country is DE" in read


def test_steps_stand_in_the_order_they_run_with_their_sources_and_notes_come_last():
    safe = given(
        Flow(
            nodes=[
                NodeUse("remark", "note.note", settings={"text": "Ask **Mara** first"}),
                NodeUse("answer", "show.answer", x=900),
                NodeUse("start", "start.api"),
            ],
            edges=[Edge("start.input", "answer.data")],
        ),
        KINDS,
    )
    found = steps_of(safe, KINDS)
    assert [step.node for step in found] == ["start", "answer", "remark"]
    assert found[1].takes and found[2].settings == [Setting("Text", "Ask **Mara** first")]


def test_a_setting_that_another_one_switches_off_is_not_listed():
    """As on the form: it would say something that does not count."""
    for kind in KINDS.values():
        use = NodeUse("a", kind.name)
        for step in steps_of(given(Flow(nodes=[use]), KINDS), KINDS):
            assert all(each.words or each.kept for each in step.settings), kind.name


def test_every_kind_of_thing_that_is_left_out_has_its_words():
    assert set(KEPT) == {"secret", "connection", "flow", "file", "model", "keys", "component"}
    assert shown(NodeUse("gone", "acme.weather", settings={"odd": "x"}))["gone"]["Left out"].kept == KEPT["component"]
