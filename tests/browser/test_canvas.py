"""The canvas: flows built by mouse and by keyboard, kept, undone, tried and published."""

import re

import pytest
from playwright.sync_api import Page, expect

from flows.model import Edge, Flow, NodeUse
from tests.browser.canvas_hands import drag, eventually, port, ready, reloaded, saved, step, wires
from tests.doubles.openai_script import Answer
from tests.factories.studio import a_document

ANSWER = "Yellow lower leaves in June mostly mean too little magnesium. Mix a spoon of Epsom salt into the water."


def add_by_name(page: Page, name: str) -> None:
    page.keyboard.press("a")
    expect(page.get_by_role("textbox", name="Find a step")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(step(page, name)).to_be_focused()


def picker_of(page: Page):
    return page.get_by_role("dialog", name="Choose")


EMPTY = Flow(name="Fresh")


def test_a_flow_is_built_with_the_mouse_and_is_there_after_a_reload(opened_flow):
    page = opened_flow(EMPTY)
    page.get_by_role("main").get_by_text("What starts this flow?").wait_for()
    page.locator(".canvas__empty").get_by_role("button", name="Add a step").click()
    palette = page.get_by_role("dialog", name="Add a step")
    palette.get_by_role("button", name="Chat message").click()
    palette.get_by_role("button", name="Language model").click()
    palette.get_by_role("textbox").fill("answer")
    source = palette.get_by_role("button", name=re.compile("^Answer Gives the result")).bounding_box()
    page.mouse.move(source["x"] + 30, source["y"] + 12)
    page.mouse.down()
    page.mouse.move(700, 600, steps=5)
    page.mouse.move(1100, 650, steps=5)
    page.mouse.up()
    palette.get_by_role("button", name="Close").click()
    expect(step(page, "Answer")).to_be_visible()
    drag(page, port(page, "Language model", "out", "Answer"), port(page, "Answer", "in", "Text"))
    saved(page)
    before = wires(page)
    assert len(before) == 2
    assert wires(reloaded(page)) == before
    expect(page.get_by_role("group", name=re.compile("Chat message|Language model|Answer"))).to_have_count(3)


def test_a_flow_is_built_and_arranged_by_keyboard_only(opened_flow):
    page = opened_flow(EMPTY)
    keys = page.keyboard
    for name in ("Chat message", "Language model", "Answer"):
        add_by_name(page, name)
    saved(page)
    assert len(wires(page)) == 2, "a step is wired after the one that was selected"
    keys.press("Alt+ArrowLeft")
    expect(step(page, "Language model")).to_be_focused()
    keys.press("Shift+ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_role("textbox", name="Name of this step")).to_be_focused()
    keys.press("Control+a")
    keys.type("Write the answer")
    keys.press("Escape")
    keys.press("Delete")
    expect(step(page, "Language model")).to_have_count(0)
    saved(page)
    assert len(wires(page)) == 1, "deleting kept the chain"
    keys.press("Control+z")
    expect(step(page, "Write the answer")).to_be_visible()
    step(page, "Write the answer").focus()
    keys.press("c")
    expect(picker_of(page).get_by_role("combobox")).to_be_focused()
    keys.type("history")
    keys.press("Enter")
    saved(page)
    assert len(wires(page)) == 3


def test_a_wire_that_does_not_fit_is_refused_with_the_reason_and_offers_a_step_between(opened_flow):
    document = a_document()
    document.nodes.append(NodeUse("cut", "text.split", x=280, y=240))
    page = opened_flow(document)
    before = wires(page)
    drag(page, port(page, "Split text", "out", "Chunks"), port(page, "Answer", "in", "Text"), drop=False)
    expect(page.get_by_text("needs text, this is a list")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_role("dialog", name="Choose")).to_contain_text("Put a step between?")
    page.keyboard.press("Escape")
    assert wires(page) == before


def test_a_wire_dropped_on_empty_ground_lists_the_steps_that_fit(opened_flow):
    page = opened_flow()
    a = port(page, "Prompt", "out", "Text").bounding_box()
    page.mouse.move(a["x"] + 9, a["y"] + 9)
    page.mouse.down()
    page.mouse.move(a["x"] + 60, a["y"] + 200, steps=6)
    page.mouse.up()
    picker = page.get_by_role("dialog", name="Choose")
    expect(picker).to_contain_text("Which step comes next?")
    picker.get_by_role("combobox").fill("split")
    page.keyboard.press("Enter")
    expect(step(page, "Split text")).to_be_focused()
    saved(page)
    assert any(
        wire.startswith("write.text>") and wire.endswith(".text") and "reply" not in wire for wire in wires(page)
    )


def test_a_step_is_inserted_into_a_wire_and_a_wire_is_cut_and_brought_back(opened_flow):
    page = opened_flow()
    reply, write = step(page, "Answer").bounding_box(), step(page, "Prompt").bounding_box()
    out = port(page, "Prompt", "out", "Text").bounding_box()
    into = port(page, "Answer", "in", "Text").bounding_box()
    middle = ((out["x"] + into["x"]) / 2 + 9, (out["y"] + into["y"]) / 2 + 9)
    assert reply["x"] > write["x"]
    page.mouse.move(*middle)
    page.get_by_role("button", name="Insert a step").click()
    picker_of(page).get_by_role("combobox").fill("language")
    page.keyboard.press("Enter")
    saved(page)
    assert len(wires(page)) == 3
    page.keyboard.press("Control+z")
    expect(step(page, "Language model")).to_have_count(0)
    page.mouse.move(*middle)
    page.get_by_role("button", name="Remove this wire").click()
    expect(page.get_by_text("Wire removed.").first).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    eventually(page, lambda: "write.text>reply.text" in wires(page))
    saved(page)


def test_undo_works_after_a_reload(opened_flow):
    page = opened_flow()
    step(page, "Prompt").focus()
    page.keyboard.press("Delete")
    expect(step(page, "Prompt")).to_have_count(0)
    saved(page)
    reloaded(page)
    page.get_by_role("button", name="Undo").click()
    expect(step(page, "Prompt")).to_be_visible()
    page.get_by_role("button", name="Redo").click()
    expect(step(page, "Prompt")).to_have_count(0)


def test_edits_made_without_a_network_are_kept_over_a_reload_and_sent_later(opened_flow, expected):
    expected += ["net::ERR_FAILED", "Failed to fetch"]
    page = opened_flow()
    page.route("**/ops", lambda route: route.abort())
    step(page, "Prompt").focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.locator('[data-part="save-state"]')).to_contain_text("Offline, 1 change kept here")
    page.unroute("**/ops")
    y = step(page, "Prompt").get_attribute("data-y")
    with page.expect_response("**/ops"):
        reloaded(page)
    saved(page)
    reloaded(page)
    assert float(step(page, "Prompt").get_attribute("data-y")) == float(y) + 120


def test_what_a_tab_could_not_send_is_sent_by_its_copy_when_it_is_closed(opened_flow, expected):
    expected += ["net::ERR_FAILED", "Failed to fetch"]
    page = opened_flow()
    page.route("**/ops", lambda route: route.abort())
    with page.expect_popup() as opening:
        page.evaluate("window.open(location.href)")  # a copy has the name of this tab, too, and takes another
    copy = opening.value
    ready(copy)
    step(page, "Prompt").focus()
    page.keyboard.press("Delete")
    expect(page.locator('[data-part="save-state"]')).to_contain_text("Offline")
    expect(step(copy, "Prompt")).to_be_visible()
    page.close()
    expect(step(copy, "Prompt")).to_have_count(0)
    saved(copy)
    expect(step(reloaded(copy), "Prompt")).to_have_count(0)


def test_settings_are_saved_while_typing_and_faults_stand_at_the_field(opened_flow):
    document = a_document()
    document.nodes.append(NodeUse("cut", "text.split", x=280, y=240))
    page = opened_flow(document)
    step(page, "Split text").click(position={"x": 80, "y": 30})
    size = page.get_by_role("spinbutton", name="Chunk size")
    size.fill("0")
    expect(page.get_by_text("1 or more.")).to_be_visible()
    expect(size).to_have_attribute("aria-invalid", "true")
    size.fill("500")
    expect(page.get_by_text("1 or more.")).to_be_hidden()
    expect(step(page, "Split text")).to_contain_text("500")
    saved(page)
    reloaded(page)
    step(page, "Split text").click(position={"x": 80, "y": 30})
    expect(page.get_by_role("spinbutton", name="Chunk size")).to_have_value("500")


def test_a_value_is_put_into_a_prompt_and_becomes_an_input(opened_flow):
    page = opened_flow()
    step(page, "Prompt").click(position={"x": 80, "y": 30})
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    prompt.fill("Kindly: ")
    prompt.press("End")
    page.get_by_role("button", name="Insert a value into Prompt").click()
    page.get_by_role("dialog", name="Choose").get_by_role("option").first.click()
    expect(prompt).to_have_value(re.compile(r"^Kindly: \{\{ .+ \}\}$"))


def test_steps_are_copied_and_pasted_with_their_wires(opened_flow):
    page = opened_flow()
    step(page, "Answer").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    expect(page.locator('[data-part="said"]')).to_contain_text("3 steps copied")
    page.keyboard.press("Control+v")
    expect(page.get_by_role("group", name="Prompt", exact=True)).to_have_count(2)
    saved(page)
    assert len(wires(page)) == 4
    page.keyboard.press("Control+z")
    expect(page.get_by_role("group", name="Prompt", exact=True)).to_have_count(1)


def test_many_steps_are_selected_with_a_box_and_moved_together(opened_flow):
    page = opened_flow()
    canvas = page.locator("flow-canvas").bounding_box()
    first, last = step(page, "Chat message").bounding_box(), step(page, "Answer").bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(first["x"] - 20, first["y"] - 30)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] + 10, first["y"] + first["height"] + 20, steps=6)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator(".node[data-selected]")).to_have_count(3)
    page.mouse.move(first["x"] + 80, first["y"] + 30)
    page.mouse.down()
    page.mouse.move(first["x"] + 80, first["y"] + 126, steps=4)
    page.mouse.up()
    saved(page)
    after = step(page, "Answer").bounding_box()
    assert after["y"] - last["y"] == pytest.approx(96, abs=8)
    assert canvas["width"] > 1000


def test_a_step_is_dragged_into_a_container_and_moves_with_it(opened_flow):
    document = a_document()
    document.nodes.append(NodeUse("loop", "logic.each", x=0, y=260, w=480, h=240, settings={}))
    page = opened_flow(document)
    prompt, loop = step(page, "Prompt").bounding_box(), step(page, "For each").bounding_box()
    page.mouse.move(prompt["x"] + 80, prompt["y"] + 30)
    page.mouse.down()
    page.mouse.move(loop["x"] + 200, loop["y"] + 90, steps=8)
    page.mouse.up()
    saved(page)
    expect(step(page, "Prompt")).to_have_attribute("data-parent", "loop")
    inside = step(page, "Prompt").bounding_box()
    page.mouse.move(loop["x"] + 150, loop["y"] + 30)
    page.mouse.down()
    page.mouse.move(loop["x"] + 150, loop["y"] + 78, steps=4)
    page.mouse.up()
    saved(page)
    assert step(page, "Prompt").bounding_box()["y"] - inside["y"] == pytest.approx(48, abs=8)


def assistant() -> Flow:
    return Flow(
        name="Garden support assistant",
        nodes=[
            NodeUse("ask", "start.chat", label="Visitor asks"),
            NodeUse("say", "ai.chat", x=288, y=0, label="Write the answer",
                    settings={"instructions": "You answer for a garden centre. Be brief, warm and practical."}),
            NodeUse("reply", "show.answer", x=624, y=16, label="Reply to visitor"),
            NodeUse("note", "note.note", x=0, y=240, settings={"text": "Spring rush\nOrders come first."}),
        ],
        edges=[Edge("ask.message", "say.message"), Edge("say.text", "reply.text")],
    )  # fmt: skip


def test_a_run_shows_states_and_the_text_while_it_comes(opened_flow, fake, look):
    fake.always(Answer(text=ANSWER, first_token_ms=400, tokens_per_second=12))
    page = opened_flow(assistant())
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("My leaves are yellow. What helps?")
    page.keyboard.press("Enter")
    model = step(page, "Write the answer")
    expect(model).to_have_attribute("data-status", "running")
    expect(model).to_contain_text("Running")
    expect(model.get_by_text(re.compile("lower leaves"))).to_be_visible()
    page.screenshot(path="tests/browser/shots/canvas-running.png", animations="disabled")
    expect(page.get_by_role("list", name="The talk")).to_contain_text("Epsom salt into the water.")
    expect(model).to_have_attribute("data-status", "succeeded")
    expect(model).to_contain_text("Done")
    expect(page.get_by_role("region", name="Run", exact=True)).to_contain_text("Write the answer")
    model.click(position={"x": 80, "y": 30})
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_role("tabpanel", name="Output")).to_contain_text("Epsom salt")
    page.get_by_role("tab", name="Input").click()
    expect(page.get_by_role("tabpanel", name="Input")).to_contain_text("My leaves are yellow")
    reloaded(page)
    expect(step(page, "Write the answer")).to_contain_text("Done")
    look(page, "canvas-done")


def test_a_failed_step_says_why_on_its_card(opened_flow, fake):
    fake.always(Answer(status=400, error="This model is on holiday."))
    page = opened_flow(assistant())
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Hello")
    page.keyboard.press("Enter")
    expect(step(page, "Write the answer")).to_have_attribute("data-status", "failed")
    expect(step(page, "Write the answer").get_by_role("button", name="Open settings")).to_be_visible()


def test_what_is_left_to_fix_jumps_to_the_step(opened_flow):
    document = a_document()
    document.nodes.append(NodeUse("cut", "text.split", label="Cut it up", x=280, y=240))
    page = opened_flow(document)
    page.get_by_role("button", name="1 to fix").click()
    page.get_by_role("menuitem", name=re.compile("Cut it up")).click()
    expect(page.get_by_role("textbox", name="Name of this step")).to_have_value("Cut it up")


def test_a_draft_is_published_changed_and_restored(opened_flow):
    page = opened_flow()
    page.get_by_role("button", name="Publish", exact=True).click()
    panel = page.get_by_role("complementary", name="Step")
    expect(panel.get_by_role("list", name="Changes").get_by_role("listitem")).to_have_count(3)
    panel.get_by_label("Name").fill("Opening day")
    panel.get_by_role("button", name="Publish now").click()
    expect(panel).to_contain_text("Version 1, Opening day")
    expect(page.get_by_role("banner").get_by_text("Live")).to_be_visible()
    step(page, "Prompt").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_text("Draft, 2 changes")).to_be_visible()
    page.get_by_role("button", name="Publish", exact=True).click()
    panel.get_by_role("button", name="All versions").click()
    panel.get_by_role("button", name="Restore version 1").click()
    expect(step(page, "Prompt")).to_be_visible()
    expect(page.get_by_role("banner").get_by_text("Live")).to_be_visible()
    page.get_by_role("banner").get_by_role("button", name="Undo").click()
    expect(step(page, "Prompt")).to_have_count(0)


def test_what_somebody_else_changes_appears_here(opened_flow, opened, session_of_mara):
    page = opened_flow()
    other = opened(storage_state=session_of_mara)
    other.goto(page.url)
    ready(other)
    step(other, "Prompt").click(position={"x": 80, "y": 30})
    other.get_by_role("textbox", name="Name of this step").fill("Ask kindly")
    saved(other)
    expect(step(page, "Ask kindly")).to_be_visible()


def test_the_canvas_is_accessible_and_fits_a_phone(opened_flow, axe, look):
    page = opened_flow(assistant())
    axe(page)
    look(page, "canvas")
    step(page, "Write the answer").click(position={"x": 80, "y": 30})
    expect(page.get_by_role("textbox", name="Instructions")).to_be_visible()
    axe(page)
    look(page, "canvas-panel")
    page.get_by_role("button", name="Close", exact=True).click()
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Add a step")).to_be_visible()
    axe(page)
    look(page, "canvas-palette")
