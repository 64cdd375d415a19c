"""Talking about a flow: on the canvas by keyboard, in the outline without scripts, live between two people."""

import re

import pytest
from playwright.sync_api import expect

from app.studio import service
from tests.browser.canvas_hands import ready, step
from tests.factories.accounts import a_person
from tests.factories.studio import a_document


@pytest.fixture
def two(made):
    mara = made(a_person())
    return mara, made(a_person(workspace_id=mara.actor.workspace_id, name="Ole Birch", role="viewer"))


def test_a_thread_is_begun_by_key_answered_live_and_resolved(made, entered, two, axe, look):
    mara, ole = two
    flow = made(service.create_flow(mara.actor, "Garden support", a_document()))
    page, other = entered(mara), entered(ole)
    for one in (page, other):
        one.goto(f"/flows/{flow}")
        ready(one)
    step(page, "Prompt").focus()
    page.keyboard.press("m")
    field = page.get_by_label("Comment on Prompt")
    expect(field).to_be_focused()
    page.keyboard.type("Is this *too* long, @Ol")
    expect(page.get_by_role("option", name="Ole Birch")).to_have_attribute("aria-selected", "true")
    axe(page)
    page.keyboard.press("Enter")
    page.keyboard.type("?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("article", name="Thread about Prompt")).to_contain_text("Is this too long, @Ole Birch")
    badge = step(other, "Prompt").get_by_role("button", name="1 open thread")
    expect(badge).to_be_visible()
    badge.click()
    thread = other.get_by_role("article", name="Thread about Prompt")
    thread.locator("summary", has_text="Reply").click()
    expect(other.get_by_role("textbox", name="Reply")).to_be_focused()
    page.get_by_label("Comment on Prompt").fill("half a thought")
    other.keyboard.type("No, it is **fine**.")
    other.keyboard.press("Control+Enter")
    mine = page.get_by_role("article", name="Thread about Prompt")
    expect(mine).to_contain_text("No, it is fine.")
    expect(page.get_by_label("Comment on Prompt")).to_have_value("half a thought")
    axe(page)
    look(page, "comments")
    mine.get_by_role("button", name="Resolve").click()
    expect(step(other, "Prompt").get_by_role("button", name="1 open thread")).to_have_count(0)
    page.locator(".toast").get_by_role("button", name=re.compile("Undo")).click()
    expect(mine).to_be_visible()
    mine.get_by_role("button", name="Remove").click()
    expect(mine).to_contain_text("A comment of Mara Fern was removed.")
    page.reload()
    ready(page)
    expect(step(page, "Prompt").get_by_role("button", name="1 open thread")).to_be_visible()


def test_the_outline_talks_without_scripts_and_a_mention_waits_under_needs_you(made, entered, two, axe, look):
    mara, ole = two
    flow = made(service.create_flow(mara.actor, "Garden support", a_document()))
    plain = entered(ole, java_script_enabled=False)
    plain.goto(f"/flows/{flow}/outline?panel=comments&about=write")
    plain.get_by_label("Comment on Prompt").fill("Please look, @Mara Fern")
    plain.get_by_role("button", name="Comment", exact=True).click()
    expect(plain.get_by_role("article", name="Thread about Prompt")).to_contain_text("Please look")
    page = entered(mara)
    page.goto(f"/flows/{flow}/outline")
    page.get_by_role("link", name="1 open thread about Prompt").click()
    expect(page.get_by_role("article", name="Thread about Prompt")).to_be_visible()
    axe(page)
    look(page, "comments-outline")
    page.goto("/needs-you")
    page.get_by_role("link", name="Mentions 1").click()
    expect(page.get_by_role("article", name="Ole Birch mentioned you")).to_be_visible()
    axe(page)
    look(page, "mentions")
    page.get_by_role("link", name="Answer").click()
    expect(page.get_by_role("article", name="Thread about Prompt")).to_be_visible()
