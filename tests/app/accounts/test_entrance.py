import asyncio

import pytest

from app import config
from app.accounts import service
from app.accounts.forms import SetupForm
from app.accounts.sessions import Device
from app.db import system_tx
from app.errors import Conflict
from app.main import create_app
from app.web.session import COOKIE
from tests.app.browser import HOST, Browser, token_of
from tests.factories.accounts import PASSWORD, a_person

FORM = {"site_name": "Fernhill Garden", "email": "mara@fernhill.example", "password": PASSWORD}


@pytest.fixture
async def first(empty_db):
    """A browser in front of an instance that nobody has set up."""
    app = create_app()
    async with app.lifespan(), Browser(app) as browser:
        yield browser


async def test_a_fresh_instance_leads_to_the_setup_form_and_from_there_in_one_step_to_the_start(first):
    assert (await first.get("/sign-in")).headers["location"] == "/setup"
    page = await first.get("/setup")
    assert page.status_code == 200 and "Make it yours" in page.text
    done = await first.post("/setup", data=FORM | {"_csrf": token_of(page)})
    assert (done.status_code, done.headers["location"]) == (303, "/start")
    profile = await first.get("/settings/profile")
    assert profile.status_code == 200 and "mara@fernhill.example" in profile.text


async def test_the_first_page_promises_a_model_only_where_there_is_one(first):
    assert "a model is already installed" not in (await first.get("/setup")).text
    with config.using(local_model_url="http://127.0.0.1:9/v1"):
        assert "stays on this computer, and a model is already installed." in (await first.get("/setup")).text
        elsewhere = await first.get("/setup", headers={"x-forwarded-for": "203.0.113.9"})
        assert "stays on the machine that Agentbase runs on" in elsewhere.text


async def test_the_setup_runs_once_and_then_never_again(first):
    token = token_of(await first.get("/setup"))
    assert (await first.post("/setup", data=FORM | {"_csrf": token})).status_code == 303
    async with Browser(first._transport.app) as late:  # type: ignore[attr-defined]
        assert (await late.get("/setup")).headers["location"] == "/sign-in"
        token = token_of(await late.get("/sign-in"))
        second = await late.post("/setup", data=FORM | {"_csrf": token, "email": "eve@example.org"})
        assert second.status_code == 409 and "already belongs to somebody" in second.text


async def test_of_two_people_who_set_up_at_once_one_wins(empty_db):
    forms = [SetupForm("A", f"{name}@example.org", PASSWORD) for name in ("ann", "bob", "cyd")]
    results = await asyncio.gather(*(service.set_up(form, Device()) for form in forms), return_exceptions=True)
    assert sum(isinstance(each, service.SignedIn) for each in results) == 1
    assert sum(isinstance(each, Conflict) for each in results) == 2
    async with system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from user_account") == 1
        assert await tx.fetchval("select count(*) from workspace") == 1


async def test_every_field_of_the_setup_form_says_what_it_needs_and_keeps_what_was_typed(first):
    token = token_of(await first.get("/setup"))
    answer = await first.post("/setup", data={"site_name": "", "email": "mara", "password": "short", "_csrf": token})
    assert answer.status_code == 422
    assert "Fill this in." in answer.text and "At least 10 characters." in answer.text
    assert 'value="mara"' in answer.text and "short" not in answer.text


async def test_from_another_machine_the_setup_wants_the_printed_code(first):
    first._transport.client = ("192.168.1.77", 1)  # type: ignore[attr-defined]
    page = await first.get("/setup")
    assert "Set-up code" in page.text
    refused = await first.post("/setup", data=FORM | {"_csrf": token_of(page), "code": "aaaa"})
    assert refused.status_code == 403 and "not the set-up code" in refused.text
    done = await first.post("/setup", data=FORM | {"_csrf": token_of(page), "code": service.setup_code()})
    assert done.status_code == 303


async def test_a_proxy_on_this_machine_does_not_make_a_stranger_local(first):
    page = await first.get("/setup", headers={"x-forwarded-for": "203.0.113.9"})
    assert "Set-up code" in page.text


async def test_the_variables_set_an_instance_up_without_a_form(empty_db):
    with config.using(admin_email="op@example.org", admin_password=config.Secret(PASSWORD), site_name="Ops"):
        assert await service.set_up_unattended() is True
        assert await service.set_up_unattended() is False
        entered = await service.sign_in("op@example.org", PASSWORD, Device())
        assert entered.secret


@pytest.mark.parametrize("password", ["short", "password123", "1234567890"])
async def test_a_weak_password_in_the_variables_stops_the_start(empty_db, password):
    with (
        config.using(admin_email="op@example.org", admin_password=config.Secret(password)),
        pytest.raises(config.SettingError, match="AGENTBASE_ADMIN_PASSWORD"),
    ):
        await service.set_up_unattended()


async def test_signing_in_opens_what_was_asked_for_before(client):
    mara = await a_person(password=PASSWORD)
    asked = await client.get("/settings/keys?x=1")
    assert asked.headers["location"] == "/sign-in?next=%2Fsettings%2Fkeys%3Fx%3D1"
    form = await client.get(asked.headers["location"])
    data = {"email": mara.actor.email.upper(), "password": PASSWORD, "next": "/settings/keys?x=1"}
    done = await client.post("/sign-in", data=data | {"_csrf": token_of(form)})
    assert (done.status_code, done.headers["location"]) == (303, "/settings/keys?x=1")
    assert (await client.get("/settings/keys")).status_code == 200


async def test_without_a_place_to_go_back_to_the_way_to_sign_in_is_a_bare_path(client):
    await a_person(password=PASSWORD)
    assert (await client.get("/")).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    "evil", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil"]
)
async def test_signing_in_never_leads_to_another_site(client, evil):
    mara = await a_person(password=PASSWORD)
    token = token_of(await client.get("/sign-in"))
    data = {"email": mara.actor.email, "password": PASSWORD, "next": evil, "_csrf": token}
    assert (await client.post("/sign-in", data=data)).headers["location"] == "/"


async def test_unknown_people_and_wrong_passwords_get_the_same_answer(client):
    mara = await a_person(password=PASSWORD)
    answers = []
    for email in (mara.actor.email, "nobody@fernhill.example"):
        token = token_of(await client.get("/sign-in"))
        answer = await client.post("/sign-in", data={"email": email, "password": "wrong wrong", "_csrf": token})
        assert answer.status_code == 422
        answers.append(answer.text.split("form__error")[1].split("</p>")[0])
    assert answers[0] == answers[1]


async def test_after_ten_wrong_tries_an_account_rests(client):
    mara = await a_person(password=PASSWORD)
    token = token_of(await client.get("/sign-in"))
    data = {"email": mara.actor.email, "password": "wrong wrong wrong", "_csrf": token}
    codes = [(await client.post("/sign-in", data=data)).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


async def test_signing_out_ends_the_session_for_good(signed_in):
    secret = signed_in.secret
    assert (await signed_in.post("/sign-out")).headers["location"] == "/sign-in"
    signed_in.cookies.set(COOKIE, secret, domain=HOST)
    assert (await signed_in.get("/settings/profile")).headers["location"].startswith("/sign-in")
