"""The face a draft is tried by: what it asks, what it was given last, the same once more, what came out."""

from uuid import uuid4

import msgspec
import pytest

from app.errors import NotFound, Refused
from app.events import hub
from app.runs import listing, running, service
from app.runs import queries as runs
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


async def asked(actor, flow, talk, message, history=()):
    given = {"message": message, "history": list(history), "conversation": talk}
    events = [event async for event in await tries.start(actor, flow, given)]
    assert events[-1]["type"] == "run.succeeded", events[-1]
    return events[-1]["output"]["text"]


async def test_talks_of_tries_are_listed_and_gone_on_with_as_they_were_said_last(actor):
    flow, other = await a_flow(actor), await a_flow(actor)
    document, _ = await queries.draft(actor, flow)
    first = await asked(actor, flow, "one", "Which   tulips?\nAnd when?")
    said = [{"role": "user", "text": "Which   tulips?\nAnd when?"}, {"role": "assistant", "text": first}]
    await asked(actor, flow, "one", "And roses?", said)
    await asked(actor, flow, "one", "And lilies?", said)  # the last question, edited and sent again
    await asked(actor, flow, "two", "x" * 500)
    await asked(actor, other, "three", "Elsewhere")
    face = await tries.face(actor, flow, document, [], "one")
    assert [(talk.id, talk.turns) for talk in face.talks] == [("two", 1), ("one", 3)]
    assert face.talks[1].first == "Which tulips? And when?" and len(face.talks[0].first) == 80
    assert [(turn.role, turn.text) for turn in face.said] == [
        ("user", "Which   tulips?\nAnd when?"),
        ("assistant", first),
        ("user", "And lilies?"),
        ("assistant", "Answer And lilies?"),
    ]
    assert face.talk == "one" and face.said[-1].run is not None
    for gone in ("three", "nobody's", ""):
        empty = await tries.face(actor, flow, document, [], gone)
        assert (empty.talk, empty.said) == ("", [])


async def test_every_answer_of_a_talk_knows_its_run_and_what_one_thinks_of_it(actor):
    flow = await a_flow(actor)
    document, _ = await queries.draft(actor, flow)
    first = await asked(actor, flow, "one", "Which tulips?")
    said = [{"role": "user", "text": "Which tulips?"}, {"role": "assistant", "text": first}]
    await asked(actor, flow, "one", "And roses?", [*said, {"role": "assistant", "text": "Put in by somebody"}])
    runs_of = {
        each.input["message"]: each.id for each in [await runs.run(actor, id) for id in await _tries(actor, flow)]
    }
    await service.rate(actor, runs_of["Which tulips?"], False, "Too long")
    await service.rate(msgspec.structs.replace(actor, user_id=(await an_actor()).user_id), runs_of["And roses?"], True)
    turns = (await tries.face(actor, flow, document, [], "one")).said
    assert [(turn.text, turn.run, turn.good, turn.note) for turn in turns if turn.role == "assistant"] == [
        (first, runs_of["Which tulips?"], False, "Too long"),
        ("Put in by somebody", None, None, ""),
        ("Answer And roses?", runs_of["And roses?"], None, ""),  # somebody else's thumb is not one's own
    ]


async def _tries(actor, flow):
    return [row.id for row in (await listing.listed(actor, listing.RunFilter(flow=flow))).runs]


async def test_talks_of_another_workspace_are_not_there_and_hostile_words_stay_words(app, signed_in, stranger):
    flow, theirs = await a_flow(signed_in.actor), await a_flow(stranger.actor)
    talk = '"><script>alert(1)</script>'
    for message in ("<img src=x onerror=alert(1)>", "sk-live-0123456789abcdefghijklmn"):
        given = {"message": message, "history": [], "conversation": talk}
        assert (await signed_in.post(f"/flows/{flow}/tries", json={"input": given})).status_code == 200
    page = (await signed_in.get(f"/flows/{flow}/try", params={"talk": talk})).text
    assert "data-talk-shown" in page and "<img src=x" not in page and "<script>alert" not in page
    assert "sk-live-0123456789" not in page
    assert (await stranger.get(f"/flows/{flow}/try")).status_code == 404
    page = (await stranger.get(f"/flows/{theirs}/try", params={"talk": talk})).text
    assert "data-talk-shown" not in page and "Talks before" not in page
    await signed_in.post(f"/flows/{flow}/tries", json={"input": given | {"message": "a\0b", "conversation": "zero"}})
    for odd in ("x" * 1000, "\0", "zero"):
        assert (await signed_in.get(f"/flows/{flow}/try", params={"talk": odd})).status_code == 200
