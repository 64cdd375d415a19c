"""Home, the list of flows, "What do you want to make?" and Ctrl K."""

import re

import pytest
from playwright.sync_api import expect

from app.studio import service
from tests.factories.accounts import a_person
from tests.factories.studio import a_document


@pytest.fixture
def person(made):
    return made(a_person())


@pytest.fixture
def garden(made, person):
    """Two flows in the person's workspace."""
    for name, words in (("Order mailbox", "Sorts mail, drafts replies"), ("Garden support", "Answers plant questions")):
        made(service.create_flow(person.actor, name, a_document(), words))
    return person


def test_somebody_who_made_nothing_yet_is_asked_what_to_make(entered, person, axe, look):
    page = entered(person)
    page.goto("/")
    expect(page.get_by_role("heading", name="What do you want to make?")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Chat assistant"))).to_be_visible()
    axe(page)
    look(page, "start")


def test_one_click_makes_a_chat_that_visitors_can_use_at_once(entered, person, axe, look):
    page = entered(person)
    page.goto("/start")
    page.get_by_role("button", name=re.compile("Chat assistant")).click()
    expect(page.get_by_role("heading", name="Your site is live")).to_be_visible()
    expect(page.get_by_role("link", name="Open my site")).to_have_attribute("href", re.compile(r"^http://[a-z0-9-]+\."))
    axe(page)
    look(page, "started")


def test_an_empty_canvas_opens_the_editor(entered, person):
    page = entered(person)
    page.goto("/start")
    page.get_by_role("button", name="Empty canvas").click()
    page.wait_for_url(re.compile(r"/flows/[0-9a-f-]{36}$"))


def test_a_card_opens_its_flow_and_says_what_it_is(entered, garden, axe, look):
    page = entered(garden)
    page.goto("/")
    card = page.get_by_role("article").filter(has_text="Order mailbox")
    expect(card).to_contain_text("Draft")
    expect(card).to_contain_text("never run")
    expect(card.get_by_role("img", name=re.compile("^Steps: Chat message"))).to_be_visible()
    axe(page)
    look(page, "home")
    card.get_by_role("link", name="Order mailbox").click()
    page.wait_for_url(re.compile(r"/flows/[0-9a-f-]{36}$"))


def test_typing_narrows_the_list_and_the_address_keeps_it(entered, garden, axe, look):
    page = entered(garden)
    page.goto("/flows")
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_role("searchbox", name="Find a flow").fill("plant")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=plant"))
    page.reload()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("searchbox", name="Find a flow").fill("tractor")
    expect(page.get_by_role("heading", name="Nothing says “tractor”")).to_be_visible()
    page.get_by_role("link", name="Show all 2").click()
    expect(page.get_by_role("article")).to_have_count(2)
    axe(page)
    look(page, "flows")


def test_an_archived_flow_waits_in_its_tab_and_comes_back(entered, garden, made):
    flow_id = made(service.create_flow(garden.actor, "Old letter", a_document()))
    made(service.archive(garden.actor, flow_id))
    page = entered(garden)
    page.goto("/flows")
    expect(page.get_by_text("Old letter")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^Archived")).click()
    page.get_by_role("button", name="Bring back Old letter").click()
    page.wait_for_url(f"**/flows/{flow_id}")
    page.goto("/flows")
    expect(page.get_by_role("link", name="Old letter")).to_be_visible()


def test_control_k_finds_a_flow_and_goes_there(entered, garden, axe):
    page = entered(garden)
    page.goto("/settings/profile")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search or do")
    expect(palette.get_by_role("option").first).to_be_visible()
    axe(page)
    page.keyboard.type("mailb")
    expect(palette.get_by_role("option")).to_have_count(1)
    expect(palette.get_by_role("option", selected=True)).to_contain_text("Order mailbox")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/flows/[0-9a-f-]{36}$"))


def test_control_k_closes_with_escape_and_says_when_nothing_fits(entered, garden):
    page = entered(garden)
    page.goto("/flows")
    page.keyboard.press("Control+k")
    page.keyboard.type("xyzzy")
    palette = page.get_by_role("dialog", name="Search or do")
    expect(palette.get_by_text("Nothing is called “xyzzy”. Try fewer letters.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()


def test_control_k_does_what_a_button_elsewhere_does(entered, made):
    page = entered(made(a_person()))
    page.goto("/runs")
    page.keyboard.press("Control+k")
    page.keyboard.type("sign out")
    palette = page.get_by_role("dialog", name="Search or do")
    expect(palette.get_by_role("option", selected=True)).to_contain_text("Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_what_a_flow_is_called_stays_text_wherever_it_is_shown(entered, person, made):
    made(service.create_flow(person.actor, '<img src=x hx-get="/sign-out" hx-trigger="load">', a_document()))
    page = entered(person)
    page.goto("/flows")
    expect(page.get_by_role("link", name=re.compile("<img src=x"))).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").filter(has_text="<img src=x")).to_be_visible()


def test_everything_is_reached_with_the_keyboard_alone(entered, garden):
    page = entered(garden)
    page.goto("/flows")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox", name="Find a flow")).to_be_focused()
    for name in ("All folders", "Last run"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()
    for name in ("Cards", "List"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("article").first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/flows/[0-9a-f-]{36}$"))
