"""Keep results for, run afresh, what a run may cost, and a question with fields: set and answered by hand."""

from playwright.sync_api import expect

from flows.model import Edge, Flow, NodeUse
from tests.browser.canvas_hands import ready, saved, step
from tests.browser.test_runs import a_run
from tests.factories.accounts import a_person
from tests.factories.studio import a_document, a_flow


def tried(page, text: str) -> None:
    page.get_by_role("textbox", name="Your message").fill(text)
    page.keyboard.press("Enter")
    expect(step(page, "Prompt")).to_contain_text("Done")


def test_a_step_keeps_its_results_until_the_person_asks_for_a_run_afresh(page, made, mara, look, axe):
    page.goto(f"/flows/{made(a_flow(mara, a_document(prompt='Answer {{ question }} kindly.')))}")
    ready(page)
    step(page, "Prompt").click(position={"x": 80, "y": 30})
    page.get_by_text("If it fails:").click()
    page.get_by_label("Keep results for").select_option("1 hour")
    saved(page)
    page.get_by_label("Keep results for").scroll_into_view_if_needed()
    axe(page)
    look(page, "keep-results")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.get_by_role("switch", name="Run afresh")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    look(page, "run-afresh")
    tried(page, "Which tulips?")


def test_what_a_run_may_cost_is_set_in_the_outline(page, made, mara, look):
    page.goto(f"/flows/{made(a_flow(mara, a_document()))}/outline?panel=about")
    page.get_by_label("A run may cost at most").fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast__words")).to_have_text("Saved.")
    page.goto(page.url.partition("?")[0] + "?panel=about")
    expect(page.get_by_label("A run may cost at most")).to_have_value("0.5")
    look(page, "cost-limit")


ASKING = Flow(
    [
        NodeUse("start", "start.api"),
        NodeUse(
            "ask",
            "people.approval",
            settings={
                "title": "Refund the order?",
                "fields": [
                    {"name": "sum", "label": "How much", "kind": "number", "help": "In dollars."},
                    {"name": "way", "label": "How", "kind": "choice", "choices": ["Card", "Voucher"]},
                    {"name": "why", "label": "Why", "kind": "long text", "required": False},
                    {"name": "mail", "label": "Tell them by mail", "kind": "yes/no"},
                ],
            },
        ),
        NodeUse("answer", "show.answer"),
    ],
    [Edge("start.input", "ask.value"), Edge("ask.sum", "answer.data")],
    name="Refunds",
)


def test_a_person_fills_in_the_fields_of_a_question(made, entered, look, axe):
    person = made(a_person())
    made(a_run(person.actor, ASKING, {"order": 7}, "waiting"))
    page = entered(person)
    page.goto("/needs-you")
    axe(page)
    look(page, "needs-you-fields")
    page.get_by_label("How much").fill("12.5")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
