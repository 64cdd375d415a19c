"""Every page can be reached by Ctrl K, and has help: found in the route table, so that nobody has to think of it."""

import re

import pytest

from app.web.help import help_for
from app.web.search_places import DEEDS, OF_FLOW, OF_RUN, PLACES, here
from tests.app.web.test_routes import PUBLIC, TABLE

PART = "a part of a page, never a page"
DATA = "what scripts ask for"
FILE = "a file, linked where it belongs"
LISTED = "one of many: by its name, or from the list that Ctrl K leads to"
MOVED = "leads elsewhere"
ELSEWHERE = {
    "events": DATA, "palette": PART, "patterns": "for who works on Agentbase", "studio:tour": PART,
    "accounts:settings": MOVED, "studio:versions": PART, "runs:needs-you-count": PART,
    "gateway:providers-here": PART, "gateway:form-here": PART, "gateway:nearby": PART, "vault:secret-here": PART,
    "gateway:connection": LISTED, "gateway:new-connection": LISTED, "drafting:proposal": LISTED,
    "triggers:trigger": LISTED, "webhooks:endpoint": LISTED, "git:file": LISTED, "studio:step-doc": LISTED,
    "help:page": LISTED, "sites:page": LISTED, "started": "once, after a flow was begun", "files:content": FILE,
    "studio:about": PART, "studio:breakpoints": DATA, "studio:changes": DATA, "studio:comments": PART,
    "studio:comment-counts": DATA, "studio:comment-threads": PART, "datasets:show": LISTED, "experiments:show": LISTED,
    "studio:found": PART, "studio:graph": DATA, "studio:step-compared": PART,
    "studio:panel": PART, "studio:pin-form": PART, "studio:pins": DATA, "studio:publication": PART,
    "checks:case": LISTED, "studio:try-result": PART, "studio:try-states": DATA, "studio:timeline": PART,
    "studio:try": PART, "runs:file": FILE, "runs:part": PART, "runs:value": FILE,
    "studio:shared-copy": "from the page behind a link",
}  # fmt: skip
"""Addresses that Ctrl K does not offer by name, and why."""
SOME = "01993d5e-0000-7000-8000-000000000009"
PAGES = [
    (path, handler)
    for path, handler, method in TABLE
    if method == "GET" and not path.startswith("/api/") and handler.name and handler.name not in PUBLIC
    if "." not in path.rpartition("/")[2]  # a file to take along: cells.csv
]


@pytest.mark.parametrize(("path", "handler"), PAGES, ids=[handler.name for _, handler in PAGES])
def test_ctrl_k_leads_to_every_page(path, handler):
    offered = {each.href.partition("?")[0] for each in (*PLACES, *DEEDS)}
    offered |= {f"/flows/{{flow_id}}{each.href}".partition("?")[0] for each in OF_FLOW}
    offered |= {f"/runs/{{run_id}}{each.href}" for each in OF_RUN}
    if handler.name in ELSEWHERE:
        assert path not in offered or handler.name == "gateway:providers", f"{path} is offered: take it out of here"
        return
    assert path in offered, f"Ctrl K does not know {path} ({handler.name}): app/web/search_places.py, or say here why"


def test_nothing_is_listed_that_is_gone():
    assert set(ELSEWHERE) <= {handler.name for _, handler in PAGES}
    known = {path for path, _, method in TABLE if method == "GET"}
    for each in (*PLACES, *DEEDS):
        assert not each.href or each.href.partition("?")[0] in known, each.href
    unsafe = {path for path, _, method in TABLE if method == "POST"}
    assert {each.posts for each in DEEDS if each.posts} <= unsafe
    assert {f"/flows/{{flow_id}}{each.href}".partition("?")[0] for each in OF_FLOW} <= known
    assert {f"/runs/{{run_id}}{each.href}" for each in OF_RUN} <= known


async def test_whatever_the_navigation_shows_is_found_by_its_word(signed_in):
    page = (await signed_in.get("/settings/profile")).text
    nav = re.search(r'<nav class="nav".*?</nav>', page, re.DOTALL)
    tabs = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert nav and tabs
    links = re.findall(r'<a [^>]*href="(/[^"]*)"', nav[0] + tabs[0])
    assert len(links) > 12
    for href in links:
        place = next((each for each in PLACES if each.href == href), None)
        assert place is not None, f"{href} is in the navigation; Ctrl K does not know it"
        assert f'data-href="{href}"' in (await signed_in.get("/palette", params={"q": place.name.lower()})).text, href


async def test_every_page_has_a_title_of_its_own_and_one_first_heading(signed_in):
    """The first words of a tab are all one reads of it; a screen reader jumps to the first heading."""
    seen: dict[str, str] = {}
    hrefs = dict.fromkeys(each.href.partition("?")[0] for each in (*PLACES, *DEEDS) if each.href)
    for href in [href for href in hrefs if href != "/"]:  # who has made nothing yet is led from there to /start
        page = (await signed_in.get(href)).text
        title = re.search(r"<title>(.*?)</title>", page)
        assert title and len(re.findall(r"<h1[ >]", page)) == 1, href
        words = title[1].partition(" · Garden")[0]
        assert seen.setdefault(words, href) == href, f"{href} is called “{words}” as {seen[words]}"


def test_on_a_flow_and_on_a_run_their_own_pages_are_offered():
    assert {each.href for each in here(f"/flows/{SOME}/tests?x=1")} >= {f"/flows/{SOME}/history", f"/flows/{SOME}"}
    assert {each.href for each in here(f"/runs/{SOME}")} >= {f"/runs/{SOME}/shares"}
    for path in (
        "/",
        "/flows",
        f"/flowsx/{SOME}",
        f"/flows/{SOME}x",
        "/flows/../settings",
        f"//e.example/flows/{SOME}",
    ):
        assert here(path) == [], path


async def test_deeds_are_found_by_what_one_would_call_them(signed_in):
    for words, where in (("invite", 'data-href="/settings/members"'), ("sign out", 'data-posts="/sign-out"'),
                         ("budget", 'data-href="/connections"'), ("tour", 'data-posts="/tour"')):  # fmt: skip
        assert where in (await signed_in.get("/palette", params={"q": words})).text, words


async def test_ctrl_k_knows_which_flow_one_looks_at(signed_in):
    at = {"hx-current-url": f"http://127.0.0.1:8000/flows/{SOME}/outline"}
    assert f'data-href="/flows/{SOME}/shares"' in (await signed_in.htmx("GET", "/palette?q=share", headers=at)).text
    elsewhere = {"hx-current-url": f"https://other.example/flows/{SOME}/outline"}
    for headers in ({}, elsewhere):
        assert f"/flows/{SOME}" not in (await signed_in.htmx("GET", "/palette?q=share", headers=headers)).text


@pytest.mark.parametrize(("path", "handler"), PAGES, ids=[handler.name for _, handler in PAGES])
def test_every_page_has_help_of_its_own(path, handler):
    if ELSEWHERE.get(handler.name, LISTED) not in (LISTED, ""):
        return
    address = re.sub(r"\{[a-z_]+id(?::uuid)?\}", SOME, path)
    address = re.sub(r"\{[^}]*\}", "x", address)
    if not address.startswith("/help"):
        assert help_for(address) != "/help", f"{address}: PLACES of app/web/help.py names no page for it"
