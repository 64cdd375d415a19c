"""Forged requests: from another site, with somebody else's token, with an Origin that is null or missing."""

import pytest

from app import config
from app.web import csrf
from app.web.ids import digest
from app.web.session import COOKIE
from tests.app.browser import HOST, ORIGIN, Browser, token_of
from tests.factories.accounts import PASSWORD, a_person

FORM = {"name": "Mara", "theme": "dark", "density": "compact"}
URL = "/settings/profile"


async def test_a_form_of_ours_is_taken(signed_in):
    token = token_of(await signed_in.get(URL))
    answer = await signed_in.post(URL, data=FORM | {"_csrf": token}, headers={csrf.HEADER: ""})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9000", "http://127.0.0.1:8000.evil.example"]
)
async def test_another_origin_is_refused_even_with_the_right_token(signed_in, origin):
    answer = await signed_in.post(URL, data=FORM, headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "weird"])
async def test_what_the_browser_calls_foreign_is_refused(signed_in, site):
    answer = await signed_in.post(URL, data=FORM, headers={"sec-fetch-site": site})
    assert answer.status_code == 403


async def test_a_request_that_does_not_say_where_it_comes_from_is_refused(signed_in):
    bare = {"origin": "", "sec-fetch-site": "", "referer": ORIGIN + URL}
    assert (await signed_in.post(URL, data=FORM, headers=bare)).status_code == 403


@pytest.mark.parametrize("content", [b"name=Mara", b'{"name":"Mara"}'])
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
async def test_no_kind_of_body_gets_past_without_a_token(signed_in, content, kind):
    headers = {csrf.HEADER: ""} | ({"content-type": kind} if kind else {})
    assert (await signed_in.post(URL, content=content, headers=headers)).status_code == 403


async def test_a_token_of_another_session_is_worth_nothing(signed_in, stranger):
    theirs = csrf.token_for(digest(stranger.secret))
    assert (await signed_in.post(URL, data=FORM, headers={csrf.HEADER: theirs})).status_code == 403


async def test_a_token_from_before_signing_in_is_worth_nothing_afterwards(client):
    mara = await a_person(password=PASSWORD)
    token = token_of(await client.get("/sign-in"))
    data = {"email": mara.actor.email, "password": PASSWORD, "_csrf": token}
    assert (await client.post("/sign-in", data=data)).status_code == 303
    assert (await client.post(URL, data=FORM | {"_csrf": token})).status_code == 403


async def test_signing_in_wants_a_token_of_this_very_visit(client, app):
    """Otherwise a foreign page could sign a person in as somebody else and read what they then write."""
    mara = await a_person(password=PASSWORD)
    async with Browser(app) as attacker:
        theirs = token_of(await attacker.get("/sign-in"))
    await client.get("/sign-in")
    answer = await client.post("/sign-in", data={"email": mara.actor.email, "password": PASSWORD, "_csrf": theirs})
    assert answer.status_code == 403
    assert COOKIE not in client.cookies


@pytest.mark.parametrize("text", ["", "x", "A" * 64, "é", "====", "A" * 10_000])
async def test_nonsense_is_no_token(signed_in, text):
    answer = await signed_in.post(URL, data=FORM | {"_csrf": text}, headers={csrf.HEADER: ""})
    assert answer.status_code == 403


async def test_two_posts_with_the_same_body_are_both_understood(signed_in):
    """Litestar keeps parsed bodies in a cache: taking our token out must not take it out there."""
    data = FORM | {"_csrf": token_of(await signed_in.get(URL))}
    codes = [(await signed_in.post(URL, data=data, headers={csrf.HEADER: ""})).status_code for _ in range(3)]
    assert codes == [303, 303, 303]


async def test_each_page_shows_another_token(signed_in):
    assert token_of(await signed_in.get(URL)) != token_of(await signed_in.get(URL))


async def test_behind_a_proxy_that_ends_tls_the_public_address_is_ours(app):
    mara = await a_person()
    with config.using(public_url="https://agents.example.org"):
        async with Browser(app) as browser:
            browser.enter(mara).cookies.set("__Host-" + COOKIE, mara.secret, domain=HOST)
            answer = await browser.post(URL, data=FORM, headers={"origin": "https://agents.example.org"})
            assert answer.status_code == 303
            answer = await browser.post(URL, data=FORM, headers={"origin": "https://agents.example.org.evil.org"})
            assert answer.status_code == 403


async def test_a_get_changes_nothing_whatever_header_says_otherwise(signed_in):
    for header in ("x-http-method-override", "x-method-override", "x-http-method"):
        assert (await signed_in.get("/sign-out", headers={header: "POST"})).status_code == 405
    assert (await signed_in.get(URL)).status_code == 200
