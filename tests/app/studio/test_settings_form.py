"""The settings form follows the type: right control, default, help, fault; whatever component is installed."""

import pytest

from app.studio.palette import palette
from app.studio.queries import problems_of
from app.studio.scope import variables_of
from app.studio.settings_form import form_of
from app.studio.shapes import node_view
from flows import catalogue
from flows.model import Flow, NodeUse
from tests.factories.studio import a_document

KINDS = catalogue.load()


def fields(type: str, **settings):
    use = NodeUse("x", type, settings=settings)
    return {field.name: field for field in form_of(use, KINDS[type], problems_of(Flow(nodes=[use])))}


@pytest.mark.parametrize("type", sorted(KINDS))
def test_every_setting_of_every_component_has_a_control_and_a_name(type):
    for field in fields(type).values():
        assert field.label
        assert field.control != "json" or field.name in ("schema", "default", "value", "data", "settings", "inputs"), (
            f"{type}.{field.name} would be edited as raw JSON: give it a type the form knows"
        )
        for inner in field.row:
            assert inner.control != "rows", f"{type}.{field.name} nests lists of forms"


def test_controls_follow_types_and_hints():
    model = fields("ai.chat")
    assert {name: model[name].control for name in ("model", "instructions", "temperature", "answer")} == {
        "model": "model",
        "instructions": "template",
        "temperature": "slider",
        "answer": "schema",
    }
    assert model["max_tokens"].advanced
    size = fields("text.split")["size"]
    assert (size.control, size.least, size.most, size.step, size.value, size.is_set) == (
        "number", 1, 100_000, "1", 1_000, False,
    )  # fmt: skip


def test_a_setting_that_does_not_fit_says_what_to_do_and_keeps_what_was_typed():
    size = fields("text.split", size=0)["size"]
    assert (size.error, size.value) == ("1 or more.", 0)


def test_a_text_may_mention_the_inputs_and_says_where_they_come_from():
    found = variables_of(a_document(), a_document().nodes[1], KINDS)
    assert next((v.name, v.origin) for v in found) == ("question", "from Chat message")


def test_a_component_that_is_not_installed_keeps_its_ports_and_says_what_is_missing():
    view = node_view(NodeUse("x", "acme.weather"), KINDS, wired=["in:city", "out:forecast"])
    assert (view.known, view.summary) == (False, "Needs package acme")
    assert [(p.side, p.name) for p in (*view.left, *view.right)] == [("in", "city"), ("out", "forecast")]


def test_the_palette_offers_every_component_with_a_sentence():
    assert {t.name for t in palette()} == set(KINDS)
    for entry in palette():
        assert entry.summary, entry.name
        assert entry.h >= 68
