"""The language of pages: whose choice counts, what it reaches, and that nobody gets another person's."""

import asyncio
import contextvars
import re

import httpx
import pytest

from app import config
from app.language import choice
from app.web import render
from tests.app.browser import token_of
from tests.app.web.test_templates import a_request

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


def frame_of(page: httpx.Response) -> tuple[str, str]:
    found = re.search(r'<html lang="(\w+)" dir="(\w+)"', page.text)
    assert found
    return found.group(1), found.group(2)


async def test_a_stranger_is_spoken_to_as_the_browser_says_or_as_the_switch_does(client, signed_in):
    page = await client.get("/sign-in", headers=GERMAN)
    assert frame_of(page) == ("de", "ltr") and "Willkommen zurück" in page.text
    assert "accept-language" in page.headers["vary"]
    english = await client.get("/sign-in")
    assert frame_of(english) == ("en", "ltr")
    form = {"language": "ar", "next": "/sign-in", "_csrf": token_of(english)}
    chosen = await client.post("/language", data=form)
    assert chosen.status_code == 303 and chosen.headers["location"] == "/sign-in"
    assert frame_of(await client.get("/sign-in", headers=GERMAN)) == ("ar", "rtl")


async def test_the_switch_leads_nowhere_else_and_speaks_no_unknown_language(client, signed_in):
    proof = {"_csrf": token_of(await client.get("/sign-in"))}
    away = await client.post("/language", data={"language": "de", "next": "//evil.example/x"} | proof)
    assert away.headers["location"] == "/"
    for language in ("xx", "../../etc/passwd", "d" * 300):
        refused = await client.post("/language", data={"language": language, "next": "/"} | proof)
        assert refused.status_code in (404, 422)


async def test_a_profile_counts_more_than_the_browser(signed_in):
    saved = await signed_in.post("/settings/profile", data={"name": "Mara", "language": "de"})
    assert saved.status_code == 303
    page = await signed_in.get("/settings/profile", headers={"accept-language": "ar"})
    assert frame_of(page) == ("de", "ltr") and "Läufe" in page.text and "Profil gespeichert." in page.text
    assert '<option value="de" selected>Deutsch</option>' in page.text
    refused = await signed_in.post("/settings/profile", data={"name": "Mara", "language": "tlh"})
    assert refused.status_code == 422
    await signed_in.post("/settings/profile", data={"name": "Mara", "language": ""})
    assert frame_of(await signed_in.get("/settings/profile", headers={"accept-language": "ar"})) == ("ar", "rtl")


async def test_refusals_are_said_in_the_language_of_the_page(client, signed_in):
    form = {"email": "nobody@fernhill.example", "password": "not this one", "next": ""}
    form["_csrf"] = token_of(await client.get("/sign-in"))
    page = await client.post("/sign-in", data=form, headers=GERMAN)
    assert "gehören nicht zusammen" in page.text
    gone = await signed_in.get("/nothing/here", headers=GERMAN)
    assert gone.status_code == 404 and "Hier ist nichts." in gone.text and frame_of(gone)[0] == "de"


async def test_programs_are_answered_in_english(api):
    answer = await api.get("/api/v1/runs/01993d5e-0000-7000-8000-000000000001", headers=GERMAN)
    assert answer.status_code == 404 and answer.json()["title"].isascii()
    assert (await api.get("/api/v1/me", headers=GERMAN)).json()["language"] == ""


async def test_two_people_at_once_each_read_their_own(client, signed_in):
    async def ask(language: str) -> None:
        for _ in range(4):
            page = await client.get("/sign-in", headers={"accept-language": language})
            assert frame_of(page)[0] == language

    before = choice.current()
    await asyncio.gather(*(ask(language) for language in ("de", "en", "ar", "de", "en")))
    assert choice.current() == before, "what a request is answered in ends with it"


async def test_what_scripts_say_is_one_file_that_english_pages_do_not_load(client, signed_in):
    assert "/language/" not in (await client.get("/sign-in")).text.replace('action="/language/"', "")
    page = await client.get("/sign-in", headers=GERMAN)
    path = re.search(r'<script defer src="(/language/de\.[0-9a-f]{12}\.js)" nonce="[^"]+"></script>', page.text)
    assert path
    file = await client.get(path.group(1))
    assert file.headers["content-type"].startswith("text/javascript") and "immutable" in file.headers["cache-control"]
    assert file.text.startswith('agentbaseWords={"language":"de","messages":{')
    for other in ("/language/de.000000000000.js", "/language/en.js", "/language/xx.000000000000.js"):
        assert (await client.get(other)).status_code == 404


async def test_the_instance_has_a_language_of_its_own(client, signed_in):
    with config.using(language="de"):
        assert frame_of(await client.get("/sign-in", headers={"accept-language": "fr"}))[0] == "de"
        assert frame_of(await client.get("/sign-in", headers={"accept-language": "en"}))[0] == "en"


@pytest.mark.parametrize("language", ["de", "ar"])
def test_figures_are_written_as_the_language_does(language):
    choice.use(language)
    try:
        from app.web.words import duration, figure, money

        assert money(None) and duration(None) == ""
        shown = (money(4_120_000), money(2_400), duration(640), duration(125_000), figure(1_234_567))
    finally:
        choice.use("en")
    if language == "de":
        assert shown == ("4,12\xa0$", "0,24 ct", "0,6 Sek.", "2 Min. 5 Sek.", "1.234.567")
    assert all(not re.search("[٠-٩]", text) for text in shown)


def test_pages_of_languages_share_what_domains_offer(settings):
    render.offer("only_here", "a word")
    try:
        for language in ("en", "de"):
            assert render.environment(language).from_string("{{ only_here }}").render() == "a word"
    finally:
        del render.environment().globals["only_here"]
    assert render.environment("de") is not render.environment("en")
    spoken = contextvars.copy_context()
    toast = spoken.run(render.text, a_request(**{"accept-language": "de"}), "layout/_toast.html", flash=[])
    assert 'aria-label="Meldungen"' in toast and choice.current() == "en"
