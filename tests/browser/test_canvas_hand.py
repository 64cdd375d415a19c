"""What lies close to the hand: keys for the step that has the focus, the menu, the sheet on a phone, room for steps."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.canvas_hands import eventually, middle, port, ready, saved, step, wires
from tests.browser.conftest import PHONE
from tests.factories.studio import a_document, a_flow


def menu_of(page: Page) -> Any:
    return page.locator('[data-part="menu"]')


def line(page: Page, name: str) -> Any:
    return menu_of(page).get_by_role("menuitem", name=name, exact=True)


def test_keys_add_after_the_focused_step_rename_it_in_place_and_switch_it_off(opened_flow, axe):
    page = opened_flow()
    keys = page.keyboard
    step(page, "Answer").focus()
    keys.press("Delete")
    step(page, "Prompt").focus()
    keys.press("a")
    expect(page.get_by_role("textbox", name="Find a step")).to_be_focused()
    keys.type("answer")
    keys.press("Enter")
    added = step(page, "Answer")
    expect(added).to_be_focused()
    saved(page)
    assert any(wire.startswith("write.text>") for wire in wires(page)), "wired after the step that had the focus"
    keys.press("F2")
    name = added.get_by_role("textbox", name="Name of this step")
    expect(name).to_be_focused()
    keys.type("Say it")
    keys.press("Enter")
    said = step(page, "Say it")
    expect(said).to_be_focused()
    keys.press("F2")
    keys.type("No, nothing")
    keys.press("Escape")
    expect(said).to_be_focused()
    saved(page)
    keys.press("d")
    expect(said).to_have_attribute("aria-disabled", "true")
    saved(page)
    axe(page)
    page.reload()
    ready(page)
    expect(step(page, "Say it")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("banner").get_by_role("button", name="Undo").click()
    expect(step(page, "Say it")).not_to_have_attribute("aria-disabled", "true")


def test_the_menu_holds_what_can_be_done_with_a_step_a_wire_a_selection_and_the_ground(opened_flow, axe, look):
    page = opened_flow()
    keys = page.keyboard
    step(page, "Prompt").click(button="right", position={"x": 80, "y": 30})
    expect(line(page, "Settings of this step")).to_be_focused()
    expect(line(page, "Copy")).to_contain_text("Ctrl C")
    axe(page)
    look(page, "canvas-menu")
    keys.press("ArrowDown")
    expect(line(page, "Rename this step")).to_be_focused()
    keys.press("Escape")
    expect(menu_of(page)).to_be_hidden()
    expect(step(page, "Prompt")).to_be_focused()
    keys.press("ContextMenu")
    line(page, "Duplicate").click()
    expect(step(page, "Prompt")).to_have_count(2)
    saved(page)
    keys.press("Control+z")
    expect(step(page, "Prompt")).to_have_count(1)

    a, b = middle(port(page, "Prompt", "out", "Text")), middle(port(page, "Answer", "in", "Text"))
    page.mouse.click((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, button="right")
    expect(line(page, "Insert a step into this wire")).to_be_focused()
    keys.press("End")
    keys.press("Enter")
    expect(page.get_by_text("Wire removed.").first).to_be_visible()
    saved(page)
    assert "write.text>reply.text" not in wires(page)

    page.mouse.click(700, 760, button="right")
    line(page, "Select everything").click()
    expect(page.get_by_role("toolbar", name="Selected steps")).to_be_visible()
    step(page, "Prompt").click(button="right", position={"x": 80, "y": 30})
    line(page, "Put into a group").click()
    expect(step(page, "Group")).to_be_visible()
    page.mouse.click(500, 780, button="right")
    line(page, "Add a step here").click()
    expect(page.get_by_role("dialog", name="Choose")).to_contain_text("Add a step")


def test_steps_that_were_seen_stay_in_sight_when_a_panel_takes_their_room(opened_flow):
    page = opened_flow()
    page.mouse.move(700, 700)
    page.mouse.wheel(-260, 0)  # somebody has looked around: the last step lies at the right edge
    last, world = step(page, "Answer"), page.locator(".canvas__world")
    eventually(page, lambda: last.bounding_box()["x"] > 1100)
    before = world.get_attribute("style")
    page.keyboard.press("r")
    panel = page.get_by_role("complementary", name="Step")
    expect(panel.get_by_role("textbox", name="Your message")).to_be_focused()
    expect(last).to_be_in_viewport(ratio=0.99)  # nothing of it is cut off by the panel
    assert world.get_attribute("style") != before
    panel.get_by_role("button", name="Close").first.click()
    expect(panel).to_be_hidden()
    expect(world).to_have_attribute("style", before)  # and all goes back to where one had it


def touch(cdp: Any, kind: str, *points: tuple[float, float]) -> None:
    fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})


def test_a_phone_opens_readable_settings_come_as_a_sheet_and_a_resting_finger_asks_for_the_menu(
    opened, session_of_mara, made, mara, axe, look
):
    page = opened(storage_state=session_of_mara, has_touch=True, viewport=PHONE)
    page.goto(f"/flows/{made(a_flow(mara, a_document()))}")
    ready(page)
    first = step(page, "Chat message")
    expect(first).to_be_visible()
    assert page.evaluate("document.querySelector('flow-canvas').view.k") >= 0.65
    first.tap(position={"x": 60, "y": 20})
    panel = page.get_by_role("complementary", name="Step")
    expect(panel.get_by_role("textbox", name="Name of this step")).to_be_visible()
    handle = page.get_by_role("button", name="Make the panel larger or smaller")

    def above_the_sheet() -> bool:
        box = first.bounding_box()
        return bool(box["y"] + box["height"] <= handle.bounding_box()["y"])

    eventually(page, above_the_sheet)
    axe(page)
    page.screenshot(path="tests/browser/shots/canvas-sheet-390.png")
    half = panel.bounding_box()["height"]
    handle.press("Enter")
    expect(handle).to_have_attribute("aria-expanded", "true")
    assert panel.bounding_box()["height"] > half + 100
    handle.press("Escape")
    expect(panel).to_be_hidden()
    cdp = page.context.new_cdp_session(page)
    x, y = middle(first)
    touch(cdp, "Start", (x, y))
    expect(line(page, "Settings of this step")).to_be_visible()
    touch(cdp, "End")
    expect(line(page, "Settings of this step")).to_be_focused()
    line(page, "Remove").tap()
    expect(first).to_have_count(0)
    saved(page)
    touch(cdp, "Start", (200, 640))
    expect(page.locator("flow-canvas[data-boxing]")).to_be_attached()
    touch(cdp, "End")
    expect(line(page, "Write a note here")).to_be_visible()
    expect(menu_of(page)).to_have_attribute("aria-label", re.compile("Canvas"))
