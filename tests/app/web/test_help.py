"""The documentation inside the program: the same text, its links lead to one another, and nothing else is opened."""

import re

import pytest

from app.errors import NotFound
from app.web.help import BUILDERS, PLACES, _found, address, guide, help_for, names
from app.web.render import TEMPLATES


@pytest.mark.parametrize("name", sorted(names()))
def test_every_page_has_a_title_and_no_link_that_leads_nowhere(name):
    shown = guide(name)
    assert shown.title and "<!--" not in shown.html and "&lt;!--" not in shown.html
    assert "style=" not in shown.html and "<th></th>" not in shown.html
    for href in re.findall(r'href="([^"]*)"', shown.html):
        if href.startswith("/help/"):
            page, _, part = href.removeprefix("/help/").partition("#")
            assert page in names(), href
            assert not part or part in {each for each, _ in guide(page).headings}, f"{name}: {href}"


def test_links_are_read_from_where_they_stand():
    assert address("operate/install", "../canvas.md#keys") == "/help/canvas#keys"
    assert address("index", "operate/install.md") == "/help/operate/install"
    assert address("index", "../app/main.py") == address("canvas", "nothing.md") == "#"
    assert address("canvas", "https://example.org/x") == "https://example.org/x"


@pytest.mark.parametrize("name", ["../pyproject", "/etc/passwd", "", "canvas.md", "operate/../canvas"])
def test_what_is_no_page_is_not_opened(name):
    with pytest.raises(NotFound):
        guide(name)


def test_every_part_of_the_dashboard_has_its_page():
    for _, place in PLACES:
        name, _, part = place.partition("#")
        assert name in names(), place
        assert not part or part in {each for each, _ in guide(name).headings}, place
    assert help_for("/flows/0198/tests/1") == help_for("/runs/0198/tests/new") == "/help/testing"
    assert help_for("/flows/0198") == help_for("/") == "/help/canvas"
    assert help_for("/flows/0198/shares") == "/help/versions#sharing-a-flow"
    assert help_for("/connections/new") == "/help/connections"
    assert help_for("/settings/members") == "/help/workspace#people"
    assert help_for("/somewhere/else") == "/help"


async def test_what_people_use_is_found_before_what_is_about_the_program(signed_in):
    found = await _found(signed_in.actor, "answer", 60)
    builders = [hit.href.removeprefix("/help/").startswith(BUILDERS) for hit in found if hit.note != "help"]
    assert True in builders and False in builders and builders == sorted(builders)


def test_what_empty_places_offer_to_read_is_there():
    """learn="versions#approvals" in a template."""
    offered = {
        place
        for file in TEMPLATES.rglob("*.html")
        for place in re.findall(r'learn="([^"]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(offered) > 8
    for place in offered:
        name, _, part = place.partition("#")
        assert name in names(), place
        assert not part or part in {each for each, _ in guide(name).headings}, place


async def test_the_pages_are_read_found_and_linked_from_every_page(signed_in):
    assert 'href="/help/canvas"' in (await signed_in.get("/help")).text
    page = await signed_in.get("/help/operate/install")
    assert page.status_code == 200 and "Install" in page.text
    for wrong in ("/help/nothing", "/help/..%2f..%2fpyproject", "/help/%2fetc%2fpasswd"):
        assert (await signed_in.get(wrong)).status_code == 404
    assert "/help/canvas" in (await signed_in.get("/palette?q=canvas")).text
    assert 'href="/help/runs"' in (await signed_in.get("/runs")).text
