"""The fields of a step: values as chips, the list that {{ opens, what a text comes to, a value by one click."""

import re

import pytest
from playwright.sync_api import expect

from flows.model import Edge, NodeUse
from tests.browser.canvas_hands import ready, saved, step
from tests.factories.studio import a_document, a_flow


@pytest.fixture
def mara(made, live):
    from tests.browser.people import owner

    return made(owner())


def a_garden():
    flow = a_document(prompt="Answer {{ question }} kindly.")
    flow.nodes.append(NodeUse("long", "logic.if", x=280, y=240, label="Is it long?"))
    flow.edges.append(Edge("write.text", "long.value"))
    return flow


@pytest.fixture
def garden(page, made, mara):
    """A flow that ran once, with the panel of its prompt open."""
    page.goto(f"/flows/{made(a_flow(mara, a_garden()))}")
    ready(page)
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    expect(step(page, "Prompt")).to_contain_text("Done")
    step(page, "Prompt").click(position={"x": 80, "y": 30})
    return page


def prompt_of(page):
    return page.get_by_role("textbox", name="Prompt", exact=True)


def test_values_are_chips_that_are_passed_and_removed_as_one_thing(garden):
    page, prompt = garden, prompt_of(garden)
    expect(page.locator(".value-chip")).to_have_text(re.compile("question"))
    prompt.focus()
    page.keyboard.press("Control+Home")
    for _ in "Answer ":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("!")
    expect(prompt).to_have_value("Answer {{ question }}! kindly.")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(prompt).to_have_value("Answer  kindly.")
    expect(page.locator(".value-chip")).to_have_count(0)
    saved(page)


def test_two_braces_open_the_values_with_what_stood_there_last(garden, axe, look):
    page, prompt = garden, prompt_of(garden)
    prompt.fill("")
    prompt.press_sequentially("Reply to {{")
    options = page.get_by_role("listbox", name="Values").get_by_role("option")
    expect(options.first).to_contain_text("question")
    expect(options.first).to_contain_text("Which tulips?")
    expect(prompt).to_have_attribute("aria-activedescendant", re.compile("values-"))
    axe(page)
    look(page, "settings-values")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("Reply to {{ question }}")
    expect(prompt).to_be_focused()
    expect(page.locator("output.value-preview")).to_have_text("Reply to Which tulips?")
    page.keyboard.type(" {{ inp")
    expect(options.first).to_contain_text("input.")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(prompt).to_be_focused()
    axe(page)
    look(page, "settings-prompt")


def test_a_fault_is_said_in_words_while_one_writes(garden, axe):
    page, prompt = garden, prompt_of(garden)
    prompt.fill("Answer {{ question.size( }}")
    expect(page.locator("output.value-preview")).to_contain_text("can't be read")
    expect(page.locator(".value-chip--fault")).to_have_count(1)
    axe(page)
    prompt.fill("Answer {{ size(question.text) }}")
    expect(page.locator("output.value-preview")).to_have_text("Answer 13")
    expect(page.locator(".value-chip--fault")).to_have_count(0)
