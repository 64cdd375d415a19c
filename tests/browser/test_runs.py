"""Runs in Chromium: one run from above, a step of it resumed, what needs somebody, the list."""

import re

import pytest
from playwright.sync_api import expect

from app.runs import running
from app.runs import service as runs
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import a_person
from tests.factories.runs import a_version, an_approval, wait_for


def an_order() -> Flow:
    """A branch that is not taken, rounds, and text of several kinds."""
    texts = {"text": "# Dear {{ name }}\n\nYour **tulips** are on the way.\n\n- 40 bulbs\n- 1 note"}
    return Flow(
        [
            NodeUse("ask", "start.api", label="Order comes in", x=0, y=80, settings={"fields": [
                {"name": "name"}, {"name": "items", "kind": "list"}, {"name": "total", "kind": "number"}]}),
            NodeUse("large", "logic.if", label="Large order?", x=280, y=80, settings={
                "rows": [{"op": "is greater than", "other": "500"}]}),
            NodeUse("mara", "ai.prompt", label="Ask Mara for a discount", x=560, y=0, settings={
                "template": "{{ order }}"}),
            NodeUse("each", "logic.each", label="For each item", x=560, y=140, w=320, h=160),
            NodeUse("line", "ai.prompt", label="Write one line", parent="each", x=60, y=70, settings={
                "template": "1 x {{ item }}"}),
            NodeUse("letter", "ai.prompt", label="Write the letter", x=940, y=80, settings={"template": texts["text"]}),
            NodeUse("answer", "show.answer", label="Answer", x=1220, y=80),
        ],
        [
            Edge("ask.total", "large.value"), Edge("large.yes", "mara.order"), Edge("large.no", "each.after"),
            Edge("ask.items", "each.items"), Edge("each.item", "line.item"), Edge("line.text", "each.result"),
            Edge("each.results", "letter.after"), Edge("ask.name", "letter.name"), Edge("letter.text", "answer.text"),
            Edge("each.results", "answer.data"),
        ],
        name="Order mailbox",
    )  # fmt: skip


GIVEN = {
    "name": "Mara",
    "items": ["Tulips", "Daffodils", "Crocus"],
    "total": 38.5,
    "api_key": "sk-live-0123456789abcdefghij",
}


async def a_run(actor, flow, given, until="succeeded", trigger="api"):
    _, flow_id, version = await a_version(flow, actor.workspace_id)
    await running.start("cli")
    try:
        run_id = await runs.start(actor, version, given, trigger=trigger)
        await wait_for(actor.workspace_id, run_id, until, seconds=20)
    finally:
        await running.stop()
    return flow_id, run_id


@pytest.fixture
def person(made):
    return made(a_person())


def test_a_run_is_read_from_its_timeline_and_graph(made, person, entered, axe, look):
    _, run_id = made(a_run(person.actor, an_order(), GIVEN))
    page = entered(person)
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Run ")
    table = page.get_by_role("table", name="Steps of this run")
    table.get_by_role("link", name="Write the letter").click()
    panel = page.get_by_role("region", name="Write the letter")
    expect(panel.get_by_text("Dear Mara", exact=True)).to_be_visible()
    axe(page)
    look(page, "run-order")
    panel.get_by_text("JSON").first.click()
    expect(panel.locator(".json-tree__parts").first).to_be_visible()
    table.get_by_role("link", name="Ask Mara for a discount").click()
    expect(page.get_by_text("It went 'no'.")).to_be_visible()
    look(page, "run-skipped")
    page.get_by_role("link", name="Graph").click()
    expect(page.get_by_role("link", name=re.compile("For each item"))).to_be_visible()
    assert "sk-live" not in page.content()
    axe(page)
    look(page, "run-graph")
    page.reload()
    expect(page.get_by_role("link", name="Graph")).to_have_attribute("aria-current", "page")


def test_a_step_is_resumed_with_another_input_and_the_new_run_says_where_it_comes_from(
    made, person, entered, axe, look
):
    _, run_id = made(a_run(person.actor, an_order(), GIVEN))
    page = entered(person)
    page.goto(f"/runs/{run_id}?step=letter")
    page.get_by_role("link", name="Resume from here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resume from Write the letter")
    axe(page)
    look(page, "run-replay")
    page.get_by_label("name").fill("Jonas")
    page.get_by_role("button", name="Resume from here").click()
    expect(page.get_by_text("Goes on from", exact=True)).to_be_visible()
    expect(page.locator("#run-badges")).to_contain_text("Done")
    page.get_by_role("table", name="Steps of this run").get_by_role("link", name="Write the letter").click()
    expect(page.get_by_role("region", name="Write the letter").get_by_text("Dear Jonas", exact=True)).to_be_visible()
    expect(page.get_by_text("from the other run").first).to_be_visible()
    look(page, "run-resumed")


def test_a_run_goes_on_before_ones_eyes_when_it_is_answered(made, person, entered):
    _, run_id = made(a_run(person.actor, an_approval(), {"refund": 38.5}, "waiting"))
    page = entered(person)
    page.goto(f"/runs/{run_id}")
    expect(page.locator("#run-badges")).to_contain_text("Needs you")
    other = entered(person)
    other.goto(f"/runs/{run_id}")
    other.get_by_role("button", name="Approve").click()
    expect(page.locator("#run-badges")).to_contain_text("Done")
    expect(page.get_by_role("button", name="Run again")).to_be_visible()


def test_the_list_is_filtered_as_one_types_and_the_address_says_the_same(made, person, entered, axe, look):
    for number in range(3):
        made(a_run(person.actor, an_order(), {**GIVEN, "name": f"Customer {number}"}))
    page = entered(person)
    page.goto("/runs")
    table = page.get_by_role("table", name="Runs, newest first")
    expect(table.get_by_role("row")).to_have_count(4)
    axe(page)
    look(page, "runs-list")
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_text("No such runs")).to_be_visible()
    expect(page).to_have_url(re.compile("state=failed"))
    page.reload()
    expect(page.get_by_label("State")).to_have_value("failed")
    page.get_by_role("link", name="Show all runs").click()
    boxes = table.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two runs")
    expect(page.get_by_text("They began with something else")).to_be_visible()
    axe(page)
    look(page, "runs-compare")


def test_what_needs_somebody_is_answered_from_the_list(made, person, entered, axe, look):
    made(a_run(person.actor, an_approval(), {"refund": 38.5}, "waiting"))
    page = entered(person)
    page.goto("/needs-you")
    expect(page.get_by_role("article")).to_have_count(1)
    axe(page)
    look(page, "needs-you-some")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing needs you")).to_be_visible()


def test_a_shared_run_is_only_looked_at(made, person, entered, stranger, axe, look):
    _, run_id = made(a_run(person.actor, an_order(), GIVEN))
    page = entered(person)
    page.goto(f"/runs/{run_id}/shares")
    page.get_by_role("button", name="Make a link").click()
    page.goto(f"/runs/{run_id}/shares")
    link = page.get_by_role("list", name="Open links").locator(".truncate").inner_text()
    axe(page)
    look(page, "run-shares")
    stranger.goto(link)
    expect(stranger.get_by_role("table", name="Steps of this run")).to_be_visible()
    expect(stranger.get_by_role("button", name="Run again")).to_have_count(0)
    axe(stranger)
    look(stranger, "run-shared")
