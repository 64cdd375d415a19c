"""Names and texts of people stay what they are, also where they are words of ours; values that are ours do not."""

import re

import pytest

from app.language import choice
from app.language.catalogue import catalogue, wrong
from app.language.sentences import said
from app.studio import service as studio
from app.triggers import queries
from flows.model import NodeUse
from tests.factories.studio import a_document

GERMAN = {"accept-language": "de"}
THEIRS = ("Ask", "Mail", "Every day", "Part of the plan")


@pytest.fixture
def german():
    choice.use("de")
    yield
    choice.use("en")


def test_these_names_are_words_of_ours():
    """What the pages below must leave alone would be found here."""
    assert {"Ask", "Every day"} <= catalogue("de").texts.keys()


async def test_what_people_named_is_read_as_they_wrote_it(signed_in):
    """A flow, its steps and a folder with names that are words of ours."""
    document = a_document()
    for node, name in zip(document.nodes, THEIRS, strict=False):
        node.label = name
    document.nodes.append(NodeUse("clock", "start.schedule", x=0, y=200, label=THEIRS[2]))
    flow_id = await studio.create_flow(signed_in.actor, "Part of the plan", document, "Ask")
    await studio.publish(signed_in.actor, flow_id, "Mail", "")
    made = await signed_in.post("/folders", data={"name": "Ask"})
    assert made.status_code in (200, 303)

    async def read(path: str) -> str:
        page = await signed_in.get(path, headers=GERMAN)
        assert page.status_code == 200 and '<html lang="de"' in page.text, path
        return page.text

    editor = await read(f"/flows/{flow_id}")
    assert re.findall(r'class="node__name">([^<]*)<', editor)[:4] == ["Ask", "Mail", "Every day", "Every day"]
    assert ">Part of the plan<" in await read("/?view=list")
    assert ">Ask<" in await read("/")


def test_a_triggers_name_is_its_steps_and_only_ours_is_said(german):
    assert queries._title({"title": "Every day", "kind": "schedule"}) == "Every day"
    assert queries._title({"title": "", "kind": "schedule"}) == "Zeitplan"


@pytest.mark.parametrize(
    "text", ["It must be <b>.", "Part of the plan", "Day one", "Remove me", "run away", "from home", "Version Mail"]
)
def test_a_text_of_somebody_finds_no_sentence_with_places(german, text):
    assert said(text, False) == text


@pytest.mark.parametrize("text", ["Part of the plan", "Request and more tries", "Day one", "the rounds of 3 tries"])
def test_a_sentence_with_few_words_holds_numbers_only(german, text):
    assert said(text) == text


def test_counts_are_said_wherever_they_stand(german):
    assert said("12 runs", False) == "12 Läufe"


def test_words_of_ours_in_a_sentence_are_said_too(german):
    assert said("Step 'x' needs a number at 'Items'. Wire something in.").startswith("Schritt „x“ braucht eine Zahl")


def test_a_hole_of_the_source_may_come_again():
    assert not wrong(("{{ name }} puts in an input.",), "{{ name }} setzt ein; {{ name }} ist ein Eingang.")
    assert wrong(("{{ name }} puts in an input.",), "{{ other }} setzt ein.")
    assert wrong(("A word.",), "{{ name }}")
