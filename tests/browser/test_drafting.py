"""Drafting in the browser: described, watched, looked at, taken over; by keyboard, in both modes, on a phone."""

from playwright.sync_api import expect

from tests.factories.accounts import a_person
from tests.factories.checks import a_support_flow
from tests.factories.drafting import CHAT, FALLBACK, a_model, says
from tests.factories.studio import a_flow


def test_a_flow_is_described_looked_at_and_made(made, entered, axe, look, _fake_openai):
    person = made(a_person())
    made(a_model(person.actor, _fake_openai))
    page = entered(person)
    page.goto("/start")
    axe(page)
    look(page, "start-describe")
    page.goto("/drafting")
    wish = page.get_by_label("What should it do")
    expect(wish).to_be_focused()
    _fake_openai.script(says(CHAT, tokens_per_second=8))
    page.keyboard.type("A chat that answers kindly")
    axe(page)
    look(page, "drafting-describe")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Somebody asks").first).to_be_visible()
    take = page.get_by_role("button", name="Make this flow")
    expect(take).to_be_visible()
    axe(page)
    look(page, "drafting-new")
    take.press("Enter")
    expect(page.get_by_role("heading", name="Kind chat")).to_be_visible()


def test_a_change_is_shown_in_the_picture_and_taken_over_as_one_edit(made, entered, axe, look, _fake_openai):
    person = made(a_person())
    made(a_model(person.actor, _fake_openai))
    flow_id = made(a_flow(person.actor, a_support_flow()))
    _fake_openai.script(says(FALLBACK))
    page = entered(person)
    page.goto(f"/flows/{flow_id}")
    page.get_by_role("button", name="More for this flow").click()
    page.get_by_role("menuitem", name="Change by describing").click()
    page.get_by_label("What should change").fill("Add a fallback model")
    page.get_by_role("button", name="Draft it").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    expect(page.get_by_role("group", name="What is different, on the canvas")).to_be_visible()
    axe(page)
    look(page, "drafting-change")
    page.get_by_role("button", name="Take over").press("Enter")
    expect(page.get_by_role("group", name="Fallback")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("group", name="Fallback")).to_have_count(0)


def test_without_a_capable_model_templates_are_offered(made, entered, axe, look):
    page = entered(made(a_person()))
    page.goto("/drafting")
    page.get_by_label("What should it do").fill("a form that sums up a text")
    page.get_by_role("button", name="Look it up").press("Enter")
    expect(page.get_by_role("heading", name="What fits")).to_be_visible()
    axe(page)
    look(page, "drafting-found")
