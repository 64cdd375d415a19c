"""The design system, alive: what every page is built from."""

import re

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def patterns(page: Page) -> Page:
    page.goto("/patterns")
    return page


def test_every_piece_is_accessible_in_both_modes_and_fits_a_phone(patterns, axe, look):
    axe(patterns)
    look(patterns, "patterns")


def test_a_menu_opens_with_the_keyboard_and_gives_focus_back(patterns):
    more = patterns.get_by_role("button", name="More", exact=True).first
    more.focus()
    patterns.keyboard.press("Enter")
    menu = patterns.get_by_role("menu", name="More for Order mailbox, light")
    expect(menu.get_by_role("menuitem", name="Rename")).to_be_focused()
    patterns.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name="Duplicate")).to_be_focused()
    patterns.keyboard.press("End")
    expect(menu.get_by_role("menuitem", name="Delete")).to_be_focused()
    patterns.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_be_focused()


def test_a_dialog_names_its_deed_and_closes_with_escape(patterns):
    patterns.get_by_role("button", name="Erase…").first.click()
    dialog = patterns.get_by_role("dialog", name="Erase all of Elif’s conversations?")
    expect(dialog.get_by_role("button", name="Erase 12")).to_be_visible()
    patterns.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_question_mark_lists_the_keys_of_the_page(patterns):
    patterns.keyboard.press("?")
    sheet = patterns.get_by_role("dialog", name="Keys")
    expect(sheet.get_by_role("listitem").filter(has_text="Search or do")).to_contain_text("K")


def test_single_letters_can_be_switched_off(patterns):
    patterns.keyboard.press("?")
    patterns.get_by_role("switch", name="Single-letter keys").uncheck()
    patterns.keyboard.press("Escape")
    patterns.keyboard.press("?")
    expect(patterns.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_password_can_be_shown_and_says_how_strong_it_is(patterns):
    field = patterns.get_by_label("Password", exact=True).first
    field.fill("short")
    expect(patterns.get_by_text("Too short")).to_be_visible()
    field.fill("tulips need cold winters")
    expect(patterns.get_by_text("Strong", exact=True)).to_be_visible()
    patterns.get_by_role("button", name="Show", exact=True).first.click()
    expect(field).to_have_attribute("type", "text")


def test_the_mode_one_chooses_is_there_on_the_next_page(patterns):
    patterns.get_by_role("button", name=re.compile("mara", re.IGNORECASE)).click()
    patterns.get_by_role("menuitemradio", name="Ink, dark").click()
    expect(patterns.locator("html")).to_have_attribute("data-theme", "dark")
    patterns.reload()
    expect(patterns.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_keyboard_reaches_the_content_first(patterns):
    patterns.keyboard.press("Tab")
    expect(patterns.get_by_role("link", name="Go to the content")).to_be_focused()
    patterns.keyboard.press("Enter")
    expect(patterns.get_by_role("main")).to_be_focused()


def test_on_a_phone_the_navigation_is_a_sheet(patterns):
    patterns.set_viewport_size({"width": 390, "height": 844})
    navigation = patterns.get_by_role("navigation", name="Main")
    expect(navigation).to_be_hidden()
    patterns.get_by_role("button", name="Menu").click()
    expect(navigation.get_by_role("link", name="Connections")).to_be_visible()
    patterns.keyboard.press("Escape")
    expect(navigation).to_be_hidden()


def test_in_forced_greyscale_every_state_still_says_its_word(patterns):
    for word in ("Queued", "Running", "Needs you", "Done", "Failed", "In doubt", "Skipped", "Budget reached"):
        expect(patterns.get_by_text(word, exact=True).first).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "shown"), [("success", "good"), ("info", "good"), ("danger", "bad"), ("warning", "bad")]
)
def test_a_message_wears_the_sign_of_its_kind(patterns, look, kind, shown):
    patterns.evaluate(
        "kind => document.dispatchEvent(new CustomEvent('toast', {detail: {text: `It is ${kind}.`, kind}}))", kind
    )
    message = patterns.get_by_role("group", name="Message")
    expect(message).to_contain_text(f"It is {kind}.")
    for which in ("good", "bad"):
        expect(message.locator(f".toast__{which}")).to_be_visible(visible=which == shown)
    expect(message.get_by_role("button", name="Undo")).to_be_hidden()
    look(patterns, f"toast-{kind}")
