"""A page asks the database a fixed number of questions, however much there is to show."""

from uuid import UUID, uuid4

import httpx
import pytest

from app.public import create_public_app
from app.runs import service as runs
from app.sites import service as sites
from app.sites.blocks import Chat, Hero, Text
from app.sites.forms import NewPageForm
from app.studio import service as studio
from app.web.actor import Actor
from app.web.hosts import Dispatcher
from tests.factories.runs import a_chain
from tests.factories.sites import public
from tests.factories.studio import a_flow

MOST = {
    "/": 9,
    "/flows": 6,
    "/flows/{flow}": 8,
    "/flows/{flow}/versions": 4,
    "/flows/{flow}/history": 10,
    "/flows/{flow}/comparison": 8,
    "/runs": 4,
    "/runs/{run}": 5,
    "/connections": 7,
    "/site": 4,
    "/site/pages/{page}": 5,
    "/settings/members": 5,
    "/settings/keys": 5,
    "/settings/devices": 5,
    "/settings/profile": 5,
    "/start": 5,
}
"""Statements, the one for the session included. Not a goal: a page that needs more must say here why."""
PARTS = {"/flows/{flow}/versions"}
"""Of a page, fetched by it: by its address alone one gets elsewhere."""


async def _fill(actor: Actor, site: UUID, flows: int) -> dict[str, object]:
    """Flows that are live and ran twice, each with a published page of the site. Returns the ids of the last."""
    made: dict[str, object] = {}
    for _ in range(flows):
        flow = await a_flow(actor, a_chain(4, start="start.api"))
        version = await studio.publish(actor, flow, "First", "")
        for _ in range(2):
            ran = await runs.answer(actor, version, {}, trigger="api")
        blocks = (Hero("top", "Ask us"), Text("text", "**Words**"), Chat("chat", flow, title="Help desk"))
        page = await sites.add_page(actor, site, NewPageForm("Page", f"/p-{uuid4().hex[:8]}"), blocks)
        await sites.publish_page(actor, page)
        made = {"flow": flow, "run": ran.run_id, "page": page}
    return made


@pytest.fixture
async def site(signed_in) -> UUID:
    return await sites.open_site(signed_in.actor, f"Garden {uuid4().hex[:8]}")


async def test_a_dashboard_page_asks_as_much_of_a_full_workspace_as_of_a_small_one(signed_in, site, statements):
    async def asked_by(pages: dict[str, object]) -> dict[str, list[str]]:
        found = {}
        for pattern in MOST:
            path = pattern.format(**pages)
            headers = {"HX-Request": "true"} if pattern in PARTS else {}
            await signed_in.get(path, headers=headers)  # what is remembered by a process is not counted
            statements.clear()
            answer = await signed_in.get(path, headers=headers)
            assert answer.status_code == 200, (path, answer.text[-500:])
            found[pattern] = list(statements)
        return found

    small = await asked_by(await _fill(signed_in.actor, site, 1))
    large = await asked_by(await _fill(signed_in.actor, site, 12))
    for pattern, most in MOST.items():
        assert len(large[pattern]) == len(small[pattern]), (pattern, large[pattern])
        assert 1 <= len(small[pattern]) <= most, (pattern, "\n".join(small[pattern]))


async def test_a_page_of_a_site_asks_one_question_of_a_reader_and_two_of_a_visitor_known_by_a_chat(
    signed_in, site, statements, app
):
    async def asked_by(headers: dict[str, str]) -> list[str]:
        transport = httpx.ASGITransport(app=Dispatcher(app, create_public_app(), services=None))
        async with httpx.AsyncClient(transport=transport, headers={"accept": "text/html"}) as visitor:
            await visitor.get(url, headers=headers)
            statements.clear()
            answer = await visitor.get(url, headers=headers)
            assert answer.status_code == 200 and "Ask us" in answer.text
            return list(statements)

    for pages in (1, 8):
        await _fill(signed_in.actor, site, pages)
        url = f"http://{(await public(signed_in.actor, site)).slug}.localhost:8000/"
        assert len(await asked_by({})) == 1, statements
        assert len(await asked_by({"cookie": f"visitor={'x' * 32}"})) == 2, statements
