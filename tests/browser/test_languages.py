"""Other languages than English, in a browser that asks for them."""

from playwright.sync_api import expect

from app.studio import service as studio
from tests.browser.canvas_hands import eventually, middle, pull, ready
from tests.browser.conftest import PHONE, WIDE
from tests.factories.accounts import a_person
from tests.factories.studio import a_document

PAGES = ("/", "/flows?view=list", "/runs", "/connections", "/settings/profile", "/triggers", "/steps/logic.switch")


def test_the_studio_is_read_in_german_once_the_profile_says_so(made, entered, axe):
    person = made(a_person())
    flow_id = made(studio.create_flow(person.actor, "Garden helper", a_document()))
    page = entered(person, bypass_csp=True)
    page.goto("/settings/profile")
    page.get_by_label("Language").select_option(label="Deutsch")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("heading", level=1, name="Einstellungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("group", name="Nachricht")).to_contain_text("Profil gespeichert.")
    axe(page)

    page.goto("/")
    expect(page.get_by_role("navigation", name="Hauptmenü").get_by_role("link", name="Läufe")).to_be_visible()
    expect(page.get_by_role("article").filter(has_text="Garden helper")).to_contain_text("3 Schritte")
    axe(page)

    page.goto(f"/flows/{flow_id}")
    ready(page)
    page.locator('.node[data-id="write"]').click()
    panel = page.locator('[data-part="panel"]')
    expect(panel.get_by_role("tab", name="Einstellungen")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Tasten")).to_contain_text("Rückgängig")
    page.keyboard.press("Escape")
    axe(page)


def test_from_right_to_left_the_frame_turns_round_and_the_drawing_does_not(made, entered):
    """Rail and palette at the right, panel at the left, menus at the pointer; steps and wires as everywhere."""
    person = made(a_person())
    flow_id = made(studio.create_flow(person.actor, "Garden helper", a_document()))
    page = entered(person, locale="ar")
    page.goto(f"/flows/{flow_id}")
    ready(page)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    rail = page.locator(".rail").bounding_box()
    assert rail["x"] + rail["width"] == WIDE["width"]
    prompt = page.locator('.node[data-id="write"]')
    order = [page.locator(f'.node[data-id="{each}"]').bounding_box()["x"] for each in ("ask", "write")]
    assert order == sorted(order), "what comes first lies at the left, as the wires run"

    prompt.click()
    panel = page.locator('[data-part="panel"]')
    expect(panel).to_be_visible()
    assert panel.bounding_box()["x"] == 0
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    prompt.click(button="right", position={"x": 60, "y": 30})
    box, menu = prompt.bounding_box(), page.locator('[data-part="menu"]').bounding_box()
    assert abs(menu["x"] + menu["width"] - box["x"] - 60) < 2, "a menu opens the way one reads"
    page.keyboard.press("Escape")
    x, y = middle(prompt)
    pull(page, (x, y), (x + 96, y + 48))
    expect(page.locator('[data-part="save-state"]')).to_have_attribute("data-state", "saved")
    eventually(page, lambda: prompt.bounding_box()["x"] > box["x"] + 60)

    page.set_viewport_size(PHONE)
    for path in PAGES:
        page.goto(path)
        expect(page.locator("#main")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
