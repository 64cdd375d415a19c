"""Attacks on a published site, and what its pages promise: the public application as strangers reach it."""

import base64
import re
from uuid import uuid4

import httpx
import pytest

from app.db import site_tx
from app.public import MAX_BODY, create_public_app
from app.sites import service
from app.sites.blocks import Chat, Hero, Text
from app.sites.forms import NewPageForm
from app.sites.visiting import previews
from app.web.hosts import Dispatcher
from app.web.session import COOKIE
from tests.factories.accounts import a_person
from tests.factories.sites import a_site, an_editor

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types agentbase-site; frame-ancestors "
)


class Visitor(httpx.AsyncClient):
    """A browser at one site: it sends Origin and Sec-Fetch-Site with a post, as a page of that site would."""

    def __init__(self, everything, slug: str) -> None:
        self.home = f"http://{slug}.localhost:8000"
        transport = httpx.ASGITransport(app=everything, raise_app_exceptions=False)
        super().__init__(transport=transport, base_url=self.home, headers={"accept": "text/html"})

    async def post(self, url, **options):
        headers = {"origin": self.home, "sec-fetch-site": "same-origin"} | options.pop("headers", {})
        return await super().post(url, headers=headers, **options)


@pytest.fixture
async def everything(app):
    """Both applications behind their door, as the server has them; the services are those of `app`."""
    public = create_public_app()
    async with public.lifespan():
        yield Dispatcher(app, public, services=None)


@pytest.fixture
async def place(everything):
    actor = await an_editor()
    site, page_id = await a_site(actor)
    async with Visitor(everything, site.slug) as visitor:
        yield actor, site, page_id, visitor


async def turns_kept(site) -> int:
    from app.db import tenant_tx

    async with tenant_tx(site.workspace_id) as tx:
        return await tx.fetchval("select count(*) from turn")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # another site of ours is a stranger, too
        {"origin": "https://evil.example"},
        {"origin": "http://other.localhost:8000"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "null"},
    ],
)
async def test_a_question_sent_from_another_site_is_refused_and_nothing_is_kept(place, headers):
    _, site, page_id, visitor = place
    answer = await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert await turns_kept(site) == 0


@pytest.mark.parametrize("path", ["/chat/{}/chat/ending", "/form/{}/form"])
async def test_every_other_post_is_guarded_in_the_same_way(place, path):
    _, _, page_id, visitor = place
    answer = await visitor.post(path.format(page_id), headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


async def test_a_host_that_is_no_site_s_gets_nothing(place):
    _, site, _, visitor = place
    unknown = await visitor.get("/", headers={"host": f"no-{uuid4().hex[:8]}.localhost:8000"})
    assert unknown.status_code == 404 and site.name not in unknown.text
    for host in ("evil.example", f"{site.slug}.evil.example", f"{site.slug}.localhost.evil.example", ""):
        assert (await visitor.get("/", headers={"host": host})).status_code == 421, host
    below = await visitor.get("/", headers={"host": f"a.{site.slug}.localhost:8000"})
    assert below.status_code == 404
    assert (await visitor.get("/", headers={"host": f"{site.slug.upper()}.LocalHost:8000"})).status_code == 200


async def test_on_a_site_s_host_there_is_no_dashboard_no_api_and_no_webhook(place):
    _, _, _, visitor = place
    for path in ("/sign-in", "/flows", "/connections", "/api/v1/flows", "/events", "/health/ready", "/setup"):
        assert (await visitor.get(path)).status_code == 404, path
    assert (await visitor.post(f"/hooks/{'A' * 43}")).status_code in (404, 405)


@pytest.mark.parametrize("size", [MAX_BODY + 1, MAX_BODY * 20])
async def test_more_than_a_visitor_may_send_is_413(place, size):
    _, site, page_id, visitor = place
    answer = await visitor.post(f"/chat/{page_id}/chat", data={"message": "x" * size})
    assert answer.status_code == 413

    async def endless():
        for _ in range(size // 1000 + 1):
            yield b"message=" + b"x" * 1000

    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await visitor.post(f"/chat/{page_id}/chat", content=endless(), headers=form)).status_code == 413
    assert await turns_kept(site) == 0


async def test_a_question_longer_than_its_field_is_refused(place):
    _, site, page_id, visitor = place
    assert (await visitor.post(f"/chat/{page_id}/chat", data={"message": "x" * 4_001})).status_code == 400
    assert await turns_kept(site) == 0


async def test_every_answer_has_exactly_this_policy(place):
    _, _, page_id, visitor = place
    answers = [await visitor.get(path) for path in ("/", "/nothing", "/colours.css", "/sitemap.xml", "/preview/x")]
    answers.append(await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"}))
    for answer in answers:
        assert answer.headers.get_list("content-security-policy") == [CSP + "'none'"], answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"


async def test_a_page_needs_no_inline_script_or_style(place):
    _, _, _, visitor = place
    page = (await visitor.get("/")).text
    assert " style=" not in page and "<style" not in page and " onclick" not in page
    assert all('src="' in tag.partition(">")[0] for tag in page.split("<script")[1:])


async def test_the_dashboard_s_cookie_is_neither_read_nor_set(place):
    actor, _, page_id, visitor = place
    owner = await a_person(workspace_id=actor.workspace_id)
    plain = await visitor.get("/")
    with_cookie = await visitor.get("/", headers={"cookie": f"{COOKIE}={owner.secret}"})
    assert with_cookie.text == plain.text
    assert "set-cookie" not in plain.headers and "set-cookie" not in with_cookie.headers
    asked = await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"})
    [line] = asked.headers.get_list("set-cookie")
    assert line.startswith("visitor=") and "HttpOnly" in line and "SameSite=lax" in line
    assert "Domain" not in line and COOKIE not in line


async def test_a_visitor_s_cookie_opens_nothing_on_the_dashboard(place, everything):
    _, _, page_id, visitor = place
    await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"})
    secret = visitor.cookies["visitor"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=everything), base_url="http://127.0.0.1:8000"
    ) as browser:
        for name in (COOKIE, "visitor"):
            answer = await browser.get("/flows", headers={"cookie": f"{name}={secret}", "accept": "text/html"})
            assert answer.status_code == 303 and "/sign-in" in answer.headers["location"]


async def test_a_draft_is_shown_with_a_ticket_of_its_own_page_only(place):
    actor, site, _, visitor = place
    draft = await service.add_page(actor, site.id, NewPageForm("Secret plan", "/plan"), [Text("t", "Not yet public")])
    assert (await visitor.get("/plan")).status_code == 404
    shown = await visitor.get(f"/preview/{previews.ticket(draft)}")
    assert shown.status_code == 200 and "Not yet public" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "set-cookie" not in shown.headers and "<script" not in shown.text


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "localhost:8000", "192.168.1.7:8000", "[::1]:8000"])
async def test_a_preview_may_be_framed_by_the_dashboard_under_the_name_it_was_opened_by_and_no_other(place, app, name):
    actor, _, page_id, visitor = place
    person = await a_person(workspace_id=actor.workspace_id)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{name}") as browser:
        editor = await browser.get(f"/site/pages/{page_id}", headers={"cookie": f"{COOKIE}={person.secret}"})
    found = re.search(r'<iframe src="([^"]+)"', editor.text)
    assert found, editor.text[:500]
    shown = await visitor.get(found.group(1))
    assert shown.status_code == 200 and shown.headers["content-security-policy"] == f"{CSP}http://{name}"


async def test_a_preview_that_is_over_says_so_in_the_editor_s_frame(place, monkeypatch):
    _, _, page_id, visitor = place
    with monkeypatch.context() as patch:
        patch.setattr(previews, "SECONDS", -1)
        over = previews.ticket(page_id, "http://localhost:8000")
    shown = await visitor.get(f"/preview/{over}")
    assert shown.status_code == 404 and "This preview is over" in shown.text
    assert shown.headers["content-security-policy"] == f"{CSP}http://localhost:8000"


async def test_a_host_that_is_no_host_reaches_no_header(place):
    _, _, page_id, visitor = place
    for hostile in ("http://[::1]; script-src *", "http://a b", "javascript:x", "http://" + "a" * 900, ""):
        shown = await visitor.get(f"/preview/{previews.ticket(page_id, hostile)}")
        assert shown.status_code == 200 and shown.headers["content-security-policy"] == f"{CSP}'none'"


async def test_a_ticket_that_is_forged_over_or_of_another_site_shows_nothing(place, monkeypatch):
    actor, site, _, visitor = place
    draft = await service.add_page(actor, site.id, NewPageForm("Secret plan", "/plan"), [Text("t", "Not yet public")])
    _, theirs = await a_site(await an_editor(), Hero("top", "Their secret"), publish=False)
    good = previews.ticket(draft)
    raw = base64.urlsafe_b64decode(good + "==")
    flipped = [bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :]) for at in (0, 17, 23, 24, 39)]
    tickets = [base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in flipped]
    tickets += [good[:-4], good + "AAAA", "x", "%00", "ä", previews.ticket(theirs), previews.ticket(uuid4())]
    with monkeypatch.context() as patch:
        patch.setattr(previews, "SECONDS", -1)
        tickets.append(previews.ticket(draft))
    for ticket in tickets:
        answer = await visitor.get(f"/preview/{ticket}")
        assert answer.status_code == 404, ticket
        assert "Not yet public" not in answer.text and "Their secret" not in answer.text


async def test_a_page_that_was_taken_off_is_gone_with_all_its_parts_and_comes_back(place):
    actor, site, page_id, visitor = place
    assert (await visitor.get("/")).status_code == 200
    await service.unpublish_page(actor, page_id)
    assert (await visitor.get("/")).status_code == 404
    assert (await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"})).status_code == 404
    assert f"{visitor.home}/<" not in (await visitor.get("/sitemap.xml")).text
    assert await turns_kept(site) == 0
    await service.publish_page(actor, page_id)
    assert (await visitor.get("/")).status_code == 200


async def test_a_part_that_is_only_in_the_draft_can_t_be_asked(place):
    actor, site, page_id, visitor = place
    await service.add_block(actor, page_id, Chat("later", uuid4(), title="Not yet"), 0)
    assert (await visitor.post(f"/chat/{page_id}/later", data={"message": "Hi"})).status_code == 404
    assert (await visitor.post(f"/chat/{page_id}/top", data={"message": "Hi"})).status_code == 404
    _, theirs = await a_site(await an_editor())
    assert (await visitor.post(f"/chat/{theirs}/chat", data={"message": "Hi"})).status_code == 404
    assert await turns_kept(site) == 0


async def test_thirty_questions_in_a_row_are_too_many_whoever_says_he_asks(place):
    """A new cookie for every question doesn't help: the network counts."""
    _, site, page_id, visitor = place
    answers = []
    for _ in range(30):
        visitor.cookies.clear()
        answers.append(await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"}))
    codes = [answer.status_code for answer in answers]
    assert codes[:8] == [303] * 8
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 19 and set(codes) == {303, 429}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert "Try again in" in refused[0].text
    assert await turns_kept(site) == 2 * codes.count(303)
    assert (await visitor.get("/")).status_code == 200, "reading is not limited"


async def test_what_a_visitor_writes_is_shown_as_text(place):
    _, _, page_id, visitor = place
    words = "<img src=x onerror=alert(1)><script>alert(2)</script> {{ 7*7 }}"
    await visitor.post(f"/chat/{page_id}/chat", data={"message": words})
    page = (await visitor.get("/")).text
    assert "<img src=x" not in page and "<script>alert" not in page and "{{ 7*7 }}" in page


async def test_markdown_of_an_editor_brings_no_script_to_visitors(place):
    actor, site, _, visitor = place
    text = "[a](javascript:alert(1)) <script>alert(1)</script> <a href='x' onclick='y'>b</a> ![](data:text/html,x)"
    page = await service.add_page(actor, site.id, NewPageForm("Words", "/words"), [Text("t", text)])
    await service.publish_page(actor, page)
    shown = (await visitor.get("/words")).text
    assert 'href="javascript' not in shown and "<script>alert" not in shown and "<a href='x'" not in shown


async def test_the_role_of_sites_can_t_reach_what_is_not_public(place):
    import asyncpg

    _, site, _, _ = place
    for table in ("user_account", "session", "api_key", "connection", "run", "invite", "outbox"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with site_tx(site.workspace_id) as tx:
                await tx.fetch(f"select * from {table} limit 1")


# ------------------------------------------------------------------------------------------------- the API's twins


async def test_the_api_shows_changes_publishes_and_withdraws_like_the_editor(api, signed_in, everything):
    actor = signed_in.actor
    assert (await api.get("/api/v1/site")).status_code == 404
    site, page_id = await a_site(actor, publish=False)
    told = (await api.get("/api/v1/site")).json()
    assert told["slug"] == site.slug and [page["id"] for page in told["pages"]] == [str(page_id)]
    page = (await api.get(f"/api/v1/pages/{page_id}")).json()
    form = {
        "title": "Front",
        "rev": page["rev"],
        "path": "/",
        "blocks": [{"kind": "hero", "id": "h", "title": "By API"}],
    }
    assert (await api.put(f"/api/v1/pages/{page_id}", json=form)).json()["rev"] == page["rev"] + 1
    assert (await api.put(f"/api/v1/pages/{page_id}", json=form)).status_code == 409
    async with Visitor(everything, site.slug) as visitor:
        assert (await visitor.get("/")).status_code == 404
        assert (await api.post(f"/api/v1/pages/{page_id}/versions")).json() == {"number": 1}
        assert "By API" in (await visitor.get("/")).text
        assert (await api.delete(f"/api/v1/pages/{page_id}/publication")).status_code == 204
        assert (await visitor.get("/")).status_code == 404
    changed = await api.put(f"/api/v1/site/{site.id}", json={"name": "Fern", "slug": site.slug, "hue": 20})
    assert changed.status_code == 204
    assert (await api.get("/api/v1/site")).json()["name"] == "Fern"


async def test_somebody_else_s_site_and_page_answer_like_unknown_ones(api):
    site, page_id = await a_site(await an_editor())
    page = {"title": "x", "rev": 1}
    for method, path, body in (
        ("GET", "/api/v1/pages/{page}", None),
        ("PUT", "/api/v1/pages/{page}", page),
        ("POST", "/api/v1/pages/{page}/versions", None),
        ("POST", "/api/v1/pages/{page}/versions/1/restoration", None),
        ("DELETE", "/api/v1/pages/{page}/publication", None),
        ("PUT", "/api/v1/site/{site}", {"name": "Mine", "slug": "mine"}),
        ("POST", "/api/v1/site/{site}/pages", {"title": "x", "path": "/x"}),
    ):
        foreign = await api.request(method, path.format(page=page_id, site=site.id), json=body)
        unknown = await api.request(method, path.format(page=uuid4(), site=uuid4()), json=body)
        assert foreign.status_code == unknown.status_code == 404, (method, path, foreign.text)
        assert foreign.json() == unknown.json(), (method, path)
