"""Versions: any two side by side, walked through by keyboard, named and restored."""

import re

from playwright.sync_api import expect

from app.db import system_tx
from app.studio import queries, service
from app.studio.forms import NodeConfig, NodeDelete, NodeMove
from app.studio.version_forms import RolloutForm
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
    page.get_by_text("Name and notes", exact=True).click()
    page.get_by_label("Name").fill("Opening weekend")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Version 1, Opening weekend")).to_be_visible()
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("As the live version.")).to_be_visible()
    seen = entered(person)
    seen.goto(f"/flows/{flow}/history")
    axe(seen)
    look(seen, "versions-history")


async def _a_rollout(actor):
    flow_id = await _a_history(actor)
    new = await service.publish(actor, flow_id, "Spring", "Three lines and the page.", live=False)
    await service.roll_out(actor, flow_id, RolloutForm(new, 10, stop_above=15))
    live = (await queries.editor(actor, flow_id)).live_version_id
    async with system_tx("test") as tx:
        some = (new, "succeeded", 34, 1200), (new, "failed", 6, 90), (live, "succeeded", 350, 900)
        for version, status, times, ms in some:
            await tx.execute(
                """insert into run (workspace_id, flow_id, version_id, status, trigger, started_at, finished_at,
                                    cost_micros)
                   select $1, $2, $3, $4, 'site', now(), now() + make_interval(secs => $5 * (1 + n % 5) / 1000.0),
                          2000 + 100 * (n % 7) from generate_series(1, $6) n""",
                actor.workspace_id, flow_id, version, status, ms, times,
            )  # fmt: skip
    return flow_id


def test_a_rollout_is_watched_raised_and_stopped_on_the_page_of_versions(made, entered, axe, look):
    person = made(a_person())
    flow = made(_a_rollout(person.actor))
    page = entered(person)
    page.goto(f"/flows/{flow}/history")
    expect(page.get_by_role("heading", name="Version 2, Spring goes to 10 %")).to_be_visible()
    axe(page)
    look(page, "versions-rollout")
    page.get_by_role("button", name="50 % get the new version").click()
    expect(page.get_by_role("heading", name="Version 2, Spring goes to 50 %")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("It was stopped.")).to_be_visible()


def test_an_owner_answers_what_an_editor_wants_to_publish(made, entered, axe, look):
    mara = made(a_person())
    ole = made(a_person(workspace_id=mara.actor.workspace_id, name="Ole Birch", role="editor"))
    page = entered(mara)
    page.goto("/settings/publishing")
    page.get_by_label("New versions need an owner's word").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("New versions need an owner's word")).to_be_checked()
    axe(page)
    look(page, "settings-publishing")
    flow = made(service.create_flow(ole.actor, "Garden support", a_document()))
    other = entered(ole)
    other.goto(f"/flows/{flow}/outline?panel=publish")
    other.get_by_role("button", name="Publish now").click()
    expect(other.locator(".toast")).to_contain_text("An owner was asked whether it may go live.")
    page.goto("/needs-you/approvals")
    expect(page.get_by_role("heading", name="May version 1 of Garden support go live?")).to_be_visible()
    axe(page)
    look(page, "approvals")
    page.get_by_label("Comment").fill("Lovely.")
    page.get_by_role("button", name="Approve and make live").click()
    expect(page.get_by_role("heading", name="No version waits")).to_be_visible()
    other.goto(f"/flows/{flow}/history")
    expect(other.get_by_text("Mara Fern approved it")).to_be_visible()


def test_a_stranger_looks_at_a_shared_flow_and_takes_a_copy_home(made, entered, stranger, axe, look):
    mara, jonas = made(a_person()), made(a_person(name="Jonas Reed"))
    flow = made(_a_history(mara.actor))
    page = entered(mara)
    page.goto(f"/flows/{flow}/shares")
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_role("list", name="Open links").locator(".strong").inner_text()
    axe(page)
    look(page, "versions-shares")
    stranger.goto(address)
    expect(stranger.locator("flow-canvas[data-ready]")).to_be_visible()
    stranger.get_by_role("group", name="Prompt", exact=True).click()
    panel = stranger.get_by_role("complementary", name="Prompt", exact=True)
    expect(panel).to_contain_text("{{ question }}")
    axe(stranger)
    look(stranger, "versions-shared")
    stranger.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    stranger.get_by_role("button", name="Zoom in").click()
    expect(stranger.locator("[data-part=zoom]")).not_to_have_text("100%")
    stranger.get_by_role("button", name="Outline").click()
    expect(stranger.get_by_role("heading", level=3, name="Prompt", exact=True)).to_be_visible()
    expect(stranger.locator("flow-canvas")).to_be_hidden()
    axe(stranger)
    look(stranger, "versions-shared-outline")
    taker = entered(jonas)
    taker.goto(address)
    taker.get_by_role("link", name="Duplicate into my workspace").click()
    expect(taker.get_by_role("heading", name="Duplicate a flow")).to_be_visible()
    axe(taker)
    look(taker, "versions-copy")
    taker.get_by_role("button", name="Duplicate into my workspace").click()
    expect(taker.get_by_role("heading", level=1, name="Garden support")).to_be_visible()
    page.reload()
    expect(page.get_by_text("copied once")).to_be_visible()


def test_a_version_goes_to_staging_and_from_there_to_live(made, entered, axe, look):
    person = made(a_person())
    flow = made(_a_history(person.actor))
    page = entered(person)
    page.goto("/settings/environments")
    page.get_by_label("Name").fill("staging")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("Use something else here").click()
    page.get_by_label("Where a flow says").fill("https://x.example")
    page.get_by_label("Say instead").fill("https://test.x.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="https://test.x.example")).to_be_visible()
    axe(page)
    look(page, "environments")
    made(service.publish(person.actor, flow, "Spring", "", live=False))
    page.goto(f"/flows/{flow}/history")
    page.get_by_role("button", name="Put on staging: version 2").click()
    expect(page.get_by_role("row", name=re.compile("staging Version 2"))).to_be_visible()
    axe(page)
    look(page, "versions-stages")
    page.get_by_role("button", name="Promote to live").click()
    expect(page.get_by_role("row", name=re.compile("live Version 2"))).to_be_visible()
