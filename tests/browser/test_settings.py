"""The fields of a step: values as chips, the list that {{ opens, what a text comes to, a value by one click."""

import re

import pytest
from playwright.sync_api import expect

from flows.model import Edge, Flow, NodeUse
from tests.browser.canvas_hands import ready, saved, step
from tests.factories.studio import a_document, a_flow


def a_garden():
    flow = a_document(prompt="Answer {{ question }} kindly.")
    flow.nodes.append(NodeUse("long", "logic.if", x=280, y=240, label="Is it long?"))
    flow.edges.append(Edge("write.text", "long.value"))
    return flow


@pytest.fixture
def garden(page, made, mara):
    """A flow that ran once, with the panel of its prompt open."""
    page.goto(f"/flows/{made(a_flow(mara, a_garden()))}")
    ready(page)
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    expect(step(page, "Prompt")).to_contain_text("Done")
    step(page, "Prompt").click(position={"x": 80, "y": 30})
    return page


def prompt_of(page):
    return page.get_by_role("textbox", name="Prompt", exact=True)


def test_values_are_chips_that_are_passed_and_removed_as_one_thing(garden):
    page, prompt = garden, prompt_of(garden)
    expect(page.locator(".value-chip")).to_have_text(re.compile("question"))
    prompt.focus()
    page.keyboard.press("Control+Home")
    for _ in "Answer ":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("!")
    expect(prompt).to_have_value("Answer {{ question }}! kindly.")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(prompt).to_have_value("Answer  kindly.")
    expect(page.locator(".value-chip")).to_have_count(0)
    saved(page)


def test_two_braces_open_the_values_with_what_stood_there_last(garden, axe, look):
    page, prompt = garden, prompt_of(garden)
    prompt.fill("")
    prompt.press_sequentially("Reply to {{")
    options = page.get_by_role("listbox", name="Values").get_by_role("option")
    expect(options.first).to_contain_text("question")
    expect(options.first).to_contain_text("Which tulips?")
    expect(prompt).to_have_attribute("aria-activedescendant", re.compile("values-"))
    axe(page)
    look(page, "settings-values")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("Reply to {{ question.text }}")
    expect(prompt).to_be_focused()
    expect(page.locator("output.value-preview")).to_have_text("Reply to Which tulips?")
    page.keyboard.type(" {{ inp")
    expect(options.first).to_contain_text("input.")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(prompt).to_be_focused()
    axe(page)
    look(page, "settings-prompt")


def test_a_fault_is_said_in_words_while_one_writes(garden, axe):
    page, prompt = garden, prompt_of(garden)
    prompt.fill("Answer {{ question.size( }}")
    expect(page.locator("output.value-preview")).to_contain_text("can't be read")
    expect(page.locator(".value-chip--fault")).to_have_count(1)
    axe(page)
    prompt.fill("Answer {{ size(question.text) }}")
    expect(page.locator("output.value-preview")).to_have_text("Answer 13")
    expect(page.locator(".value-chip--fault")).to_have_count(0)


def test_one_click_on_a_value_of_the_last_run_puts_it_into_the_text(garden, axe, look):
    page, prompt = garden, prompt_of(garden)
    prompt.fill("Dear visitor, ")
    page.get_by_role("tab", name="Input").click()
    expect(page.get_by_text("Click a value to put it into “Prompt”.")).to_be_visible()
    axe(page)
    look(page, "settings-pick")
    page.get_by_role("button", name="message Which tulips?").click()
    expect(prompt).to_have_value("Dear visitor, {{ input.message }}")
    expect(prompt).to_be_focused()
    saved(page)


def test_a_condition_is_built_as_a_sentence_and_says_what_it_comes_to(garden, axe, look):
    page = garden
    expect(page.locator('[data-part="drawer"]').get_by_text("Done", exact=True).first).to_be_visible()  # all of it ran
    step(page, "Is it long?").click(position={"x": 80, "y": 30})
    page.get_by_role("button", name="Condition", exact=True).click()
    value = page.get_by_role("textbox", name="Value", exact=True).first
    expect(value).to_be_focused()
    expect(value).to_have_value("value")
    compared = page.get_by_role("combobox", name="Comparison").first
    expect(compared.locator("option:not([hidden])")).to_have_count(21)  # those for a text
    compared.select_option("begins with")
    page.get_by_role("textbox", name="Compared with").first.fill("Answer")
    said = page.locator(".sentence__said output")
    expect(said).to_have_text("yes")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_role("combobox", name="Comparison").nth(1).select_option("has more than")
    other = page.get_by_role("textbox", name="Compared with").nth(1)
    expect(other).to_have_attribute("aria-invalid", "true")
    other.fill("900")
    expect(said).to_have_text("no")
    page.get_by_role("combobox", name="How many must hold").select_option("any")
    expect(said).to_have_text("yes")
    saved(page)
    axe(page)
    look(page, "settings-condition")
    page.locator("summary", has_text="As an expression").click()
    source = page.get_by_role("textbox", name="When: expression")
    expect(source).to_have_value('value.startsWith("Answer") || size(value) > 900')
    page.get_by_role("button", name="And …").click()
    expect(source).to_have_value('(value.startsWith("Answer") || size(value) > 900) && value == ""')
    saved(page)
    page.reload()
    ready(page)
    step(page, "Is it long?").click(position={"x": 80, "y": 30})
    expect(page.get_by_role("group", name="Condition")).to_have_count(3)
    page.get_by_role("button", name="Remove this condition").last.click()
    expect(page.get_by_role("group", name="Condition")).to_have_count(2)
    expect(page.get_by_role("combobox", name="How many must hold")).to_have_value("any")


def test_an_expression_that_is_no_sentence_stays_one_and_is_written_with_the_same_list(garden):
    page = garden
    step(page, "Is it long?").click(position={"x": 80, "y": 30})
    page.locator("summary", has_text="As an expression").click()
    field = page.get_by_role("textbox", name="When: expression")
    field.press_sequentially("val")
    page.keyboard.press("Enter")
    expect(field).to_have_value("value")
    page.keyboard.type(".si")
    page.keyboard.press("Enter")
    page.keyboard.type(" > 3 ? true : false")
    expect(field).to_have_value("value.size() > 3 ? true : false")
    expect(page.locator("output.value-preview", has_text="yes").first).to_be_visible()
    saved(page)
    page.reload()
    ready(page)
    step(page, "Is it long?").click(position={"x": 80, "y": 30})
    expect(page.get_by_text("This expression says more than the sentence can.")).to_be_visible()
    expect(page.get_by_role("textbox", name="When: expression")).to_have_value("value.size() > 3 ? true : false")


def test_a_marked_setting_stands_on_the_settings_page_and_is_set_there(garden, axe, look):
    page = garden
    prompt_of(page).hover()
    page.get_by_role("button", name="Prompt: on the settings page").click()
    expect(page.get_by_role("button", name="Prompt: on the settings page")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("On the settings page as").fill("Tone of the answer")
    saved(page)
    axe(page)
    look(page, "settings-marked")
    page.goto(page.url.split("?")[0].split("#")[0].rstrip("/") + "/settings-form")
    tone = page.get_by_role("textbox", name="Tone of the answer")
    expect(tone).to_have_value("Answer {{ question }} kindly.")
    axe(page)
    look(page, "settings-page")
    tone.fill("Answer {{ question }} in verse.")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    expect(tone).to_have_value("Answer {{ question }} in verse.")


def test_a_model_is_chosen_from_a_list_with_search_and_price(page, made, mara, axe, look):
    page.goto(f"/flows/{made(a_flow(mara, Flow(nodes=[NodeUse('think', 'ai.chat', label='Think')])))}")
    ready(page)
    step(page, "Think").click(position={"x": 80, "y": 20})
    model = page.locator("choice-picker .picker")
    model.focus()
    page.keyboard.press("Enter")
    search = page.get_by_role("combobox", name="Search: Model")
    expect(search).to_be_focused()
    options = page.get_by_role("listbox", name="Model").get_by_role("option")
    expect(options.filter(has_text=re.compile("free|an answer|price unknown")).first).to_be_visible()
    axe(page)
    look(page, "settings-model")
    page.keyboard.press("Escape")
    expect(model).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(model).not_to_contain_text("The workspace’s model")
    saved(page)
    back = page.get_by_role("button", name="Model: back to the default")
    expect(back).to_be_visible()
    back.click()
    expect(model).to_contain_text("The workspace’s model")
    expect(back).to_be_hidden()


def test_a_connection_is_made_beside_the_step_that_needs_it(page, made, mara, fake, axe, look):
    call = NodeUse("call", "connect.http", label="Call the shop", settings={"url": "https://shop.example/"})
    page.goto(f"/flows/{made(a_flow(mara, Flow(nodes=[call])))}")
    ready(page)
    step(page, "Call the shop").click(position={"x": 80, "y": 20})
    page.get_by_role("textbox", name="Address").fill("https://shop.example/orders")
    page.get_by_role("button", name="Make a connection").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Who should answer?")).to_be_focused()
    axe(page)
    look(page, "connect-providers")
    dialog.get_by_role("button", name=re.compile("OpenAI-compatible")).focus()
    page.keyboard.press("Enter")
    dialog.get_by_label("Name").fill("The shop")
    dialog.get_by_label("Address").fill(fake.url)
    dialog.get_by_label(re.compile("^Key")).fill("sk-canary-0123456789")
    axe(page)
    look(page, "connect-form")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Use it here")).to_be_focused()
    axe(page)
    look(page, "connect-made")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    chosen = page.locator('[data-field="connection"] select')
    expect(chosen.locator("option:checked")).to_have_text("The shop")
    expect(page.get_by_role("textbox", name="Address")).to_have_value("https://shop.example/orders")
    saved(page)
    assert "canary" not in page.content()
    page.get_by_role("button", name="Make a connection").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Make a connection")).to_be_focused()


def test_an_answer_shape_is_built_field_by_field_and_from_a_sample(page, made, mara, axe, look):
    page.goto(f"/flows/{made(a_flow(mara, Flow(nodes=[NodeUse('think', 'ai.chat', label='Think')])))}")
    ready(page)
    step(page, "Think").click(position={"x": 80, "y": 20})
    shape = page.locator('[data-field="answer"]')
    shape.get_by_role("button", name="Field", exact=True).click()
    expect(shape.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("order")
    shape.get_by_role("combobox", name="Type").select_option("Object")
    shape.get_by_role("button", name="Field inside").first.click()
    page.keyboard.type("total")
    shape.get_by_role("combobox", name="Type").nth(1).select_option("Number")
    shape.get_by_role("textbox", name="Meaning").nth(1).fill("Without tax")
    saved(page)
    expect(step(page, "Think")).to_contain_text("order")
    axe(page)
    look(page, "settings-schema")
    shape.get_by_text("As JSON Schema").click()
    source = shape.get_by_role("textbox", name="Fixed answer shape: JSON Schema")
    expect(source).to_have_value(re.compile('"total":{"type":"number","description":"Without tax"}'))
    shape.get_by_text("From a sample").click()
    shape.get_by_role("textbox", name="A sample, as JSON").fill('{"city": "Ulm", "tags": ["a"]}')
    shape.get_by_role("button", name="Make the fields of it").click()
    expect(page.locator('[data-field="answer"]').get_by_role("textbox", name="Name")).to_have_count(2)
    expect(step(page, "Think")).to_contain_text("city")
    saved(page)
    page.reload()
    ready(page)
    step(page, "Think").click(position={"x": 80, "y": 20})
    expect(page.locator('[data-field="answer"]').get_by_role("checkbox", name="List").nth(1)).to_be_checked()


def test_a_secret_is_kept_beside_the_header_it_goes_into_and_the_flow_holds_its_name(page, made, mara, axe, look):
    call = NodeUse("call", "connect.http", label="Call", settings={"url": "https://shop.example/"})
    page.goto(f"/flows/{made(a_flow(mara, Flow(nodes=[call])))}")
    ready(page)
    step(page, "Call").click(position={"x": 80, "y": 20})
    field = page.locator('[data-field="secrets"]')
    field.get_by_role("button", name="Add").click()
    field.get_by_role("button", name="New secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Shop key")
    dialog.get_by_label("Value").fill("sk-canary-0123456789abcd")
    axe(page)
    look(page, "secret-dialog")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    chosen = field.get_by_role("combobox", name="Secret")
    expect(chosen).to_be_focused()
    expect(chosen).to_have_value("Shop key")
    saved(page)
    page.reload()
    ready(page)
    step(page, "Call").click(position={"x": 80, "y": 20})
    expect(field.get_by_role("combobox", name="Secret").locator("option:checked")).to_have_text(
        re.compile(r"Shop key · set on .*, ends in abcd")
    )
    assert "canary" not in page.content()
    axe(page)
    look(page, "settings-secret")
    field.get_by_role("button", name="Replace").click()
    expect(dialog.get_by_role("heading", name="Another value for “Shop key”")).to_be_visible()


def test_a_file_is_put_in_where_it_is_needed_shown_replaced_and_taken_away(page, made, mara, axe, look):
    page.goto(f"/flows/{made(a_flow(mara, Flow(nodes=[NodeUse('logo', 'data.file', label='Logo')])))}")
    ready(page)
    step(page, "Logo").click(position={"x": 80, "y": 20})
    field = page.locator('[data-field="file"]')
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
    )
    field.locator("input[type=file]").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": pixel})
    expect(field.locator("[data-file-name]")).to_have_text("logo.png")
    expect(field.locator("img")).to_be_visible()
    expect(step(page, "Logo")).to_contain_text("logo.png")
    saved(page)
    page.reload()
    ready(page)
    step(page, "Logo").click(position={"x": 80, "y": 20})
    expect(field.locator("[data-file-about]")).to_contain_text("image/png")
    axe(page)
    look(page, "settings-file")
    field.get_by_role("button", name="Take this file away").click()
    expect(field.locator("[data-card]")).to_be_hidden()
    saved(page)
    expect(step(page, "Logo")).to_contain_text("No file yet")
