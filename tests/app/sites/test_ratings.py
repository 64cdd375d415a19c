"""Visitors rate answers: below a chat's, below a form's; only their own; not too often; without scripts."""

import re
from uuid import uuid4

import pytest

from app.public import create_public_app
from app.runs import listing, queries
from app.runs.listing import RunFilter
from app.sites.blocks import Chat, Form
from app.studio import service as studio
from app.web.hosts import Dispatcher
from flows.model import Edge, Flow, NodeUse
from tests.app.sites.test_visiting import Visitor
from tests.factories.sites import a_site, an_editor
from tests.factories.studio import a_document, a_flow

FORM = Flow(
    name="Letter",
    nodes=[
        NodeUse("ask", "start.form", settings={"fields": [{"name": "topic", "label": "Topic"}]}),
        NodeUse("write", "ai.prompt", settings={"template": "About {{ topic }}"}),
        NodeUse("reply", "show.answer"),
    ],
    edges=[Edge("ask.topic", "write.topic"), Edge("write.text", "reply.text")],
)


@pytest.fixture
async def everything(app):
    public = create_public_app()
    async with public.lifespan():
        yield Dispatcher(app, public, services=None)


@pytest.fixture
async def place(everything):
    actor = await an_editor()
    flows = [await a_flow(actor, document) for document in (a_document(), FORM)]
    for flow in flows:
        await studio.publish(actor, flow, "", "")
    site, page_id = await a_site(actor, Chat("chat", flows[0], title="Help"), Form("form", flows[1], title="Write"))
    async with Visitor(everything, site.slug) as visitor:
        yield actor, page_id, visitor


async def the_run(actor):
    return (await listing.listed(actor, RunFilter())).runs[0].id


async def test_an_answer_is_rated_without_scripts_and_the_run_knows(place):
    actor, page_id, visitor = place
    await visitor.post(f"/chat/{page_id}/chat", data={"message": "How deep?"})
    shown = (await visitor.get("/")).text
    action = re.search(rf'action="(/rating/{page_id}/chat/[0-9a-f-]+)"', shown)[1]
    done = await visitor.post(action, data={"good": "true"})
    run = await the_run(actor)
    assert done.status_code == 303 and done.headers["location"] == f"/#rating-{run}"
    shown = (await visitor.get("/")).text
    assert 'aria-label="Good answer" aria-pressed="true"' in shown and "Thank you." in shown
    part = await visitor.post(action, data={"good": "false", "note": "Too deep"}, headers={"x-fragment": "rating"})
    assert part.status_code == 200 and part.text.startswith("<div") and "Thank you." in part.text
    assert 'aria-label="Bad answer" aria-pressed="true"' in part.text and "optional" not in part.text
    (rating,) = (await queries.run(actor, run)).ratings
    assert (rating.good, rating.note, rating.user_id) == (False, "Too deep", None)


async def test_the_result_of_a_form_is_rated_and_stays_on_the_page(place):
    actor, page_id, visitor = place
    sent = await visitor.post(f"/form/{page_id}/form", data={"topic": "tulips"})
    assert sent.status_code == 200 and "About tulips" in sent.text
    run = await the_run(actor)
    rated = await visitor.post(f"/rating/{page_id}/form/{run}", data={"good": "true"})
    assert rated.status_code == 200 and "About tulips" in rated.text and "Thank you." in rated.text
    assert [each.good for each in (await queries.run(actor, run)).ratings] == [True]


async def test_nobody_rates_an_answer_to_somebody_else(place):
    actor, page_id, visitor = place
    await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"})
    run = await the_run(actor)
    mine = dict(visitor.cookies)
    visitor.cookies.clear()
    assert (await visitor.post(f"/rating/{page_id}/chat/{run}", data={"good": "true"})).status_code == 404
    await visitor.post(f"/chat/{page_id}/chat", data={"message": "I am another"})
    assert (await visitor.post(f"/rating/{page_id}/chat/{run}", data={"good": "true"})).status_code == 404
    visitor.cookies.clear()
    visitor.cookies.update(mine)
    for path in (f"/rating/{uuid4()}/chat/{run}", f"/rating/{page_id}/none/{run}", f"/rating/{page_id}/chat/{uuid4()}"):
        assert (await visitor.post(path, data={"good": "true"})).status_code == 404, path
    here = f"/rating/{page_id}/chat/{run}"
    assert (
        await visitor.post(here, data={"good": "true"}, headers={"sec-fetch-site": "cross-site"})
    ).status_code == 403
    assert (await visitor.post(here, data={"good": "true", "note": "x" * 501})).status_code == 400
    assert (await visitor.post(here, data={})).status_code == 400
    assert (await queries.run(actor, run)).ratings == []


async def test_many_opinions_in_a_row_are_too_many(place):
    actor, page_id, visitor = place
    await visitor.post(f"/chat/{page_id}/chat", data={"message": "Hi"})
    here = f"/rating/{page_id}/chat/{await the_run(actor)}"
    codes = [(await visitor.post(here, data={"good": "true"})).status_code for _ in range(14)]
    assert codes[:10] == [303] * 10 and set(codes) == {303, 429}
