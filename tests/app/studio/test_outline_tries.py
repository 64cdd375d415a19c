"""The outline's form of a try, without scripts: each field is read as its kind; what can't be is told at its place."""

import re
from types import SimpleNamespace

import pytest

from app.files import service as files
from app.runs import queries as runs
from app.studio.outline.trying import read
from app.studio.tries import face_of
from flows.model import Edge, Flow, NodeUse
from tests.factories.studio import a_flow

FIELDS = [
    {"name": "name"},
    {"name": "count", "kind": "number"},
    {"name": "tags", "kind": "list"},
    {"name": "more", "kind": "object", "required": False},
    {"name": "sure", "kind": "yes/no"},
    {"name": "how", "kind": "choice", "choices": ["post", "mail"]},
]
GOOD = {"name": "Mara\r\nRoth", "count": "3", "tags": '["a", "b"]', "more": '{"n": 1.5}', "sure": "yes", "how": "mail"}


def a_form(*fields):
    start = NodeUse("form", "start.form", settings={"fields": [*fields]})
    answer = NodeUse("reply", "show.answer")
    return Flow(nodes=[start, answer], edges=[Edge(f"form.{fields[0]['name']}", "reply.text")])


def tried(sent, *fields):
    return read(face_of(a_form(*(fields or FIELDS)), []), sent, {})


def test_every_kind_of_field_becomes_what_the_start_step_wants():
    found = tried(GOOD)
    assert not found.faults and found.input == {
        "name": "Mara\nRoth", "count": 3, "tags": ["a", "b"], "more": {"n": 1.5}, "sure": True, "how": "mail",
    }  # fmt: skip
    found = tried({**GOOD, "more": "  ", "sure": ""})
    assert found.input["sure"] is False and "more" not in found.input and not found.faults


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("name", " ", "Fill this in"),
        ("count", "three", "“three” is no number"),
        ("count", "[1]", "is no number"),
        ("count", "NaN", "is no number"),
        ("tags", "a, b", "not JSON yet"),
        ("tags", '{"a": 1}', "It must be a list"),
        ("more", "[1]", "It must be an object"),
        ("more", "[" * 100_000, "not JSON yet"),
        ("how", "pigeon", "one of the values"),
    ],
)
def test_what_can_not_be_read_is_told_at_its_field_and_kept_as_typed(field, text, words):
    found = tried({**GOOD, field: text})
    assert list(found.faults) == [field] and words in found.faults[field]
    assert found.typed[field] == text and found.typed["tags" if field != "tags" else "name"]


async def test_the_page_comes_back_with_the_words_at_the_field_and_everything_typed(signed_in):
    flow_id = await a_flow(signed_in.actor, a_form(*FIELDS))
    here = f"/flows/{flow_id}/outline"
    page = await signed_in.post(f"{here}/tries", data={**GOOD, "tags": "<b>, b", "count": "many"})
    assert page.status_code == 422
    assert 'id="try-tags-error"' in page.text and 'id="try-count-error"' in page.text
    assert re.search(r'id="try-tags"[^>]*aria-invalid="true"[^>]*>\n&lt;b&gt;, b</textarea>', page.text)
    assert "Mara\nRoth" in page.text and '<option value="mail" selected>' in page.text

    done = await signed_in.post(f"{here}/tries", data=GOOD)
    assert done.status_code == 303
    run = await runs.run(signed_in.actor, done.headers["location"].rpartition("/")[2])
    assert run.input["tags"] == ["a", "b"] and run.input["count"] == 3 and run.input["sure"] is True


async def test_a_file_is_one_of_the_workspace_and_of_the_kind_that_is_asked_for(signed_in, stranger):
    leaf = await files.keep(signed_in.actor, "leaf.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    words = await files.keep(signed_in.actor, "words.txt", b"Hello")
    theirs = await files.keep(stranger.actor, "theirs.png", b"\x89PNG\r\n\x1a\n" + bytes(44))
    asked = [{"name": "what"}, {"name": "picture", "kind": "image"}]
    flow_id = await a_flow(signed_in.actor, a_form(*asked))
    here = f"/flows/{flow_id}/outline"
    page = await signed_in.get(f"{here}?panel=try")
    assert leaf.id in page.text and words.id not in page.text and theirs.id not in page.text
    for other in (words, theirs, SimpleNamespace(id='{"id": "x"}')):
        refused = await signed_in.post(f"{here}/tries", data={"what": "Look", "picture": other.id})
        assert refused.status_code == 422 and "one of the files in the list" in refused.text
    done = await signed_in.post(f"{here}/tries", data={"what": "Look", "picture": leaf.id})
    run = await runs.run(signed_in.actor, done.headers["location"].rpartition("/")[2])
    assert run.input["picture"]["name"] == "leaf.png"


async def test_a_chat_without_a_message_and_plain_input_that_is_no_object_are_told_there(signed_in):
    chat = await a_flow(signed_in.actor, Flow(nodes=[NodeUse("c", "start.chat"), NodeUse("a", "show.answer")]))
    empty = await signed_in.post(f"/flows/{chat}/outline/tries", data={"message": " "})
    assert empty.status_code == 422 and 'id="try-message-error"' in empty.text
    hook = await a_flow(signed_in.actor, Flow(nodes=[NodeUse("w", "start.webhook")]))
    listed = await signed_in.post(f"/flows/{hook}/outline/tries", data={"input": "[1]"})
    assert listed.status_code == 422 and 'id="try-input-error"' in listed.text and "[1]</textarea>" in listed.text
