"""The face a draft is tried by: what it asks, what it was given last, the same once more, what came out."""

from uuid import uuid4

import pytest

from app.errors import NotFound, Refused
from app.events import hub
from app.runs import queries as runs
from app.runs import running
from app.studio import queries, tries
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_flow

FIELDS = [
    {"name": "title", "label": "Title", "help": "As it stands on the label."},
    {"name": "weight", "kind": "number", "unit": "kg"},
    {"name": "password", "required": False},
    {"name": "kind", "kind": "choice", "choices": ["rose", "tulip"], "required": False},
]


def a_form() -> Flow:
    return Flow(
        [
            NodeUse("form", "start.form", settings={"title": "A label", "fields": FIELDS}),
            NodeUse("text", "ai.prompt", settings={"template": "{{ title }}: {{ weight }}, {{ password }}"}),
            NodeUse("answer", "show.answer"),
        ],
        [
            *(Edge(f"form.{name}", f"text.{name}") for name in ("title", "weight", "password")),
            Edge("text.text", "answer.text"),
        ],
        name="labels",
    )  # fmt: skip


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


async def tried(actor, flow, input, **more):
    events = [event async for event in await tries.start(actor, flow, input, **more)]
    return await runs.run(actor, (await tries.latest(actor, flow)).id), events[-1]


GIVEN = {"title": "Queen", "weight": 3, "password": "hunter2-and-more"}


async def test_the_face_knows_what_the_newest_try_was_given_without_its_secrets(actor):
    flow = await a_flow(actor, a_form())
    document, _ = await queries.draft(actor, flow)
    assert (await tries.face(actor, flow, document, [])).last is None
    run, _ = await tried(actor, flow, GIVEN)
    face = await tries.face(actor, flow, document, [])
    assert (face.kind, face.node, face.last.id) == ("form", "form", run.id)
    assert (face.value("title"), face.value("weight"), face.value("gone")) == ("Queen", 3, None)
    assert "hunter2" not in str(face)


async def test_the_same_input_again_is_whole_and_a_changed_one_keeps_the_secret_it_hides(actor):
    flow = await a_flow(actor, a_form())
    run, said = await tried(actor, flow, GIVEN)
    assert said["output"]["text"] == "Queen: 3, hunter2-and-more"
    _, said = await tried(actor, flow, None, again=run.id)
    assert said["output"]["text"] == "Queen: 3, hunter2-and-more"
    shown = (await tries.face(actor, flow, (await queries.draft(actor, flow))[0], [])).last
    _, said = await tried(actor, flow, {**shown.input, "title": "King"}, again=shown.id)
    assert said["output"]["text"] == "King: 3, hunter2-and-more"


async def test_input_of_a_run_of_another_flow_or_workspace_is_not_taken_and_none_at_all_is_refused(actor):
    flow, other = await a_flow(actor, a_form()), await a_flow(actor, a_form())
    run, _ = await tried(actor, flow, GIVEN)
    stranger = await an_actor()
    theirs = await a_flow(stranger, a_form())
    for who, where, which in ((actor, other, run.id), (stranger, theirs, run.id), (actor, flow, uuid4())):
        with pytest.raises(NotFound):
            await tries.start(who, where, None, again=which)
        with pytest.raises(NotFound):
            await tries.result(who, where, which)
    with pytest.raises(Refused, match="Nothing was given"):
        await tries.start(actor, flow, None)


async def test_what_the_start_step_refuses_names_the_field_in_the_states_of_the_run(actor):
    flow = await a_flow(actor, a_form())
    run, said = await tried(actor, flow, {"title": "Queen", "weight": "heavy"})
    assert said["type"] == "run.failed" and "must be a number" in said["error"]
    assert (await tries.ran(actor, run.id)).states["form"].error["field"] == "weight"


async def test_the_pages_of_the_face_and_of_what_came_out(app, signed_in, stranger):
    flow = await a_flow(signed_in.actor, a_form())
    page = (await signed_in.get(f"/flows/{flow}/try")).text
    assert "As it stands on the label." in page and ">kg<" in page and "<option>rose</option>" in page
    hostile = GIVEN | {"title": '"><script>alert(1)</script>'}
    sent = await signed_in.post(f"/flows/{flow}/tries", json={"input": hostile})
    assert sent.status_code == 200 and '"run.succeeded"' in sent.text
    run = (await tries.latest(signed_in.actor, flow)).id
    page = (await signed_in.get(f"/flows/{flow}/try")).text
    assert f'data-last="{run}"' in page and "&lt;script&gt;" in page and "<script>alert" not in page
    assert "hunter2" not in page
    result = (await signed_in.get(f"/flows/{flow}/tries/{run}/result")).text
    assert "Result" in result and "&lt;script&gt;" in result and "<script>alert" not in result
    again = await signed_in.post(f"/flows/{flow}/tries", json={"again": str(run)})
    assert "hunter2-and-more" in again.text
    assert (await signed_in.post(f"/flows/{flow}/tries", json={})).status_code == 422
    assert (await stranger.get(f"/flows/{flow}/tries/{run}/result")).status_code == 404
