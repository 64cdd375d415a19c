"""The outline does everything that the canvas does: by keyboard alone, without scripts, on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.studio import service
from flows.model import Flow, NodeUse
from tests.browser.conftest import PHONE
from tests.factories.accounts import a_person
from tests.factories.studio import a_document, a_flow


@pytest.fixture
def person(made):
    return made(a_person())


def _press_until(page: Page, name: str, role: str = "button") -> None:
    """Tab until the thing of that name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.get_by_role(role, name=name, exact=True).and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"Tab never came to the {role} “{name}”.")


def test_a_flow_is_built_run_and_published_by_keyboard_alone(entered, person, axe, look):
    page = entered(person)
    page.goto("/start")
    page.get_by_role("button", name=re.compile("Empty canvas")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/flows/[0-9a-f-]{36}$"))
    page.goto(page.url + "/outline")
    for kind in ("Form", "Prompt", "Answer"):
        page.keyboard.press("a")
        expect(page.get_by_label("Kind of step")).to_be_focused()
        page.keyboard.type(kind)
        _press_until(page, "Add step")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=re.compile(kind))).to_be_visible()
    axe(page)
    look(page, "outline-step")
    page.get_by_role("link", name="Prompt", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Prompt", exact=True)).to_be_visible()
    _press_until(page, "Prompt", "textbox")
    page.keyboard.type("Dear {{ who }}, welcome.")
    _press_until(page, "Save")
    page.keyboard.press("Enter")
    who = page.get_by_role("combobox", name="who")
    expect(who).to_be_visible()
    who.focus()
    page.keyboard.type("Form")
    _press_until(page, "Set")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("^2 Prompt"))).to_contain_text("Form, ")
    page.keyboard.press("Escape")
    expect(page.locator("#step")).to_have_count(0)
    page.wait_for_load_state()
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Try it")).to_be_visible()
    expect(page.get_by_role("textbox", name="Text")).to_be_focused()
    page.keyboard.type("Mara")
    _press_until(page, "Run")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_text("Dear Mara, welcome.").first).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Publish").focus()
    page.keyboard.press("Enter")
    _press_until(page, "Publish now")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Published.")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_everything_works_without_scripts_on_a_phone(entered, person, made):
    flow_id = made(service.create_flow(person.actor, "Letter", a_document()))
    page = entered(person, java_script_enabled=False, viewport=PHONE)
    page.goto(f"/flows/{flow_id}/outline")
    page.get_by_role("link", name="Prompt").click()
    page.get_by_label("Name", exact=True).fill("Write kindly")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", name="Write kindly")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("link", name="Publish").click()
    expect(page.get_by_text("Nothing changed since the live version.")).to_be_visible()


def test_a_condition_and_a_shape_are_built_without_scripts(entered, person, made, axe, look):
    flow = Flow(nodes=[NodeUse("long", "logic.if", label="Is it long?"), NodeUse("think", "ai.chat", label="Think")])
    page = entered(person, java_script_enabled=False)
    flow_id = made(a_flow(person.actor, flow))
    page.goto(f"/flows/{flow_id}/outline?step=long")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_role("textbox", name="Value", exact=True).fill("order.total")
    page.get_by_label("Comparison").select_option("is greater than")
    page.get_by_label("Compared with").fill("10")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_label("Compared with").nth(1).fill("{{ order.limit }}")
    page.get_by_label("How many must hold").select_option("any")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.locator("summary", has_text="As an expression").click()
    expect(page.get_by_role("textbox", name="When: expression")).to_have_value(
        "order.total > 10 || value == order.limit"
    )
    page.goto(f"/flows/{flow_id}/outline?step=think")
    page.get_by_role("button", name="Field", exact=True).click()
    page.locator("schema-field").get_by_role("textbox", name="Name").last.fill("city")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator("schema-field").get_by_role("textbox", name="Name").last).to_have_value("city")
    shown = entered(person)
    shown.goto(f"/flows/{flow_id}/outline?step=long")
    axe(shown)
    look(shown, "outline-condition")
    shown.goto(f"/flows/{flow_id}/outline?step=think")
    axe(shown)
    look(shown, "outline-schema")
