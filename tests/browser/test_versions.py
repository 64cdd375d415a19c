"""Versions: any two side by side, walked through by keyboard, named and restored."""

import re

from playwright.sync_api import expect

from app.studio import service
from app.studio.forms import NodeConfig, NodeDelete, NodeMove
from tests.factories.accounts import a_person
from tests.factories.studio import a_batch, a_document, adding, wiring


async def _a_history(actor):
    flow = a_document(prompt="You answer for {{ question }}, briefly. Use two short lines and be friendly.")
    flow_id = await service.create_flow(actor, "Garden support", flow)
    await service.publish(actor, flow_id, "Opening day", "All of it.")
    words = "You answer for {{ question }}, warm and practical. Use three short lines and cite the page."
    edits = [
        NodeConfig("write", "template", words), adding("cut", "text.split", 560, 0), wiring("write.text", "cut.text"),
        NodeDelete("reply"), adding("out", "show.answer", 840, 60), wiring("cut.chunks", "out.data"),
        NodeMove("ask", 0, 90), adding("web", "connect.http", 560, 160, url="https://x.example"),
    ]  # fmt: skip
    await service.apply_ops(actor, flow_id, a_batch(0, *edits))
    return flow_id


def test_what_will_go_live_is_shown_in_full_and_walked_through_by_keyboard(made, entered, axe, look):
    person = made(a_person())
    flow = made(_a_history(person.actor))
    page = entered(person)
    page.goto(f"/flows/{flow}/outline?panel=publish")
    page.get_by_role("link", name="What will go live, in full").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.get_by_label("Before", exact=True)).to_have_value("1")
    page.keyboard.press("j")
    page.keyboard.press("j")
    changed = page.get_by_role("article", name="Prompt: changed")
    expect(changed).to_be_focused()
    expect(changed.locator("ins").first).to_have_text(re.compile("warm and practical"))
    page.keyboard.press("k")
    expect(page.get_by_role("article", name="Chat message: moved on the canvas")).to_be_focused()
    axe(page)
    look(page, "versions-compare")
    page.get_by_role("link", name="Answer: removed").click()
    expect(page.get_by_role("article", name="Answer: removed")).to_be_in_viewport()
    page.get_by_label("After", exact=True).select_option("1")
    expect(page.get_by_role("heading", name="Nothing is different")).to_be_visible()
    axe(page)


def test_versions_are_named_and_restored_on_their_page_also_without_scripts(made, entered, axe, look):
    person = made(a_person())
    flow = made(_a_history(person.actor))
    page = entered(person, java_script_enabled=False)
    page.goto(f"/flows/{flow}/history")
    page.get_by_text("Name and notes").click()
    page.get_by_label("Name").fill("Opening weekend")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Version 1, Opening weekend")).to_be_visible()
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("As the live version.")).to_be_visible()
    seen = entered(person)
    seen.goto(f"/flows/{flow}/history")
    axe(seen)
    look(seen, "versions-history")
