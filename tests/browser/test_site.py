"""Stories 1 and 4: a maker changes the site in a plain form; visitors read, ask and come back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories.accounts import a_person


@pytest.fixture
def maker(entered, made) -> Page:
    """Somebody with a chat that is live on their site."""
    page = entered(made(a_person()))
    _start(page, "Chat assistant")
    return page


def _start(page: Page, starter: str) -> str:
    """Make a starter's flow; gives the address of its page."""
    page.goto("/start")
    page.get_by_role("button", name=re.compile(starter)).click()
    address = page.get_by_role("link", name="Open my site").get_attribute("href")
    assert address
    return address


def _address(page: Page) -> str:
    page.goto("/site")
    address = page.get_by_role("link", name="Visit").get_attribute("href")
    assert address
    return address


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Send").click()


def test_a_change_shows_in_the_preview_at_once_and_to_visitors_after_publishing(maker, opened, axe, look):
    address = _address(maker)
    axe(maker)
    look(maker, "site")
    maker.get_by_role("row", name=re.compile("Live")).get_by_role("link").click()
    maker.get_by_label("Headline").fill("Ask the people who grow it.")
    maker.get_by_label("Headline").press("Tab")
    preview = maker.frame_locator("iframe")
    expect(preview.get_by_role("heading", level=1)).to_have_text("Ask the people who grow it.")
    expect(maker.get_by_text("Draft is newer")).to_be_visible()
    axe(maker)
    look(maker, "site-page")

    visitor = opened()
    visitor.goto(address)
    expect(visitor.get_by_role("heading", level=1)).not_to_have_text("Ask the people who grow it.")
    maker.get_by_role("button", name="Publish").click()
    expect(maker.get_by_text("Version 2 is live.").first).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Ask the people who grow it.")


def test_what_is_typed_before_the_scripts_are_there_is_saved_when_they_are(maker):
    _address(maker)
    held = []
    maker.route(re.compile(r"/app\.\w+\.js"), lambda route: held.append(route))
    maker.get_by_role("row", name=re.compile("Live")).get_by_role("link").click()
    maker.get_by_label("Headline").fill("Early birds")
    maker.get_by_label("Headline").press("Tab")
    assert held
    for route in held:
        route.continue_()
    expect(maker.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Early birds")


def test_a_removed_part_comes_back_by_undo(maker):
    _address(maker)
    maker.get_by_role("row", name=re.compile("Live")).get_by_role("link").click()
    maker.get_by_role("button", name="Remove").first.click()
    expect(maker.get_by_label("Headline")).to_have_count(0)
    maker.get_by_role("button", name="Undo").click()
    expect(maker.get_by_label("Headline")).to_have_count(1)


def test_a_visitor_asks_gets_a_streamed_answer_and_finds_it_again(maker, opened, axe, look):
    visitor = opened()
    visitor.goto(_address(maker))
    axe(visitor)
    _ask(visitor, "How deep do I plant tulips?")
    expect(visitor.locator(".turn--answer[data-state=done]")).to_be_visible()
    visitor.get_by_role("button", name="Bad answer").click()
    expect(visitor.get_by_text("Thank you.")).to_be_visible()
    visitor.get_by_label("What was wrong?").fill("Too short")
    visitor.get_by_label("What was wrong?").press("Enter")
    expect(visitor.get_by_label("What was wrong?")).to_have_count(0)
    axe(visitor)
    maker.goto("/runs?rating=bad")
    maker.get_by_role("link", name="Chat assistant").first.click()
    expect(maker.get_by_role("region", name="Was the answer good?")).to_contain_text("Too short")
    visitor.reload()
    expect(visitor.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    expect(visitor.get_by_role("log")).to_contain_text("How deep do I plant tulips?")
    expect(visitor.locator(".turn")).to_have_count(2)
    axe(visitor)
    look(visitor, "visited")
    visitor.get_by_role("button", name="Start a new conversation").click()
    expect(visitor.locator(".turn")).to_have_count(0)


def test_without_scripts_the_page_reads_and_the_chat_answers(maker, opened):
    visitor = opened(java_script_enabled=False)
    visitor.goto(_address(maker))
    expect(visitor.get_by_role("heading", level=1)).to_be_visible()
    _ask(visitor, "Are you open on Sunday?")
    expect(visitor.locator(".turn--answer")).to_have_count(1)
    expect(visitor.get_by_role("log")).to_contain_text("Are you open on Sunday?")


def test_one_visitor_never_sees_another_one_s_conversation(maker, opened):
    address = _address(maker)
    first, second = opened(), opened()
    first.goto(address)
    _ask(first, "My name is Elif and this is private")
    expect(first.locator(".turn--answer[data-state=done]")).to_be_visible()
    second.goto(address)
    expect(second.locator("body")).not_to_contain_text("Elif")


def test_what_a_visitor_writes_stays_text(maker, opened):
    visitor = opened()
    visitor.goto(_address(maker))
    _ask(visitor, "<img src=x onerror=alert(1)><b>bold</b>")
    expect(visitor.locator(".turn--answer[data-state=done]")).to_be_visible()
    visitor.reload()
    expect(visitor.locator(".turn--question")).to_contain_text("<img src=x onerror=alert(1)><b>bold</b>")
    expect(visitor.locator(".turn img, .turn b")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_form_is_answered_in_its_place(entered, made, opened, axe, look, scripts: bool, expected: list[str]):
    expected.append("422")
    page = entered(made(a_person()))
    visitor = opened(java_script_enabled=scripts)
    visitor.goto(_start(page, "Form to text"))
    fields = visitor.locator("site-form").locator("input:not([type=hidden]), textarea")
    for n in range(fields.count()):
        fields.nth(n).fill("Tulip bulbs")
    visitor.locator("site-form").get_by_role("button").click()
    expect(visitor.locator("[data-part=result]")).to_be_visible()
    expect(visitor.locator("[data-part=result]")).not_to_be_empty()
    if scripts:
        axe(visitor)
        look(visitor, "form-answered")


def test_an_unknown_host_and_an_unknown_page_say_so_in_the_site_s_own_look(maker, opened, expected: list[str]):
    expected.append("404")
    address = _address(maker)
    visitor = opened()
    visitor.goto(address + "nowhere")
    expect(visitor.get_by_role("heading", name="This page does not exist.")).to_be_visible()
    visitor.get_by_role("link", name="To the front page").click()
    expect(visitor.get_by_role("heading", level=1)).to_be_visible()
    visitor.goto(re.sub(r"//[^.]+\.", "//nobody-here.", address))
    expect(visitor.get_by_role("heading", name="There is no site at this address.")).to_be_visible()
