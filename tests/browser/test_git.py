"""Settings → Git in the browser: connected, synced, a conflict decided; by keyboard, both modes, on a phone."""

import msgspec
from playwright.sync_api import expect

from app.db import tenant_tx
from flows.files import write_flow
from tests.factories.accounts import a_person
from tests.factories.gitsync import a_git_file
from tests.factories.studio import a_document, a_flow


def test_a_repository_is_refused_with_its_reason_and_a_conflict_is_decided(made, entered, expected, axe, look):
    person = made(a_person())
    page = entered(person)
    page.goto("/settings/git")
    expect(page.get_by_role("heading", name="Flows in a git repository")).to_be_visible()
    axe(page)
    look(page, "git-empty")
    expected.append("422")
    page.get_by_label("Address").fill("git@example.org:team/flows.git")
    page.get_by_label("Address").press("Enter")
    expect(page.get_by_text("is not an https address")).to_be_visible()
    flow_id = made(a_flow(person.actor))
    made(a_git_file(person.actor, flow_id, path="garden-helper.json"))
    made(_theirs(person.actor))
    page.goto("/settings/git")
    axe(page)
    look(page, "git")
    page.get_by_role("link", name="Decide: garden-helper.json").press("Enter")
    expect(page.get_by_role("button", name="Keep ours")).to_be_visible()
    axe(page)
    look(page, "git-file")
    page.get_by_role("button", name="Keep ours").press("Enter")
    expect(page.get_by_text("In step").first).to_be_visible()


async def _theirs(actor):
    text = write_flow(a_document(prompt="Theirs {{ question }}"))
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            "update git_file set theirs = $1, base = $2", text, write_flow(msgspec.structs.replace(a_document()))
        )
