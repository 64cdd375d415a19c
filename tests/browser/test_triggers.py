"""Triggers as a person meets them: what fires when, what became of it, off and on, by hand."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.factories.accounts import a_person
from tests.factories.triggers import a_trigger, planned_ago


async def _busy(actor):
    """A workspace with three triggers, one of which has fired and left times out."""
    made = await a_trigger("start.schedule", workspace_id=actor.workspace_id, every="minutes", minutes=1, missed="skip")
    await a_trigger("start.schedule", workspace_id=actor.workspace_id, days="weekdays", zone="Europe/Berlin")
    await a_trigger("start.webhook", workspace_id=actor.workspace_id, signature="github")
    await a_trigger("start.email", workspace_id=actor.workspace_id)
    await planned_ago(made.id, timedelta(minutes=5))
    return made


def test_a_trigger_says_when_it_fires_what_became_of_it_and_is_switched_off_with_undo(made, entered, axe, look):
    person = made(a_person())
    trigger = made(_busy(person.actor))
    page = entered(person)
    page.goto("/triggers")
    expect(page.get_by_text("Weekdays at 08:00, Europe/Berlin")).to_be_visible()
    axe(page)
    look(page, "triggers-busy")
    page.goto(f"/triggers/{trigger.id}")
    expect(page.get_by_text("passed while nothing was running")).to_be_visible(timeout=15_000)  # the worker's doing
    axe(page)
    look(page, "trigger")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("It is switched off.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()


def test_the_secret_of_a_webhook_is_shown_once(made, entered, axe, look):
    person = made(a_person())
    trigger = made(a_trigger("start.webhook", workspace_id=person.actor.workspace_id, signature="standard"))
    page = entered(person)
    page.goto(f"/triggers/{trigger.id}")
    expect(page.get_by_text("every call is refused").first).to_be_visible()
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("Copy it now.")).to_be_visible()
    axe(page)
    look(page, "trigger-secret")
    page.reload()
    expect(page.get_by_text("Copy it now.")).to_have_count(0)


def test_an_endpoint_is_added_tested_and_shows_what_came_back(page, axe, look, live):
    page.goto("/webhooks")
    page.get_by_label("Address").fill(f"http://127.0.0.1:{live.port}/nowhere")
    page.get_by_label("Is told of").fill("garden.*")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Open the endpoint").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The receiver answered")).to_be_visible(timeout=20_000)  # it came by itself, live
    page.get_by_text("Request and").first.click()
    expect(page.get_by_text("webhook-id")).to_be_visible()
    axe(page)
    look(page, "webhook")
