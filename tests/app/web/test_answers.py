"""Headers, errors, limits, hosts: what every answer has in common."""

import re

import asyncpg
import msgspec
import pytest

from app.db import tenant_tx
from app.main import create_app
from app.web.hosts import Dispatcher, host_of
from app.web.places import safe_path
from tests.app.browser import ORIGIN, Browser


async def test_a_page_may_load_only_our_own_things_and_run_only_scripts_with_its_nonce(signed_in):
    page = await signed_in.get("/settings/profile")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert (
        policy["default-src"] == "'none'" and policy["base-uri"] == "'none'" and policy["frame-ancestors"] == "'none'"
    )
    nonce = re.search(r"'nonce-([^']+)' 'strict-dynamic'", policy["script-src"])
    assert nonce
    assert set(re.findall(r'<script[^>]*nonce="([^"]+)"', page.text)) == {nonce.group(1)}
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    again = await signed_in.get("/settings/profile")
    assert again.headers["content-security-policy"] != page.headers["content-security-policy"]


async def test_errors_are_protected_like_everything_else(client):
    page = await client.get("/nothing/here")
    assert page.status_code == 404 and "There is nothing here" in page.text
    assert "content-security-policy" in page.headers and page.headers["x-request-id"]


async def test_an_error_page_leads_back_to_where_it_was_sent_from_and_nowhere_else(signed_in):
    came = {"referer": f"{ORIGIN}/runs?state=failed"}
    refused = await signed_in.post("/runs/cancellations", data={}, headers=came)
    assert refused.status_code == 422 and 'href="/runs?state=failed"' in refused.text
    for referer in ("https://evil.example/flows", f"{ORIGIN}//evil.example", "http://[", "", "/flows"):
        page = await signed_in.get("/nothing/here", headers={"referer": referer})
        assert page.status_code == 404 and "Back to where you were" not in page.text and "evil" not in page.text
    itself = await signed_in.get("/nothing/here", headers={"referer": f"{ORIGIN}/nothing/here"})
    assert "Back to where you were" not in itself.text


async def test_what_is_wrong_is_said_once(signed_in):
    page = await signed_in.post("/runs/keeping", data={"days": "0"})
    assert page.status_code == 422
    said = re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2].partition("</main>")[0])
    words = [sentence.strip() for sentence in re.split(r"[.\n]", said) if len(sentence.strip()) > 12]
    assert len(words) == len(set(words)), words


async def test_the_api_answers_errors_as_problem_json(api):
    answer = await api.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "There is nothing here."
    wrong = await api.post("/api/v1/openapi.json")
    assert wrong.status_code == 405 and "openapi.json lists" in wrong.json()["remedy"], "no page to go back to"


async def test_the_api_wants_a_key_and_a_cookie_is_none(signed_in):
    answer = await signed_in.get("/api/v1/me")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    for attempt in ("?token=x", "?api_key=x"):
        assert (await signed_in.get("/api/v1/me" + attempt)).status_code == 401


async def test_a_wrong_body_names_every_field_and_what_to_do(api):
    answer = await api.post("/api/v1/invites", json={"role": "king", "email": "no", "more": 1})
    assert answer.status_code == 422
    fields = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert set(fields) == {"role", "email", "more"}
    assert fields["role"] == "Choose one of the values in the list."


async def test_json_that_is_none_is_said_so(api):
    answer = await api.post("/api/v1/invites", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"


async def test_more_than_a_megabyte_is_refused_before_it_is_parsed(signed_in, api):
    big = b"name=" + b"x" * 1_100_000
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await signed_in.post("/settings/profile", content=big, headers=form)).status_code == 413

    async def chunks():
        for _ in range(120):
            yield b" " * 10_000

    answer = await api.post("/api/v1/invites", content=chunks(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


async def test_an_unknown_exception_shows_an_id_and_nothing_else(app, signed_in, monkeypatch):
    async def broken(actor):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("app.accounts.queries.profile", broken)
    page = await signed_in.get("/settings/profile")
    assert page.status_code == 500 and "Something broke on our side" in page.text
    assert page.headers["x-request-id"] in page.text and "hunter2" not in page.text


async def test_a_database_that_was_busy_is_no_fault_of_ours_and_the_same_may_be_sent_again(api, monkeypatch):
    async def busy(actor):
        async with tenant_tx(actor.workspace_id) as tx:
            await tx.execute("set local statement_timeout = 1")
            await tx.execute("select pg_sleep(5)")

    monkeypatch.setattr("app.studio.queries.flows", busy)
    answer = await api.get("/api/v1/flows")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), answer.text
    assert answer.json()["title"] == "The database was busy with something else. Nothing was changed."


async def test_a_key_is_known_also_right_after_the_database_cut_all_connections(api, settings):
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'agentbase-web-system'"
    assert (await api.get("/api/v1/me")).status_code == 200
    owner = await asyncpg.connect(settings.owner_url)
    try:
        assert await owner.fetch(f"{cut} and datname = current_database()"), "there was one"
    finally:
        await owner.close()
    assert (await api.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "body", [{"name": "a\0b"}, {"document": {"name": "x", "nodes": [{"id": "n", "type": "note.note", "label": "\0"}]}}]
)
async def test_a_character_that_no_database_text_may_hold_is_refused(api, body):
    answer = await api.post("/api/v1/flows", json=body)
    assert answer.status_code == 422 and "NUL" in answer.json()["title"], answer.text


async def test_htmx_gets_a_form_back_with_the_reasons_and_a_toast_for_what_has_no_form(signed_in):
    answer = await signed_in.htmx("POST", "/settings/keys", data={"name": "", "rights": "run"})
    assert answer.status_code == 422 and answer.text.lstrip().startswith("<form") and "Fill this in." in answer.text
    gone = await signed_in.htmx("POST", "/settings/keys/01993d5e-0000-7000-8000-000000000001/revocation")
    assert gone.status_code == 404 and gone.headers["hx-reswap"] == "none"
    toast = msgspec.json.decode(gone.headers["hx-trigger"])["toast"]
    assert toast["kind"] == "danger" and "does not exist" in toast["text"]


async def test_htmx_of_a_stranger_is_sent_to_the_sign_in_page(client):
    answer = await client.htmx("GET", "/settings/profile")
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_a_toast_waits_for_the_next_page_and_is_shown_once(signed_in):
    await signed_in.post("/settings/profile", data={"name": "Mara", "theme": "dark", "density": "compact"})
    assert "Profile saved." in (await signed_in.get("/settings/profile")).text
    assert "Profile saved." not in (await signed_in.get("/settings/profile")).text


async def test_health_answers_without_a_session(client):
    assert (await client.get("/health/live")).json() == {"status": "live"}
    assert (await client.get("/health/ready")).status_code in (200, 503)


async def test_the_description_of_the_api_has_only_the_api(client):
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/me" in document["paths"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])


class Echo:
    """Stands in for the app of published sites."""

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a site", "more_body": False})

    def lifespan(self):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost:8000", 303),
        ("127.0.0.1", 303),
        ("[::1]:8000", 303),
        ("192.168.1.20:8000", 303),
        ("fernhill.localhost:8000", 200),
        ("FERNHILL.localhost", 200),
        ("shop.fernhill.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil-localhost", 421),
        ("localhost:80x", 421),
        ("", 421),
    ],
)
async def test_the_host_decides_which_application_answers(app, host, answer):
    door = Dispatcher(app, Echo(), create_app, knows=lambda name: name == "shop.fernhill.example")
    async with Browser(door) as browser:
        got = await browser.get("/settings/profile", headers={"host": host})
    assert got.status_code == answer
    if answer == 200:
        assert got.text == "a site"


def test_a_host_is_compared_without_port_case_and_final_dot():
    assert host_of({"headers": [(b"host", b"LocalHost.:8000")]}) == "localhost"
    assert host_of({"headers": [(b"host", b"[::1]:8000")]}) == "[::1]"
    assert host_of({"headers": [(b"host", b"a:b:c")]}) == ""


@pytest.mark.parametrize("path", ["//e", "/\\e", "e", "https://e", "/ok\r\nx", "/\x00", "\\e", ""])
def test_only_own_paths_are_places_to_go(path):
    assert safe_path(path) == "/"


async def test_static_files_are_kept_for_a_year_and_nothing_else_is_served(client):
    for name in ("../pyproject.toml", "%2e%2e/pyproject.toml", "..%5c..%5cpyproject.toml", "%00", "nothing.css", ""):
        assert (await client.get(f"/static/{name}")).status_code in (404, 405), name
    from app.web.static import DIST

    for file in list(DIST.glob("*.css"))[:1]:
        answer = await client.get(f"/static/{file.name}", headers={"accept-encoding": "gzip"})
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith("text/css") and answer.headers["content-encoding"] == "gzip"
        assert answer.text == file.read_text()


def test_origin_of_the_tests_is_a_dashboard_host():
    assert ORIGIN.startswith("http://127.0.0.1")
