"""Before a run goes on or begins anew: a field of its own kind for each value, what is wrong said at the field."""

import re
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from app.runs import queries, running, service
from app.runs.ports import input_fields
from flows.model import Edge, Flow, NodeUse
from tests.app.browser import token_of
from tests.factories.runs import a_version, wait_for

FIELDS = [
    {"name": "plant"},
    {"name": "weight", "kind": "number"},
    {"name": "wet", "kind": "yes/no"},
    {"name": "more", "kind": "object", "required": False},
    {"name": "password", "required": False},
]
GIVEN = {"plant": "<b>Queen", "weight": 3, "wet": True, "more": {"a": [1]}, "password": "hunter2-and-more"}


def labels() -> Flow:
    return Flow(
        [
            NodeUse("form", "start.form", settings={"fields": FIELDS}),
            NodeUse("set", "data.set", settings={"fields": [{"name": "label", "text": "{{ plant }} {{ weight }}"}]}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("form.plant", "set.plant"),
            Edge("form.weight", "set.weight"),
            Edge("form.more", "set.object"),
            Edge("set.object", "answer.data"),
        ],
        name="labels",
    )


@pytest.fixture
async def ran(app, signed_in):
    """(browser, the run's id) of a run that ended."""
    await running.start("cli")
    actor = signed_in.actor
    _, _, version = await a_version(labels(), actor.workspace_id)
    outcome = await service.answer(actor, version, GIVEN, trigger="form")
    assert outcome.status == "succeeded", outcome.error
    yield signed_in, outcome.run_id
    await running.stop()


def controls(page: str) -> dict[str, str]:
    """Name of each field → its tag."""
    return {name: tag for tag, name in re.findall(r'<(input|select|textarea)[^>]*? name="(\w+\.\w+)"', page)}


async def test_the_input_of_a_run_is_edited_in_fields_of_its_kinds(ran):
    browser, run = ran
    page = await browser.get(f"/runs/{run}/replays/new")
    assert controls(page.text) == {
        "text.plant": "textarea", "number.weight": "input", "yesno.wet": "select", "json.more": "textarea",
        "text.password": "textarea",
    }  # fmt: skip
    assert "&lt;b&gt;Queen" in page.text and "hunter2" not in page.text
    hidden = re.search(r'name="text.password"[^>]*>\n([^<]*)<', page.text).group(1)
    sent = {"_csrf": token_of(page), "shown": "yes", "from_step": "", "text.plant": "King", "number.weight": "4.5",
            "yesno.wet": "no", "json.more": '{"a": []}', "text.password": hidden}  # fmt: skip
    for field, words in (("number.weight", "is no number"), ("json.more", "is not JSON")):
        refused = await browser.post(f"/runs/{run}/replays", data=sent | {field: "heavy <i>"})
        assert refused.status_code == 422 and words in refused.text and "heavy &lt;i&gt;" in refused.text
        assert re.search(rf'name="{re.escape(field)}"[^>]*aria-invalid="true"', refused.text)
    made = await browser.post(f"/runs/{run}/replays", data=sent)
    assert made.status_code == 303
    new = made.headers["location"].rpartition("/")[2]
    row = await wait_for(browser.actor.workspace_id, new, "queued", "running", "succeeded")
    assert msgspec.json.decode(row["input"]) == {
        "plant": "King", "weight": 4.5, "wet": False, "more": {"a": []}, "password": "hunter2-and-more",
    }  # fmt: skip


async def test_what_arrives_at_a_step_has_the_kinds_of_its_ports_and_what_is_left_alone_is_no_edit(ran):
    browser, run = ran
    page = await browser.get(f"/runs/{run}/replays/new?from_step=set")
    assert controls(page.text) == {"json.object": "textarea", "text.plant": "textarea", "json.weight": "textarea"}
    sent = {"_csrf": token_of(page), "shown": "yes", "from_step": "set", "json.object": "[1]"}
    refused = await browser.post(f"/runs/{run}/replays", data=sent)
    assert refused.status_code == 422 and re.search(r'name="json.object"[^>]*aria-invalid="true"', refused.text)
    del sent["json.object"]
    sent["text.plant"] = "<b>Queen"
    made = await browser.post(f"/runs/{run}/replays", data=sent)
    new = made.headers["location"].rpartition("/")[2]
    shown = await queries.run(browser.actor, new)
    assert (shown.origin, shown.from_step) == (run, "set")
    assert parse_qs(urlsplit(made.headers["location"]).query) == {}


def test_what_no_start_step_knows_is_edited_as_what_it_is() -> None:
    value = {"a": "x", "b": 2, "c": False, "d": None, "e": [1], "f": {"text": "Hi", "role": "user"}}
    found = input_fields(Flow(), "webhook:x", value)
    assert [each.kind for each in found] == ["text", "number", "yesno", "json", "json", "message"]
    [whole] = input_fields(Flow(), "api", [1, 2])
    assert (whole.name, whole.kind) == ("json", "json")
