"""What makes building quick: at the pointer, into a wire, aligned, grouped, noted, made a flow of, found, pasted."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from flows.model import Flow, NodeUse
from tests.browser.canvas_hands import eventually, middle, paste, port, pull, ready, saved, step, wires
from tests.factories.studio import a_document


def with_spare() -> Flow:
    flow = a_document()
    flow.nodes.append(NodeUse("spare", "ai.prompt", label="Spare", x=288, y=320, settings={"template": "{{ a }}!"}))
    return flow


def chosen(page: Page, *names: str) -> None:
    for name in names:
        step(page, name).focus()
        page.keyboard.press("Space")


def test_tab_adds_a_step_where_the_pointer_is(opened_flow):
    page = opened_flow()
    page.mouse.move(600, 700)
    page.mouse.move(620, 720)
    page.keyboard.press("Tab")
    picker = page.get_by_role("dialog", name="Choose")
    expect(picker).to_contain_text("Add a step")
    page.keyboard.type("split")
    page.keyboard.press("Enter")
    expect(step(page, "Split text")).to_be_focused()
    saved(page)  # the server's answer draws the card anew
    box = step(page, "Split text").bounding_box()
    assert box["x"] < 620 < box["x"] + box["width"]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(picker).to_be_hidden()


def test_a_step_dropped_on_a_wire_goes_in_between(opened_flow):
    page = opened_flow(with_spare())
    a, b = step(page, "Prompt").bounding_box(), step(page, "Answer").bounding_box()
    spare = step(page, "Spare").bounding_box()
    start = (spare["x"] + 90, spare["y"] + 30)
    wire = ((a["x"] + a["width"] + b["x"]) / 2, b["y"] + b["height"] / 2)
    pull(page, start, (wire[0] - spare["width"] / 2 + 90, wire[1] - spare["height"] / 2 + 30))
    saved(page)
    assert {"write.text>spare.a", "spare.text>reply.text"} <= set(wires(page))
    page.keyboard.press("Control+z")
    expect(page.locator('[data-part="said"]')).to_contain_text("Undone")
    assert "write.text>reply.text" in wires(page)


def test_a_wire_is_taken_by_its_end_and_wired_anew(opened_flow):
    page = opened_flow(with_spare())
    pull(page, middle(port(page, "Answer", "in", "Text")), middle(port(page, "Spare", "in", "a")))
    saved(page)
    assert wires(page) == ["ask.message>write.question", "write.text>spare.a"]
    page.keyboard.press("Control+z")
    expect(page.locator('[data-part="said"]')).to_contain_text("Undone")
    assert wires(page) == ["ask.message>write.question", "write.text>reply.text"]


def test_steps_are_aligned_spaced_and_arranged_and_each_is_one_undo(opened_flow, axe, look):
    flow = a_document()
    for node, (x, y) in zip(flow.nodes, ((0, 0), (310, 90), (900, 210)), strict=True):
        node.x, node.y = x, y
    page, names = opened_flow(flow), ("Chat message", "Prompt", "Answer")
    chosen(page, *names)
    bar = page.get_by_role("toolbar", name="Selected steps")
    expect(bar).to_contain_text("3 steps")
    axe(page)
    look(page, "canvas-selection")
    bar.get_by_role("button", name="Align top edges").click()
    saved(page)
    bar.get_by_role("button", name="Same gaps across").click()
    saved(page)
    tops = {step(page, name).bounding_box()["y"] for name in names}
    assert len(tops) == 1
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    eventually(page, lambda: len({round(step(page, name).bounding_box()["y"]) for name in names}) == 3)
    saved(page)
    bar.get_by_role("button", name="Arrange these steps").click()
    saved(page)
    xs = [step(page, name).bounding_box()["x"] for name in names]
    assert xs == sorted(xs)


def test_a_group_holds_its_steps_folds_and_is_taken_apart(opened_flow, axe, look):
    page = opened_flow()
    chosen(page, "Chat message", "Prompt")
    page.keyboard.press("g")
    group = step(page, "Group")
    expect(group).to_be_visible()
    name = page.get_by_role("textbox", name="Name of this step")
    expect(name).to_be_focused()
    name.fill("Ask and write")
    page.get_by_role("combobox", name="Colour").select_option(label="Blue")
    saved(page)
    group = step(page, "Ask and write")
    axe(page)
    look(page, "canvas-group")
    page.get_by_role("button", name="Close", exact=True).click()
    before = step(page, "Prompt").bounding_box()
    box = group.bounding_box()
    pull(page, (box["x"] + 60, box["y"] + 30), (box["x"] + 60, box["y"] + 130))
    saved(page)
    assert step(page, "Prompt").bounding_box()["y"] - before["y"] == pytest.approx(100, abs=9)
    group.focus()
    page.keyboard.press("f")
    expect(step(page, "Prompt")).to_be_hidden()
    look(page, "canvas-folded")
    saved(page)
    page.reload()
    ready(page)
    expect(step(page, "Prompt")).to_be_hidden()
    step(page, "Ask and write").focus()
    page.keyboard.press("f")
    expect(step(page, "Prompt")).to_be_visible()
    page.keyboard.press("Shift+g")
    expect(step(page, "Ask and write")).to_have_count(0)
    expect(step(page, "Prompt")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(step(page, "Ask and write")).to_be_visible()


def test_a_note_is_written_in_place_drawn_as_markdown_and_resized(opened_flow, axe, look):
    page = opened_flow()
    step(page, "Prompt").focus()
    page.keyboard.press("n")
    field = page.get_by_role("textbox", name="Text of this note, Markdown")
    expect(field).to_be_focused()
    page.keyboard.type("Spring rush\n\n- **orders** first\n- <b>no tags</b>")
    page.keyboard.press("Escape")
    note = page.locator(".node--note:not(template *)").last
    expect(note.locator("strong")).to_have_text("orders")
    expect(note.locator("b")).to_have_count(0)
    saved(page)
    axe(page)
    look(page, "canvas-note")
    box = note.bounding_box()
    pull(
        page,
        (box["x"] + box["width"] - 18, box["y"] + box["height"] - 18),
        (box["x"] + box["width"] + 82, box["y"] + box["height"] + 62),
    )
    saved(page)
    page.reload()
    ready(page)
    after = page.locator(".node--note:not(template *)").last
    assert float(after.get_attribute("data-w")) > 300
    after.focus()
    page.keyboard.press("Alt+Shift+ArrowLeft")
    saved(page)


def test_a_selection_becomes_a_flow_and_comes_back(opened_flow, look):
    page = opened_flow(with_spare())
    before = wires(page)
    chosen(page, "Prompt")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name=re.compile("Search")).or_(page.locator("command-palette input")).first.fill(
        "make a flow"
    )
    page.get_by_role("option", name=re.compile("Make a flow of the selected")).click()
    expect(page.get_by_text("is a flow of its own now").first).to_be_visible()
    expect(page.locator('.node[data-type="logic.flow"]:not(template *)')).to_have_count(1)
    saved(page)
    look(page, "canvas-subflow")
    page.locator('.node[data-type="logic.flow"]:not(template *)').focus()
    page.keyboard.press("Control+k")
    page.locator("command-palette input").fill("put the steps")
    page.get_by_role("option", name=re.compile("Put the steps of this flow back")).click()
    expect(page.locator('.node[data-type="logic.flow"]:not(template *)')).to_have_count(0)
    assert wires(page) == before


def test_what_cannot_become_a_flow_is_refused_with_the_reason(opened_flow, expected):
    expected += ["422"]
    page = opened_flow()
    chosen(page, "Chat message", "Prompt")
    page.get_by_role("toolbar", name="Selected steps").get_by_role("button", name="Make a flow of these steps").click()
    expect(page.get_by_text("starts this flow, so it stays here").first).to_be_visible()


def test_a_flow_as_text_is_pasted_and_plain_text_becomes_a_note(opened_flow, expected):
    expected += ["400", "422"]
    page = opened_flow()
    file = Flow(nodes=[NodeUse("a", "text.split", label="From afar"), NodeUse("b", "show.answer")], edges=[])
    paste(
        page,
        json.dumps(
            {
                "name": "x",
                "format": 1,
                "nodes": [{"id": n.id, "type": n.type, "label": n.label} for n in file.nodes],
                "edges": [],
            }
        ),
    )
    expect(step(page, "From afar")).to_be_visible()
    paste(page, "Call the nursery on Monday")
    expect(page.locator(".node__text", has_text="Call the nursery").first).to_be_visible()
    saved(page)
    with page.expect_response("**/paste"):
        paste(page, json.dumps({"agentbase": 1, "nodes": [{"id": "x", "type": "ai.prompt", "evil": "<img src=x>"}]}))
    expect(page.locator(".toast")).to_contain_text("needs another look")
    expect(page.locator(".node:not(template *)")).to_have_count(6)


def test_words_in_settings_are_found_and_lead_to_the_field(opened_flow, axe, look):
    flow = a_document(prompt="Answer {{ question }} like a gardener")
    page = opened_flow(flow)
    step(page, "Answer").focus()
    page.keyboard.press("Control+f")
    picker = page.get_by_role("dialog", name="Choose")
    page.keyboard.type("gardener")
    expect(picker.get_by_role("option", name=re.compile("Prompt: .*gardener"))).to_be_visible()
    axe(page)
    look(page, "canvas-find")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_be_visible()


def test_the_palette_does_what_this_page_can_do_and_goes_to_its_steps(opened_flow, axe, look):
    page = opened_flow()
    step(page, "Prompt").focus()
    page.keyboard.press("Control+k")
    field = page.locator("command-palette input")
    field.fill("answer")
    expect(page.get_by_role("option", name=re.compile("^Answer.*step"))).to_be_visible()
    axe(page)
    look(page, "canvas-commands")
    field.fill("arrange")
    page.get_by_role("option", name=re.compile("Arrange the steps")).click()
    expect(page.locator('[data-part="said"]')).to_contain_text(re.compile("arranged|in order"))


def test_a_phone_shows_the_flow_again_when_it_is_turned(opened_flow):
    page = opened_flow()
    page.mouse.move(700, 600)
    page.mouse.wheel(0, 40)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator('[data-part="zoom"]')).to_have_text("65%")  # from the beginning, large enough to read
    first = step(page, "Chat message")
    expect(first).to_be_in_viewport(ratio=0.99)
    assert first.bounding_box()["x"] >= 48
    page.get_by_role("button", name="Show everything").click()
    expect(step(page, "Answer")).to_be_in_viewport(ratio=0.99)


HEARS_AND_COULD_HAVE_CAUGHT_UP = """window.heard = new Promise(done => document.addEventListener("live", e => {
    if (e.detail.type === "flow.ops") setTimeout(done, 600)
})); undefined"""
"""What others did is told live; a page that took it over while its own edit waits would send that edit on top of it."""


def test_two_people_see_each_other_and_neither_loses_a_text(opened_flow, opened, session_of_mara, expected, look):
    expected += ["net::ERR_FAILED", "Failed to fetch", "409"]
    page = opened_flow()
    other = opened(storage_state=session_of_mara)
    other.goto(page.url)
    ready(other)
    step(other, "Prompt").click(position={"x": 80, "y": 30})
    face = page.get_by_role("group", name="Who is here").get_by_role("button")
    expect(face).to_have_count(1)
    expect(step(page, "Prompt")).to_have_attribute("data-by", re.compile("."))
    look(page, "canvas-people")
    page.route("**/ops", lambda route: route.abort())
    step(page, "Prompt").click(position={"x": 80, "y": 30})
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Mine {{ question }}")
    expect(page.locator('[data-part="save-state"]')).to_contain_text("Offline")
    page.evaluate(HEARS_AND_COULD_HAVE_CAUGHT_UP)
    other.get_by_role("textbox", name="Prompt", exact=True).fill("Theirs {{ question }}")
    saved(other)
    page.evaluate("window.heard")
    page.unroute("**/ops")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("Yours: Mine").first).to_be_visible()
    look(page, "canvas-conflict")
    page.get_by_role("button", name="Use mine").click()
    expect(step(other, "Prompt")).to_contain_text("Mine")
    other.close()
    expect(face).to_have_count(0)
