"""Attacks on sessions: fixation, cookie flags, dead sessions."""

from datetime import timedelta

import pytest

from app import config
from app.accounts import service
from app.accounts.jobs import forget_sessions
from app.accounts.sessions import find_session
from app.db import system_tx
from app.web.ids import digest, new_secret
from app.web.session import COOKIE
from tests.app.browser import HOST, Browser, token_of
from tests.factories.accounts import PASSWORD, a_person

URL = "/settings/profile"


async def test_a_planted_session_id_is_never_adopted(client):
    planted = new_secret()
    client.cookies.set(COOKIE, planted, domain=HOST)
    mara = await a_person(password=PASSWORD)
    page = await client.get("/sign-in")
    assert f"{COOKIE}=" in page.headers["set-cookie"] and "Max-Age=0" in page.headers["set-cookie"]
    data = {"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(page)}
    await client.post("/sign-in", data=data)
    assert client.cookies[COOKIE] != planted
    assert await find_session(digest(planted)) is None


async def test_signing_in_again_makes_a_new_session_and_ends_the_one_before(signed_in, client):
    mara = await a_person(password=PASSWORD)
    form = await client.get("/sign-in")
    await client.post("/sign-in", data={"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(form)})
    before = client.cookies[COOKIE]
    client.secret = before
    await client.post("/sign-in", data={"email": mara.actor.email, "password": PASSWORD})
    assert client.cookies[COOKIE] != before
    assert await find_session(digest(before)) is None


async def test_only_the_hash_of_the_cookie_is_kept(signed_in):
    async with system_tx("test") as tx:
        rows = await tx.fetch("select s::text as line from session s where user_id = $1", signed_in.actor.user_id)
    assert rows and not any(signed_in.secret in row["line"] for row in rows)


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client):
    mara = await a_person(password=PASSWORD)
    form = await client.get("/sign-in")
    data = {"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(form)}
    done = await client.post("/sign-in", data=data)
    line = next(c for c in done.headers.get_list("set-cookie") if c.startswith(f"{COOKIE}="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in line.split(";")}
    assert "Domain" not in line


async def test_over_tls_the_cookie_has_the_host_prefix_and_a_bare_one_is_not_read(app):
    mara = await a_person(password=PASSWORD)
    with config.using(public_url="https://agents.example.org"):
        async with Browser(app) as browser:
            browser.cookies.set(COOKIE, mara.secret, domain=HOST)  # as a sub-domain or a plain page could plant it
            assert (await browser.get(URL)).status_code == 303
            form = await browser.get("/sign-in")
            visit = next(c for c in form.headers.get_list("set-cookie") if c.startswith("__Host-agentbase_visit="))
            assert "Secure" in visit and form.headers["strict-transport-security"]
            browser.cookies.set("__Host-agentbase_visit", visit.split("=")[1].split(";")[0], domain=HOST)
            data = {"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(form)}
            done = await browser.post("/sign-in", data=data)
            line = next(c for c in done.headers.get_list("set-cookie") if c.startswith(f"__Host-{COOKIE}="))
            assert "Secure" in line and "Path=/" in line and "Domain" not in line


@pytest.mark.parametrize("change", ["expires_at = now()", "seen_at = now() - interval '4 days'"])
async def test_an_old_or_unused_session_is_dead_and_swept(signed_in, change):
    async with system_tx("test") as tx:
        await tx.execute(f"update session set {change} where id = $1", signed_in.actor.session_id)
    assert (await signed_in.get(URL)).status_code == 303
    assert await forget_sessions() >= 1


async def test_using_a_session_keeps_it_alive_with_one_write_in_five_minutes(signed_in):
    async def seen():
        async with system_tx("test") as tx:
            return await tx.fetchval("select seen_at from session where id = $1", signed_in.actor.session_id)

    first = await seen()
    await signed_in.get(URL)
    assert await seen() == first
    async with system_tx("test") as tx:
        await tx.execute(
            "update session set seen_at = now() - interval '6 minutes' where id = $1", signed_in.actor.session_id
        )
    answer = await signed_in.get(URL)
    assert await seen() > first - timedelta(minutes=1)
    assert f"{COOKIE}=" in answer.headers["set-cookie"], "the browser keeps the cookie longer, too"


async def test_a_quiet_request_sets_no_cookie(signed_in):
    await signed_in.get(URL)
    assert "set-cookie" not in (await signed_in.get("/settings/devices")).headers


async def test_a_disabled_person_is_out_with_the_next_request(signed_in):
    async with system_tx("test") as tx:
        await tx.execute("update user_account set disabled_at = now() where id = $1", signed_in.actor.user_id)
    assert (await signed_in.get(URL)).status_code == 303


async def test_a_changed_role_ends_that_persons_sessions(signed_in, app):
    colleague = await a_person(role="editor", workspace_id=signed_in.actor.workspace_id)
    async with Browser(app) as browser:
        browser.enter(colleague)
        assert (await browser.get(URL)).status_code == 200
        await service.change_role(signed_in.actor, colleague.actor.user_id, "viewer")
        assert (await browser.get(URL)).status_code == 303


async def test_a_new_password_ends_every_other_session_and_renews_ones_own(app):
    mara = await a_person(password=PASSWORD)
    async with Browser(app) as here, Browser(app) as there:
        here.enter(mara)
        form = await there.get("/sign-in")
        await there.post("/sign-in", data={"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(form)})
        data = {"current": PASSWORD, "password": "seven loud yellow gulls"}
        assert (await here.post(URL + "/password", data=data)).status_code == 303
        assert here.cookies[COOKIE] != mara.secret
        assert (await here.get(URL)).status_code == 200
        assert (await there.get(URL)).status_code == 303


async def test_the_devices_page_lists_and_ends_sessions(app):
    mara = await a_person(password=PASSWORD)
    async with Browser(app) as here, Browser(app) as there:
        here.enter(mara)
        form = await there.get("/sign-in")
        await there.post("/sign-in", data={"email": mara.actor.email, "password": PASSWORD, "_csrf": token_of(form)})
        page = await here.get("/settings/devices")
        assert page.text.count("Firefox on Linux") >= 2 and "This device" in page.text
        assert (await here.post("/settings/devices/closure")).status_code == 303
        assert (await there.get(URL)).status_code == 303
        assert (await here.get(URL)).status_code == 200
