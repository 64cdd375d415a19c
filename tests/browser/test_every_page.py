"""What must hold on every page of the dashboard: accessible in both modes, nothing in the console, fits a phone."""

import re

import pytest
from playwright.sync_api import expect

from app.db import tenant_tx
from app.runs import running
from app.runs import service as runs
from app.studio import service as studio
from app.web import search_places
from tests.factories.accounts import a_person
from tests.factories.runs import an_approval, wait_for
from tests.factories.studio import a_document

PLACES = {
    "connections": "/connections",
    "connections-new": "/connections/new",
    "connections-openai": "/connections/new/openai",
    "triggers": "/triggers",
    "webhooks": "/webhooks",
    "site": "/site",
    "runs": "/runs",
    "compare": "/runs/compare",
    "needs-you": "/needs-you",
    "help": "/help",
    "help-page": "/help/canvas",
    "steps": "/steps",
    "step": "/steps/logic.switch",
    "profile": "/settings/profile",
    "members": "/settings/members",
    "devices": "/settings/devices",
    "keys": "/settings/keys",
    "git": "/settings/git",
    "import": "/flows/import",
    "drafting": "/drafting",
    "secrets": "/settings/secrets",
    "variables": "/settings/variables",
    "files": "/settings/files",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_page_is_accessible_and_fits_every_screen(page, axe, look, name):
    page.goto(PLACES[name])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    axe(page)
    look(page, name)


@pytest.mark.parametrize("name", PLACES)
def test_the_navigation_shows_where_one_is(page, name):
    page.goto(PLACES[name])
    here = page.get_by_role("navigation", name="Main").locator('[aria-current="page"]')
    expect(here).to_have_count(1)


WIDTHS = {"200 %": {"width": 720, "height": 450}, "400 %": {"width": 320, "height": 256}}
"""A window of 1440 at 200 %, and one of 1280 x 1024 at 400 % (WCAG 1.4.10), in CSS pixels."""


def test_zoomed_in_nothing_is_cut_off_and_whoever_wants_no_movement_gets_none(made, entered):
    """Every page that Ctrl K leads to. The browser asks for reduced motion: nothing may run on and on."""
    page = entered(made(a_person()))
    for path in ("/start", "/flows?view=list", *(each.href for each in search_places.PLACES)):
        page.goto(path)
        expect(page.locator("#main")).to_be_visible()
        endless = "document.getAnimations().filter((each) => each.effect.getTiming().iterations === Infinity).length"
        assert page.evaluate(endless) == 0, path
        for zoom, size in WIDTHS.items():
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{path} at {zoom}"


CUT = """() => [...document.body.querySelectorAll("*")].filter((el) => {
  const box = el.getBoundingClientRect()
  if (!el.checkVisibility() || box.width < 2 || box.height < 2) return false
  if (box.right <= innerWidth + 1 && box.left >= -1) return false
  for (let up = el; up !== document.body; up = up.parentElement) {
    const look = getComputedStyle(up)
    if (up.matches("flow-canvas, svg, .visually-hidden, .skip")) return false
    if (look.visibility === "hidden" || look.position === "fixed") return false
    if (up !== el && ["auto", "scroll"].includes(look.overflowX)) return false
  }
  return true
}).map((el) => el.outerHTML.slice(0, 120))"""
"""What reaches out of the window without lying in something that scrolls by itself. The canvas is moved by hand."""


def test_zoomed_in_the_pages_of_a_flow_and_of_a_run_fit_too(made, entered):
    """Each that Ctrl K offers on such a page, at 200 % and 400 % of a window of 1280."""
    person = made(a_person())
    flow_id = made(studio.create_flow(person.actor, "Garden helper", a_document()))
    made(studio.publish(person.actor, flow_id, "", ""))
    run_id = made(_run(person.actor, a_document(), {"message": "Hello"}, "succeeded"))
    page = entered(person)
    pages = [f"/flows/{flow_id}{each.href}" for each in search_places.OF_FLOW if "along" not in each.name]
    pages += [f"/runs/{run_id}{each.href}" for each in search_places.OF_RUN if "along" not in each.name]
    for path in (*pages, f"/runs/{run_id}?view=graph", f"/flows/{flow_id}/outline?panel=try"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        for width in (640, 320):
            page.set_viewport_size({"width": width, "height": 400})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width} px"
            assert page.evaluate(CUT) == [], f"{path} at {width} px"


SEEN = """() => {
  for (let el = document.activeElement, up = 0; el && up < 4; el = el.parentElement, up++) {
    const look = getComputedStyle(el)
    if (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1) return true
    if (el.matches(":focus-visible, :focus-within") && look.boxShadow !== "none" && up < 2) return true
  }
  return document.activeElement === document.body
}"""
"""Whether somebody sees where the focus is: a ring at the element or at the row or card it stands for."""


def test_the_focus_is_seen_wherever_tab_leads_also_in_the_colours_of_the_system(page):
    for colours in ("none", "active"):
        page.emulate_media(forced_colors=colours)
        for path in ("/connections", "/settings/profile", "/runs", "/help"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            for nth in range(24):
                page.keyboard.press("Tab")
                where = page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
                assert page.evaluate(SEEN), f"{path}, Tab {nth + 1}, forced colours {colours}: {where}"


def test_what_is_not_there_says_so_and_leads_home(page, expected, axe):
    expected.append("404")
    page.goto("/flows/00000000-0000-7000-8000-000000000000")
    expect(page.get_by_role("link", name=re.compile("home", re.IGNORECASE)).first).to_be_visible()
    axe(page)


def test_the_way_in_is_accessible_too(stranger, axe, look):
    stranger.goto("/sign-in")
    axe(stranger)
    look(stranger, "sign-in")


def test_a_run_that_is_done_and_one_that_waits_are_shown_and_the_front_page_says_who_waits(made, entered, axe, look):
    person = made(a_person())
    made(_run(person.actor, a_document(), {"message": "Hello"}, "succeeded"))
    made(_run(person.actor, an_approval(), {"refund": 38.5}, "waiting"))
    page = entered(person)
    page.goto("/")
    expect(page.get_by_text("1 thing waits for you.")).to_be_visible()
    expect(page.get_by_role("link", name="Needs you")).to_contain_text("1")
    axe(page)
    look(page, "home-busy")
    page.get_by_role("link", name="Show them").click()
    axe(page)
    look(page, "runs-waiting")
    page.goto("/runs")
    axe(page)
    look(page, "runs-some")
    page.get_by_role("main").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    axe(page)
    look(page, "run")


def test_comments_beside_the_outline_are_accessible_and_fit_every_screen(made, entered, axe, look):
    person = made(a_person())
    flow_id = made(studio.create_flow(person.actor, "Garden helper", a_document()))
    made(studio.comment(person.actor, flow_id, "Is this **too long**?", step="write"))
    made(studio.comment(person.actor, flow_id, "It answers well."))
    page = entered(person)
    for name, query in (
        ("comments-outline", ""),
        ("comments-outline-step", "&about=write"),
    ):
        page.goto(f"/flows/{flow_id}/outline?panel=comments{query}")
        expect(page.get_by_role("article", name="Thread about Prompt")).to_be_visible()
        axe(page)
        look(page, name)


async def _run(actor, document, given, until):
    flow_id = await studio.create_flow(actor, document.name, document)
    await studio.publish(actor, flow_id, "", "")
    async with tenant_tx(actor.workspace_id) as tx:
        version_id = await tx.fetchval("select live_version_id from flow where id = $1", flow_id)
    await running.start("cli")
    try:
        run_id = await runs.start(actor, version_id, given, trigger="api")  # the worker of `live` carries it out
        await wait_for(actor.workspace_id, run_id, until, seconds=20)
    finally:
        await running.stop()
    return run_id
