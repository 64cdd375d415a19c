"""The code step in the editor: written, told what is wrong with it by line, tried, and seen in its run."""

import re

import pytest
from playwright.sync_api import expect

from flows.model import Edge, Flow, NodeUse
from tests.browser.test_canvas import ready, saved, step
from tests.factories.studio import a_flow

FLOW = Flow(
    [
        NodeUse("start", "start.api", x=48, y=96),
        NodeUse("c", "code.python", x=340, y=96, label="Count words", settings={"inputs": [{"name": "value"}]}),
        NodeUse("end", "show.answer", x=680, y=96),
    ],
    [Edge("start.input", "c.value"), Edge("c.result", "end.data")],
    name="Counting",
)


@pytest.fixture
def opened(page, made, live):
    from tests.browser.people import owner

    page.goto(f"/flows/{made(a_flow(made(owner()), FLOW))}")
    ready(page)
    step(page, "Count words").click()
    expect(page.get_by_role("textbox", name="Python")).to_be_visible()
    return page


def test_code_is_written_and_what_is_wrong_with_it_is_said_by_line(opened, axe, look):
    page = opened
    code = page.get_by_role("textbox", name="Python")
    code.fill("words = value.split(\nreturn len(words)")
    code.blur()
    saved(page)
    expect(page.get_by_text(re.compile("Line 1 can.t be read: words = value.split\\(\\. ")).first).to_be_visible()
    look(page, "code-wrong")
    code.fill("words = str(value).split()\nreturn len(words)")
    code.blur()
    saved(page)
    expect(page.get_by_text(re.compile("can.t be read"))).to_have_count(0)
    axe(page)
    look(page, "code")


def test_inputs_are_rows_and_become_ports(opened):
    page = opened
    page.locator('[data-field="inputs"]').get_by_role("button", name="Add").click()
    name = page.locator('[data-field="inputs"]').get_by_role("textbox", name="Name").last
    name.fill("limit")
    name.blur()
    saved(page)
    expect(step(page, "Count words").locator('.node__port[data-side="in"]', has_text="limit")).to_be_visible()
