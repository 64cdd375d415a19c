"""A dataset from a file, compared and watched until it is done; by keyboard, both modes, on a phone."""

import re

from playwright.sync_api import expect

from tests.factories.accounts import a_person
from tests.factories.studio import a_flow


def test_a_file_becomes_a_comparison_that_fills_while_one_looks(made, entered, axe, look):
    person = made(a_person())
    flow_id = made(a_flow(person.actor))
    page = entered(person)
    page.goto(f"/flows/{flow_id}/tests")
    page.get_by_role("link", name="Datasets").press("Enter")
    expect(page.get_by_role("heading", name="No dataset yet")).to_be_visible()
    axe(page)
    rows = "message,expected\n" + "".join(f"Question {i},Answer Question {i}\n" for i in range(6))
    page.get_by_label("CSV or JSON lines").set_input_files(
        {"name": "mails.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Upload").press("Enter")
    expect(page.get_by_role("heading", name="Compare over 6 rows")).to_be_visible()
    page.get_by_text("Other prompts beside the flow's own").click()
    page.get_by_label("Called").first.fill("Wrong")
    expect(page.get_by_label("In place of").first).to_have_value("write.template")
    page.get_by_role("textbox", name="Text", exact=True).first.fill("Nothing of {{ question }}")
    axe(page)
    look(page, "dataset")
    page.get_by_role("button", name="Compare").press("Enter")
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=40_000)
    expect(page.get_by_role("row", name="Draft, Wrong Take as the draft")).to_contain_text(
        re.compile(r"Worse\s+p = 0.031")
    )
    axe(page)
    look(page, "experiment")
    page.goto(f"/flows/{flow_id}/datasets")
    axe(page)
    look(page, "datasets")
