"""The tour builds a first flow with the person's own keys and clicks on the real canvas, and runs it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.canvas_hands import middle, port, pull, ready, saved, step
from tests.doubles.openai_script import Answer
from tests.factories.accounts import a_person


def add(page, word):
    page.keyboard.press("a")
    page.get_by_role("textbox", name="Find a step").fill(word)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


@pytest.fixture
def newcomer(made, entered):
    return entered(made(a_person()))


def test_a_first_flow_is_built_by_hand_and_runs(newcomer, fake, axe, look):
    fake.always(Answer(text="Water them in the morning."))
    page = newcomer
    page.goto("/")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").get_by_role("button", name="Take the tour").click()
    ready(page)
    tour = page.get_by_role("region", name="Tour")
    expect(tour.get_by_role("heading", name="1. Somebody writes")).to_be_visible()
    axe(page)
    look(page, "tour-first")
    page.locator(".canvas__world").focus()
    add(page, "chat")
    expect(tour.get_by_role("heading", name="2. Put the question into words")).to_be_visible()
    add(page, "prompt")
    expect(tour.get_by_role("heading", name="3. Say what you want")).to_be_visible()
    page.reload()  # and it goes on where the flow stands; what was not sent yet is sent then
    ready(page)
    expect(tour.get_by_role("heading", name="3. Say what you want")).to_be_visible()
    step(page, "Prompt").click(position={"x": 80, "y": 20})
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Answer kindly: {{ question }}")
    saved(page)
    expect(tour.get_by_role("heading", name="4. Wire them")).to_be_visible()
    axe(page)
    look(page, "tour-wire")
    page.keyboard.press("Escape")
    pull(page, middle(port(page, "Chat message", "out", "Message")), middle(port(page, "Prompt", "in", "question")))
    expect(tour.get_by_role("heading", name="5. Ask a model")).to_be_visible()
    step(page, "Prompt").click(position={"x": 80, "y": 20})
    add(page, "language")
    expect(tour.get_by_role("heading", name="6. Send the answer back")).to_be_visible()
    add(page, "answer")
    expect(tour.get_by_role("heading", name="7. Try it")).to_be_visible()
    saved(page)
    page.get_by_role("button", name=re.compile("^Try it")).click()
    page.get_by_role("textbox", name="Your message").fill("When do I water tulips?")
    page.keyboard.press("Enter")
    expect(tour.get_by_role("heading", name="That is your first flow")).to_be_visible()
    expect(page.get_by_text("Water them in the morning.").first).to_be_visible()
    axe(page)
    look(page, "tour-done")
    tour.get_by_role("button", name="Close the tour").click()
    expect(tour).to_have_count(0)
    page.reload()
    ready(page)
    expect(tour).to_have_count(0)


def test_it_is_offered_once_skipped_and_done_for_those_who_watch(newcomer, axe, look):
    page = newcomer
    page.goto("/start")
    page.get_by_role("button", name=re.compile("empty", re.IGNORECASE)).first.click()
    ready(page)
    tour = page.get_by_role("region", name="Tour")
    expect(tour.get_by_role("heading", name="Shall we build your first flow together?")).to_be_visible()
    axe(page)
    look(page, "tour-offer")
    tour.get_by_role("button", name="Show me around").click()
    expect(tour.get_by_role("heading", name="1. Somebody writes")).to_be_focused()
    for heading in ("1. Somebody", "2. Put", "3. Say", "4. Wire", "5. Ask", "6. Send"):
        expect(tour.get_by_role("heading", name=re.compile(f"^{heading}"))).to_be_visible()
        tour.get_by_role("button", name="Do it for me").click()
    expect(tour.get_by_role("heading", name="7. Try it")).to_be_visible()
    tour.get_by_role("button", name="Skip the tour").click()
    expect(tour).to_have_count(0)
    saved(page)
    page.reload()
    ready(page)
    expect(tour).to_have_count(0)
