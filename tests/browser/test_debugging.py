"""Runs are taken up in the editor: a step alone, as far as a step, on from a step; by buttons and by keys."""

import pytest
from playwright.sync_api import Page, expect

from flows.model import Edge, Flow, NodeUse
from tests.browser.canvas_hands import ready, step
from tests.browser.people import owner
from tests.factories.studio import a_document, a_flow


@pytest.fixture
def tried(page: Page, made):
    """The canvas of a flow that ran once, with the step in the middle open at its input."""
    page.goto(f"/flows/{made(a_flow(made(owner()), a_document()))}")
    ready(page)
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="The talk")).to_contain_text("Answer ")
    step(page, "Prompt").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Input").click()
    return page


def test_a_step_runs_alone_with_other_values_and_those_before_keep_theirs(tried: Page, axe, look):
    page = tried
    page.get_by_text("Other values for this run").click()
    field = page.get_by_role("textbox", name="question")
    expect(field).to_have_value("Which tulips?")
    field.fill("Which roses?")
    look(page, "debug-again")
    axe(page)
    page.get_by_role("button", name="Run only this step").click()
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_role("tabpanel", name="Output")).to_contain_text("Answer Which roses?")
    expect(step(page, "Prompt")).to_have_attribute("data-status", "succeeded")


def test_to_here_and_from_here_by_keys_and_a_first_run_to_a_step_asks_what_starts_it(tried: Page):
    page = tried
    step(page, "Prompt").focus()
    page.keyboard.press("Shift+R")
    timeline = page.get_by_role("region", name="Run", exact=True)
    expect(timeline.get_by_role("rowheader")).to_have_count(2)
    expect(step(page, "Prompt")).to_have_attribute("data-status", "succeeded")
    expect(step(page, "Answer")).not_to_have_attribute("data-status", "succeeded")
    step(page, "Prompt").focus()
    page.keyboard.press("Shift+O")
    expect(timeline.get_by_role("rowheader")).to_have_count(3)
    expect(step(page, "Answer")).to_have_attribute("data-status", "succeeded")


def test_a_pinned_output_is_taken_by_tries_shown_on_the_card_and_taken_away_again(tried: Page, axe, look, expected):
    page = tried
    expected.append("422")  # an output that is none of the step
    page.get_by_role("tab", name="Output").click()
    page.get_by_text("Pin what it gives").click()
    field = page.get_by_role("textbox", name="Pinned output, as JSON")
    field.fill('{"text": 7}')
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_text("This is no output of the step")).to_be_visible()
    field.fill('{"text": "Always this"}')
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(step(page, "Prompt").get_by_text("Pinned")).to_be_attached()
    look(page, "debug-pin")
    axe(page)
    step(page, "Answer").focus()
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="The talk")).to_contain_text("Always this")
    step(page, "Prompt").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Output").click()
    page.get_by_role("button", name="Unpin").click()
    expect(step(page, "Prompt").get_by_text("Pinned")).not_to_be_attached()


def test_a_run_is_opened_in_the_editor_from_its_own_page(tried: Page):
    page = tried
    page.get_by_role("link", name="Open this run").click()
    page.get_by_role("button", name="More for this run").click()
    page.get_by_role("menuitem", name="Open in the editor").click()
    ready(page)
    expect(page.get_by_role("region", name="Run", exact=True)).to_be_visible()
    expect(step(page, "Prompt")).to_have_attribute("data-status", "succeeded")


def test_a_try_pauses_before_a_step_shows_and_takes_values_and_goes_on(tried: Page, axe, look):
    page = tried
    step(page, "Prompt").focus()
    page.keyboard.press("b")
    expect(step(page, "Prompt").get_by_text("Breakpoint")).to_be_attached()
    page.reload()
    ready(page)
    expect(step(page, "Prompt").get_by_text("Breakpoint")).to_be_attached()
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    bar = page.get_by_role("toolbar", name="Paused run")
    expect(bar).to_contain_text("Paused before Prompt")
    expect(step(page, "Prompt")).to_contain_text("Paused here")
    bar.get_by_role("button", name="Paused before Prompt").click()
    form = page.get_by_role("form", name="Paused before this step")
    field = form.get_by_role("textbox", name="question")
    expect(field).to_have_value("Which tulips?")
    page.mouse.move(700, 600)
    expect(page.get_by_role("tooltip")).to_be_hidden()
    look(page, "debug-paused")
    axe(page)
    page.reload()
    ready(page)
    bar.get_by_role("button", name="Paused before Prompt").click()
    field.fill("Which roses?")
    form.get_by_role("button", name="Go on").click()
    expect(step(page, "Answer")).to_have_attribute("data-status", "succeeded")
    expect(bar).to_be_hidden()
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_role("tabpanel", name="Output")).to_contain_text("Answer Which roses?")
    step(page, "Prompt").get_by_text("Breakpoint").locator("..").click()
    expect(step(page, "Prompt").get_by_text("Breakpoint")).not_to_be_attached()


def test_a_paused_run_goes_by_one_step_by_key_skips_and_stops(tried: Page):
    page = tried
    for name in ("Prompt", "Answer"):
        step(page, name).focus()
        page.keyboard.press("b")
        expect(step(page, name).get_by_text("Breakpoint")).to_be_attached()
    bar = page.get_by_role("toolbar", name="Paused run")
    for deed, status in (("Skip this step", "skipped"), ("Stop the run", "cancelled")):
        page.keyboard.press("Escape")
        step(page, "Prompt").focus()
        page.keyboard.press("Shift+R")
        expect(bar).to_contain_text("Paused before Prompt")
        page.keyboard.press("Escape")
        step(page, "Prompt").focus()
        page.keyboard.press("F10")
        expect(step(page, "Prompt")).to_have_attribute("data-status", "succeeded")
        step(page, "Answer").focus()
        page.keyboard.press("Shift+R")
        expect(bar).to_contain_text("Paused before Prompt")
        page.keyboard.press("F8")
        expect(bar).to_contain_text("Paused before Answer")
        bar.get_by_role("button", name=deed).click()
        expect(step(page, "Answer")).to_have_attribute("data-status", status)
        expect(bar).to_be_hidden()


ORDERS = """{"orders": [{"sku": "tulip", "n": 12, "note": "red"}, {"sku": "rose", "n": 3, "note": "# Thorny"}],
"about": "# Spring\\n\\n- **bulbs**", "deep": {"list": [1, {"found": "needle"}]}}"""


@pytest.fixture
def values(page: Page, made):
    """The panel of a step that got and gave tables, Markdown and deep values."""
    fields = [{"name": "done", "text": "yes"}]
    flow = Flow(
        [
            NodeUse("start", "start.api", x=0, y=0),
            NodeUse("set", "data.set", label="Fill in", x=300, y=0, settings={"fields": fields}),
            NodeUse("answer", "show.answer", x=600, y=0),
        ],
        [Edge("start.input", "set.object"), Edge("set.object", "answer.data")],
        name="Orders",
    )
    page.goto(f"/flows/{made(a_flow(made(owner()), flow))}")
    ready(page)
    page.keyboard.press("r")
    page.get_by_role("textbox", name="What starts the run, as JSON").fill(ORDERS)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(step(page, "Fill in")).to_have_attribute("data-status", "succeeded")
    step(page, "Fill in").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Output").click()
    return page


def test_values_are_read_as_table_tree_and_type_and_compared_with_the_run_before(values: Page, axe, look):
    page = values
    output = page.get_by_role("tabpanel", name="Output")
    expect(output.get_by_role("columnheader", name="sku")).to_be_visible()
    output.get_by_text("JSON", exact=True).click()
    look(page, "debug-tree")
    find = output.get_by_role("searchbox", name="Find a name or a value")
    find.fill("needle")
    expect(output.get_by_text("1 found")).to_be_visible()
    expect(output.get_by_role("button", name="Copy the path object.deep.list[1].found")).to_be_attached()
    axe(page)
    output.get_by_text("Schema", exact=True).click()
    expect(output.get_by_text("sku: text")).to_be_visible()
    output.get_by_text("Compare with the run before").click()
    expect(output.get_by_text("There is no run of this flow before it.")).to_be_visible()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_role("tabpanel", name="Log")).to_contain_text("The step said nothing.")


def test_a_table_on_the_runs_page_is_sorted_loses_columns_and_is_a_file(values: Page, look):
    page = values
    page.get_by_role("link", name="Open this run").click()
    page.get_by_role("link", name="Fill in").click()
    grid = page.get_by_role("group", name="Table, 2 rows").first
    look(page, "run-table")
    first = grid.get_by_role("row").nth(1)
    expect(first).to_contain_text("tulip")
    grid.get_by_role("button", name="n", exact=True).click()
    expect(first).to_contain_text("rose")
    grid.get_by_role("button", name="n", exact=True).click()
    expect(first).to_contain_text("tulip")
    foot = page.locator("value-table").first
    foot.get_by_text("Columns").click()
    foot.get_by_role("checkbox", name="note").uncheck()
    expect(grid.get_by_role("columnheader", name="note")).to_be_hidden()
    with page.expect_download() as file:
        foot.get_by_role("link", name="CSV").click()
    assert file.value.suggested_filename.endswith(".csv")


def test_the_talk_stays_is_edited_and_names_the_steps_that_answered(tried: Page, look):
    page = tried
    page.keyboard.press("Escape")
    step(page, "Prompt").focus()
    page.keyboard.press("r")
    talk = page.get_by_role("list", name="The talk")
    expect(talk).to_contain_text("Which tulips?")
    page.get_by_role("button", name="Edit and send again").click()
    box = page.get_by_role("textbox", name="Your message")
    expect(box).to_have_value("Which tulips?")
    box.fill("Which roses?")
    page.keyboard.press("Enter")
    expect(talk).to_contain_text("Answer Which roses?")
    expect(talk).not_to_contain_text("tulips")
    expect(talk.get_by_role("button", name="Prompt")).to_be_visible()
    look(page, "debug-talk")
    page.get_by_role("button", name="Begin a new talk").click()
    expect(talk).not_to_contain_text("roses")


def test_steps_are_coloured_by_their_share_of_the_time(tried: Page):
    page = tried
    step(page, "Prompt").focus()
    page.keyboard.press("Shift+H")
    expect(page.locator(".node[data-heat]").first).to_be_attached()
    for _ in range(3):
        page.keyboard.press("Shift+H")
    expect(page.locator(".node[data-heat]")).to_have_count(0)


LABEL = Flow(
    [
        NodeUse("form", "start.form", x=0, y=0, settings={"title": "A label", "button": "Print", "fields": [
            {"name": "plant", "label": "Plant", "help": "As it stands on the label."},
            {"name": "weight", "label": "Weight", "kind": "number", "unit": "kg"},
            {"name": "kind", "label": "Kind", "kind": "choice", "choices": ["rose", "tulip"], "required": False},
            {"name": "more", "label": "More", "kind": "object", "required": False},
        ]}),
        NodeUse("rows", "data.set", x=280, y=0, settings={
            "fields": [{"name": "label", "text": "{{ plant }}, {{ weight }} kg"}],
        }),
        NodeUse("reply", "show.answer", x=560, y=0),
    ],
    [Edge("form.plant", "rows.plant"), Edge("form.weight", "rows.weight"), Edge("rows.object", "reply.data")],
    name="Labels",
)  # fmt: skip


def test_a_form_is_tried_with_its_real_fields_says_what_is_wrong_where_and_takes_the_same_input_again(
    page: Page, made, axe, look
):
    page.goto(f"/flows/{made(a_flow(made(owner()), LABEL))}")
    ready(page)
    page.keyboard.press("r")
    panel = page.get_by_role("region", name="Try it")
    plant, more = panel.get_by_label("Plant"), panel.get_by_label("More")
    expect(plant).to_be_focused()
    more.fill("[1]")
    panel.get_by_role("button", name="Print").click()
    expect(panel.get_by_text("Fill this in.")).to_have_count(2)
    expect(panel.get_by_text("This is no object.")).to_be_visible()
    expect(plant).to_be_focused()
    look(page, "try-form")
    axe(page)
    plant.fill("Queen")
    panel.get_by_label("Weight").fill("3")
    panel.get_by_label("Kind").select_option("tulip")
    more.fill("")
    panel.get_by_role("button", name="Print").click()
    result = panel.get_by_role("region", name="Result")
    expect(result).to_contain_text("Queen, 3 kg")
    look(page, "try-form-result")
    axe(page)
    page.reload()
    ready(page)
    page.keyboard.press("t")
    expect(result).to_contain_text("Queen, 3 kg")
    expect(panel.get_by_label("Kind")).to_have_value("tulip")
    plant.fill("King")
    panel.get_by_role("button", name="Print").click()
    expect(result).to_contain_text("King, 3 kg")


def test_each_comparison_of_a_condition_says_whether_it_holds_while_it_is_written(page: Page, made, axe, look):
    flow = a_document()
    when = 'question.text == "Which tulips?" && size(input.history) > 3'
    flow.nodes.append(NodeUse("if", "logic.if", label="Tulips?", x=280, y=240, settings={"expression": when}))
    flow.edges.append(Edge("ask.message", "if.question"))
    page.goto(f"/flows/{made(a_flow(made(owner()), flow))}")
    ready(page)
    expect(step(page, "Tulips?")).to_contain_text("question.text is Which tulips? and input.history has more than 3")
    page.keyboard.press("r")
    page.get_by_role("textbox", name="Your message").fill("Which tulips?")
    page.keyboard.press("Enter")
    expect(step(page, "Tulips?")).to_have_attribute("data-status", "succeeded")
    step(page, "Tulips?").focus()
    page.keyboard.press("Enter")
    clauses = page.get_by_role("group", name="Condition", exact=True)
    first, second = (clauses.nth(n).get_by_role("status", name="Now") for n in (0, 1))
    expect(first).to_have_text("yesWhich tulips?")
    expect(second).to_have_text("no[]")
    look(page, "condition-now")
    axe(page)
    clauses.nth(1).get_by_role("textbox", name="Compared with").fill("-1")
    expect(second).to_have_text("yes[]")


def test_a_talk_of_before_is_gone_on_with_after_a_reload_and_from_the_list(tried: Page, axe, look):
    page = tried
    page.keyboard.press("Escape")
    step(page, "Prompt").focus()
    page.keyboard.press("r")
    talk = page.get_by_role("list", name="The talk")
    good = talk.get_by_role("button", name="Good answer")
    why = talk.get_by_role("textbox", name="Why, optional")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(good).to_be_focused()
    why.fill("Just what I meant")
    why.press("Enter")
    expect(talk.get_by_role("button", name="Save")).to_be_focused()
    page.reload()
    ready(page)
    page.keyboard.press("r")
    expect(talk.get_by_role("listitem")).to_have_count(3)
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(why).to_have_value("Just what I meant")
    talk.get_by_role("button", name="Bad answer").click()
    expect(good).to_have_attribute("aria-pressed", "false")
    expect(talk).to_contain_text("Answer Which tulips?")
    page.get_by_role("button", name="Begin a new talk").click()
    expect(talk.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("textbox", name="Your message").fill("Which roses?")
    page.keyboard.press("Enter")
    expect(talk).to_contain_text("Answer Which roses?")
    page.get_by_role("button", name="Talks before").click()
    page.mouse.move(500, 600)
    expect(page.get_by_role("tooltip")).to_be_hidden()
    look(page, "try-talks")
    axe(page)
    page.get_by_role("menuitem", name="Which tulips?").click()
    expect(talk).to_contain_text("Answer Which tulips?")
    expect(talk).not_to_contain_text("roses")
    page.get_by_role("textbox", name="Your message").fill("And when?")
    page.keyboard.press("Enter")
    expect(talk).to_contain_text("Answer And when?")
    expect(talk).to_contain_text("Answer Which tulips?")


def test_files_are_attached_pasted_and_taken_away_and_reach_the_flow(page: Page, made, axe, look):
    flow = a_document(prompt="{{ size(files) }}: {{ files[0].name }}")
    flow.nodes[0] = NodeUse("ask", "start.chat", settings={"files": True})
    flow.edges[0] = Edge("ask.files", "write.files")
    page.goto(f"/flows/{made(a_flow(made(owner()), flow))}")
    ready(page)
    page.keyboard.press("r")
    box = page.get_by_role("textbox", name="Your message")
    chips = page.get_by_role("list", name="Attached files")
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Tulips: 3"}
    page.get_by_label("Attach files").set_input_files([notes, {**notes, "name": "wrong.txt", "buffer": b"x"}])
    expect(chips.get_by_role("listitem")).to_have_text(["notes.txt", "wrong.txt"])
    chips.get_by_role("button", name="Take wrong.txt away").click()
    box.evaluate(
        """box => { const data = new DataTransfer();
        data.items.add(new File(["y"], "pasted.txt", { type: "text/plain" }));
        box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })) }"""
    )
    expect(chips.get_by_role("listitem")).to_have_text(["notes.txt", "pasted.txt"])
    look(page, "try-files")
    axe(page)
    box.press("Enter")
    talk = page.get_by_role("list", name="The talk")
    expect(talk).to_contain_text("2: notes.txt")
    page.reload()
    ready(page)
    page.keyboard.press("r")
    expect(talk.get_by_role("list", name="Files").get_by_role("listitem")).to_have_text(["notes.txt", "pasted.txt"])
