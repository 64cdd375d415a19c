"""Keeping flows in order: folders, tags, stars, and a search that looks into the steps."""

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
    flows = (("Order mailbox", "Sort the mail of {{ question }}"), ("Garden support", "You know every tulip"))
    for name, prompt in flows:
        made(service.create_flow(person.actor, name, a_document(prompt=prompt), f"About: {name}"))
    return person


def test_chosen_flows_go_into_a_folder_and_get_a_tag(entered, garden, axe, look):
    page = entered(garden)
    page.goto("/flows")
    page.get_by_role("button", name="All folders").click()
    page.get_by_role("menuitem", name="New folder").click()
    page.get_by_label("Name").fill("Letters")
    page.get_by_role("button", name="Make folder").click()
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    page.get_by_role("link", name="Open the list").click()
    page.get_by_label("Choose all").check()
    page.get_by_label("Choose Garden support").uncheck()
    axe(page)
    look(page, "flows-list")
    chosen = page.get_by_role("group", name="With the chosen flows")
    chosen.get_by_label("Folder").select_option("Letters")
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".toast")).to_contain_text("1 flow moved.")
    expect(page.get_by_role("link", name="Order mailbox")).to_be_visible()
    expect(page.get_by_role("link", name="Garden support")).to_have_count(0)
    page.goto("/flows?view=list")
    page.get_by_label("Choose all").check()
    page.get_by_role("group", name="With the chosen flows").get_by_label("Tag").fill("Spring")
    page.get_by_role("button", name="Add tag").click()
    expect(page.locator(".chip", has_text="spring")).to_have_count(2)
    look(page, "flows-shelf")


def test_a_star_is_set_by_keyboard_and_found_again(entered, garden):
    page = entered(garden)
    page.goto("/flows")
    card = page.locator(".flow-card", has_text="Garden support")
    card.get_by_role("button", name="Star").focus()
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.get_by_role("link", name="Starred").click()
    expect(page.locator(".flow-card")).to_have_count(1)
    expect(page.locator(".flow-card")).to_contain_text("Garden support")


def test_a_word_in_a_prompt_leads_to_its_step(entered, garden, look):
    page = entered(garden)
    page.goto("/flows")
    page.get_by_role("searchbox").fill("every TULIP")
    expect(page.locator(".flow-card")).to_have_count(1)
    expect(page.locator(".flow-card")).to_contain_text("You know every tulip")
    look(page, "flows-found")
    page.get_by_role("link", name="Garden support").click()
    page.wait_for_url(re.compile(r"step=write"))
