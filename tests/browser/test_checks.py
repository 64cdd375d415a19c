"""A run becomes a test in the browser: saved, run, failed, read; by keyboard, in both modes, on a phone."""

from playwright.sync_api import expect

from app.runs import running
from tests.factories.accounts import a_person
from tests.factories.checks import a_run
from tests.factories.studio import a_document

GIVEN = {"message": "When do tulips flower?", "history": []}


def test_a_run_is_saved_as_a_test_that_passes_and_then_fails_with_the_difference(made, entered, axe, look):
    person = made(a_person())
    flow_id, run_id = made(_run(person.actor))
    page = entered(person)
    page.goto(f"/flows/{flow_id}/tests")
    expect(page.get_by_role("heading", name="No test yet")).to_be_visible()
    axe(page)
    page.goto(f"/runs/{run_id}")
    page.get_by_role("link", name="Save as a test").click()
    name = page.get_by_label("Name")
    expect(name).to_be_focused()
    name.fill("Flowering")
    axe(page)
    look(page, "checks-new")
    name.press("Enter")
    expect(page.get_by_role("heading", name="Flowering", level=1)).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).press("Enter")
    expect(page.get_by_role("region", name="Last result").get_by_text("Passed").first).to_be_visible()
    page.get_by_label("Value").first.fill("Answer about roses")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_role("button", name="Run", exact=True).press("Enter")
    expect(page.locator("del", has_text="roses")).to_be_visible()
    axe(page)
    look(page, "checks-case")
    page.goto(f"/flows/{flow_id}/tests")
    page.get_by_role("button", name="Run all").press("Enter")
    expect(
        page.locator(".toast", has_text="The test passed.").or_(page.locator(".toast", has_text="failed")).first
    ).to_be_visible()
    expect(page.get_by_text("1 failed")).to_be_visible()
    axe(page)
    look(page, "checks-suite")


async def _run(actor):
    await running.start("cli")
    try:
        return await a_run(actor, a_document(), GIVEN)
    finally:
        await running.stop()
