"""What holds for every built-in node type: it is what the palette, the form and the docs are made of."""

import re

import msgspec
import pytest

from flows.catalogue import load, load_problems
from flows.sdk.node import FAMILY_ICONS

NAMES = (
    "start.chat start.form start.webhook start.api ai.prompt ai.chat text.split text.join data.json data.set logic.if "
    "logic.switch logic.join logic.each logic.loop logic.next logic.leave logic.stop "
    "logic.wait logic.signal logic.flow people.approval connect.http show.answer note.note note.group "
    "code.python"
)


def test_the_promised_components_are_there_and_load_without_a_problem():
    assert set(NAMES.split()) <= set(load()) and load_problems() == []


@pytest.mark.parametrize("name", NAMES.split())
def test_a_component_has_all_that_people_see(name):
    kind = load()[name]
    assert kind.family in FAMILY_ICONS and re.fullmatch(r"[a-z0-9-]+", kind.icon)
    assert kind.description.endswith(".") and "Raises" not in kind.description.splitlines()[0]
    assert kind.default_settings() is not None, "a step dropped on the canvas must have settings"
    schema = kind.settings_schema()
    msgspec.json.encode(schema)
    for field in schema["$defs"][kind.settings.__name__]["properties"].values():
        assert field.get("title"), field
    ports = kind.ports()
    assert all(port.title for port in (*ports.inputs, *ports.outputs))
    assert isinstance(kind.summary(kind.default_settings()), str)
