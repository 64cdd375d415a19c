"""A question that goes to somebody without an account: the link on Needs you, the small page, both answered by hand."""

from playwright.sync_api import expect

from app.runs import asking, mailing, running
from app.runs import service as runs
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import a_person
from tests.factories.runs import a_version, wait_for

ASKS = {
    "title": "Refund € 38.50 to Ole?",
    "description": "The parcel came back on Tuesday.\nHe asked for the money, not for another one.",
    "mail_to": "ole@example.org",
    "hours": 48,
    "remind_hours": 4,
    "fields": [
        {"name": "sum", "kind": "number", "label": "Sum", "help": "In euros."},
        {"name": "how", "kind": "choice", "label": "How", "choices": ["By bank", "By card"]},
        {"name": "sure", "kind": "yes/no", "label": "Tell him at once"},
    ],
}


def a_refund() -> Flow:
    nodes = [
        NodeUse("start", "start.api"),
        NodeUse("ask", "people.approval", label="Ask about the refund", settings=ASKS),
        NodeUse("answer", "show.answer"),
    ]
    return Flow(nodes, [Edge("start.input", "ask.value"), Edge("ask.sum", "answer.data")], name="Order mailbox")


async def waiting(actor):
    _, _, version = await a_version(a_refund(), actor.workspace_id)
    await running.start("cli")
    try:
        run = await runs.start(actor, version, {"order": "FH-204117", "name": "Ole"}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting", seconds=20)
        await mailing.ask_people()
        return run, (await asking.links(actor, run))[0].path
    finally:
        await running.stop()


def test_somebody_without_an_account_answers_by_the_link_and_then_it_is_dead(made, entered, stranger, axe, look):
    person = made(a_person())
    run, path = made(waiting(person.actor))
    page = entered(person)
    page.goto("/needs-you")
    asked = page.get_by_text("Asked: ole@example.org")
    asked.click()
    expect(page.get_by_text("Mail is not set up here")).to_be_visible()
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    axe(page)
    look(page, "needs-asked")

    stranger.goto(path)
    expect(stranger.get_by_role("heading", name="Refund € 38.50 to Ole?")).to_be_visible()
    axe(stranger)
    look(stranger, "asked")
    stranger.get_by_role("button", name="Approve").click()
    expect(stranger.get_by_role("heading", name="Refund € 38.50 to Ole?")).to_be_visible()  # a field is empty
    stranger.get_by_label("Sum").fill("38.5")
    stranger.get_by_role("combobox", name="How").select_option("By card")
    stranger.get_by_label("Comment").fill("Fine with me")
    stranger.keyboard.press("Tab")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="This question has been answered")).to_be_visible()
    axe(stranger)
    look(stranger, "asked-over")
    page.goto(f"/runs/{run}")
    expect(page.get_by_text("Done").first).to_be_visible()
