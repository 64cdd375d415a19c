"""The pace of a trigger and the limits of a flow in Chromium, set by hand and by keyboard."""

from playwright.sync_api import expect

from app.runs import running
from app.runs import service as runs
from app.runs.limits import Limits
from app.studio import service as studio
from app.triggers.plans import plan_new
from tests.factories.accounts import a_person
from tests.factories.runs import a_chain
from tests.factories.triggers import the_trigger


async def published(actor):
    flow = await studio.create_flow(actor, "Order mailbox", a_chain(3, name="Order mailbox"))
    await studio.publish(actor, flow, "", "")
    await running.start("cli")
    try:
        await plan_new()
        await runs.limit(actor, flow, Limits(running=5))
    finally:
        await running.stop()
    return flow, await the_trigger(flow)


def test_the_pace_of_a_trigger_shows_only_what_its_mode_needs_and_is_saved(made, entered, axe, look, expected):
    expected.append("422")
    person = made(a_person())
    _, trigger = made(published(person.actor))
    page = entered(person)
    page.goto(f"/triggers/{trigger}")
    page.get_by_text("Pace: As it comes").click()
    expect(page.get_by_label("Seconds", exact=True)).to_be_hidden()
    page.get_by_label("Start a run").select_option("quiet")
    expect(page.get_by_label("With", exact=True)).to_be_visible()
    expect(page.get_by_label("Runs at most")).to_be_hidden()
    page.get_by_label("Seconds", exact=True).fill("soon")
    axe(page)
    look(page, "trigger-pace")
    page.get_by_role("region", name="About this trigger").get_by_role("button", name="Save").click()
    expect(page.get_by_text("This is no whole number.")).to_be_visible()
    page.get_by_label("Seconds", exact=True).fill("30")
    page.get_by_label("For each").fill("input.body.customer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pace: After 30 s of quiet, for each input.body.customer")).to_be_visible()
    axe(page)


def test_the_limits_of_a_flow_are_reached_from_its_settings_page_and_saved(made, entered, axe, look):
    person = made(a_person())
    flow, _ = made(published(person.actor))
    page = entered(person)
    page.goto(f"/flows/{flow}/settings-form")
    page.get_by_role("link", name="Limits").click()
    expect(page.get_by_role("heading", name="Limits")).to_be_visible()
    expect(page.get_by_text("Nothing of this flow is queued.")).to_be_visible()
    axe(page)
    look(page, "limits")
    page.get_by_label("Runs at once").first.fill("many")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is no whole number.")).to_be_visible()
    page.get_by_label("Runs at once").first.fill("3")
    page.get_by_role("switch", name="Queue behind all others").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("switch", name="Queue behind all others")).to_be_checked()
    expect(page.get_by_text("0 of 3")).to_be_visible()
    axe(page)
