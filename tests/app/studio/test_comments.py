"""People talk about a flow and its steps; who is mentioned hears of it; nobody changes somebody else's words."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import config
from app.accounts.queries import Person
from app.clock import now
from app.db import tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.studio import comments, queries, service
from app.studio.forms import NodeDelete
from app.studio.mentioning import marked, mentioned
from tests.factories.accounts import a_person, an_actor
from tests.factories.studio import a_batch, a_flow


async def _two(name="Ole Birch", role="viewer"):
    actor = await an_actor()
    return actor, await an_actor(workspace_id=actor.workspace_id, name=name, role=role)


async def _log(actor, type):
    async with tenant_tx(actor.workspace_id) as tx:
        return [row["data"] for row in await tx.fetch("select data from event where type = $1 order by seq", type)]


async def test_a_thread_about_a_step_takes_replies_and_is_counted_on_it(db):
    actor, ole = await _two()
    flow = await a_flow(actor)
    first = await service.comment(actor, flow, "Why *this* model?", step="write")
    await service.comment(ole, flow, "It is cheap.", thread=first)
    await service.comment(ole, flow, "  Nice flow  ")
    about_flow, about_step = await comments.threads(actor, flow)
    assert (about_flow.step, about_flow.title, about_flow.said[0].text) == ("", "", "Nice flow")
    assert (about_step.step, about_step.title, about_step.gone) == ("write", "Prompt", False)
    assert [(said.by, said.mine) for said in about_step.said] == [("Mara Fern", True), ("Ole Birch", False)]
    assert await comments.open_counts(actor, flow) == {"write": 1, "": 1} == comments.counts([about_flow, about_step])


async def test_resolving_closes_a_thread_and_a_reply_opens_it_again(db):
    actor, ole = await _two()
    flow = await a_flow(actor)
    thread = await service.comment(actor, flow, "Too dear?", step="write")
    await service.resolve(ole, flow, thread)
    await service.resolve(actor, flow, thread)
    [shown] = await comments.threads(actor, flow)
    assert shown.resolved_at is not None and shown.resolved_by == "Ole Birch"
    assert await comments.open_counts(actor, flow) == {}
    await service.comment(actor, flow, "Still.", thread=thread)
    assert (await comments.threads(actor, flow))[0].resolved_at is None
    await service.resolve(ole, flow, thread)
    await service.resolve(ole, flow, thread, over=False)
    assert await comments.open_counts(actor, flow) == {"write": 1}
    assert len(await _log(actor, "comment.resolved")) == 3


async def test_a_thread_outlives_its_step(db):
    actor = await an_actor()
    flow = await a_flow(actor)
    await service.comment(actor, flow, "Keep me", step="write")
    await service.apply_ops(actor, flow, a_batch(0, NodeDelete("write")))
    [thread] = await comments.threads(actor, flow)
    assert (thread.step, thread.title, thread.gone) == ("write", "Prompt", True)
    with pytest.raises(NotFound, match="This step was deleted"):
        await service.comment(actor, flow, "And me?", step="write")


async def test_only_its_writer_changes_a_comment_and_a_removed_one_comes_back_for_an_hour(db):
    actor, ole = await _two(role="owner")
    flow = await a_flow(actor)
    first = await service.comment(actor, flow, "One")
    answer = await service.comment(ole, flow, "Two", thread=first)
    for verb in (service.edit_comment(actor, flow, answer, "Mine"), service.remove_comment(actor, flow, answer)):
        with pytest.raises(NotAllowed, match="somebody else's"):
            await verb
    await service.edit_comment(ole, flow, answer, "Two and a half")
    await service.remove_comment(actor, flow, first)
    [thread] = await comments.threads(actor, flow)
    assert [(said.text, said.removed, said.edited) for said in thread.said] == [
        ("", True, False), ("Two and a half", False, True)
    ]  # fmt: skip
    await service.remove_comment(ole, flow, answer)
    assert await comments.threads(actor, flow) == [] and await comments.open_counts(actor, flow) == {}
    with pytest.raises(NotFound):
        await service.return_comment(actor, flow, answer)
    await service.return_comment(ole, flow, answer)
    assert len(await comments.threads(actor, flow)) == 1
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update flow_comment set removed_at = now() - interval '2 days' where id = $1", first)
    with pytest.raises(NotFound):
        await service.return_comment(actor, flow, first)
    await service.remove_comment(ole, flow, answer)
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select text from flow_comment where id = $1", first) == ""


async def test_a_mention_waits_until_it_is_seen_or_answered_and_stands_in_the_log(db):
    actor, ole = await _two()
    flow = await a_flow(actor)
    thread = await service.comment(actor, flow, "@ole birch, please look. @Mara Fern too.", step="write")
    assert await comments.unseen(ole) == 1 and await comments.unseen(actor) == 0
    [mention] = await comments.mentions(ole)
    assert (mention.thread, mention.flow_id, mention.step, mention.by) == (thread, flow, "Prompt", "Mara Fern")
    assert str(ole.user_id) in (await _log(actor, "comment.mentioned"))[0]
    await service.see_mention(ole, thread)
    assert await comments.unseen(ole) == 0
    await service.comment(actor, flow, f"And this, @{ole.email}?", thread=thread)
    assert await comments.unseen(ole) == 1
    await service.comment(ole, flow, "Done.", thread=thread)
    assert await comments.mentions(ole) == []
    with pytest.raises(NotFound):
        await service.see_mention(actor, thread)


async def test_editing_tells_only_who_is_mentioned_anew(db):
    actor, ole = await _two()
    flow = await a_flow(actor)
    said = await service.comment(actor, flow, "Hello @Ole Birch")
    await service.edit_comment(actor, flow, said, "Hello again @Ole Birch")
    assert len(await _log(actor, "comment.mentioned")) == 1
    await service.edit_comment(actor, flow, said, "Hello nobody")
    assert await comments.unseen(ole) == 0


async def test_mail_goes_to_who_is_mentioned_where_mail_is_set_up(db, settings):
    actor, ole = await _two()
    flow = await a_flow(actor)
    letters = "select payload->>'to' as to, payload->>'text' as text from outbox where kind = 'mail'"
    await service.comment(actor, flow, "Quietly, @Ole Birch")
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetch(letters) == []
    with config.using(smtp_url=config.Secret("smtp://localhost:2525")):
        thread = await service.comment(actor, flow, "Loudly, @Ole Birch")
    async with tenant_tx(actor.workspace_id) as tx:
        [letter] = await tx.fetch(letters)
    assert letter["to"] == ole.email and f"#thread-{thread}" in letter["text"]


async def test_another_workspace_sees_and_touches_nothing(db):
    actor, stranger = await an_actor(), await an_actor(name="Ole Birch")
    flow, theirs = await a_flow(actor), await a_flow(stranger)
    thread = await service.comment(actor, flow, "Ours, @Ole Birch", step="write")
    assert await comments.unseen(stranger) == 0 and await comments.open_counts(stranger, flow) == {}
    for flow_id in (flow, theirs):
        for verb in (
            service.comment(stranger, flow_id, "x", thread=thread),
            service.edit_comment(stranger, flow_id, thread, "x"),
            service.remove_comment(stranger, flow_id, thread),
            service.resolve(stranger, flow_id, thread),
            service.return_comment(stranger, flow_id, thread),
        ):
            with pytest.raises(NotFound):
                await verb
    with pytest.raises(NotFound):
        await comments.threads(stranger, flow)
    other = await a_flow(actor)
    with pytest.raises(NotFound):
        await service.comment(actor, other, "x", thread=thread)


async def test_limits_say_what_to_do(db, monkeypatch):
    actor = await an_actor()
    flow = await a_flow(actor)
    with pytest.raises(Refused, match="needs words"):
        await service.comment(actor, flow, "  \n ")
    thread = await service.comment(actor, flow, "One")
    monkeypatch.setattr("app.studio.service.comments.MOST_THREADS", 1)
    monkeypatch.setattr("app.studio.service.comments.MOST_REPLIES", 1)
    with pytest.raises(Refused, match="at most 1 threads"):
        await service.comment(actor, flow, "Two")
    with pytest.raises(Refused, match="at most 1 comments"):
        await service.comment(actor, flow, "Two", thread=thread)
    with pytest.raises(NotFound):
        await service.comment(actor, uuid4(), "One")


async def test_a_viewer_talks_by_plain_forms_and_sees_badges_and_needs_you(app, signed_in):
    from tests.app.browser import Browser

    viewer = await a_person(workspace_id=signed_in.actor.workspace_id, role="viewer", name="Ole Birch")
    flow = await a_flow(signed_in.actor)
    async with Browser(app) as browser:
        ole = browser.enter(viewer)
        answer = await ole.post(f"/flows/{flow}/comments", data={"text": "Hello @Mara Fern <b>", "step": "write"})
        assert answer.status_code == 303 and answer.headers["location"].endswith("/outline?panel=comments")
        [thread] = await comments.threads(viewer.actor, flow)
        page = (await ole.get(f"/flows/{flow}/outline?panel=comments&about=write")).text
        assert '<span class="mention">@Mara Fern</span> &lt;b&gt;' in page and "1 open thread about Prompt" in page
        assert (await ole.post(f"/flows/{flow}/comments/{thread.id}/resolution", data={})).status_code == 303
        page = (await ole.get(f"/flows/{flow}/outline?panel=comments&resolved=true")).text
        assert "Resolved by Ole Birch" in page and "Open again" in page
        await ole.post(f"/flows/{flow}/comments/{thread.id}/reopening", data={})
        await ole.post(f"/flows/{flow}/comments/{thread.id}", data={"text": "Hello @Mara Fern"})
    assert (await signed_in.get(f"/flows/{flow}/comments/counts")).json() == {"write": 1}
    assert "1 thing needs you" in (await signed_in.get("/needs-you/count")).text
    assert "Show mentions" in (await signed_in.get("/needs-you")).text
    page = (await signed_in.get("/needs-you/mentions")).text
    assert "Ole Birch mentioned you" in page and f"#thread-{thread.id}" in page
    assert (await signed_in.post(f"/needs-you/mentions/{thread.id}/seen", data={})).status_code == 303
    assert "Nobody asked for your word" in (await signed_in.get("/needs-you/mentions")).text


async def test_the_api_does_the_same(api, signed_in):
    flow = await a_flow(signed_in.actor)
    base = f"/api/v1/flows/{flow}/comments"
    made = (await api.post(base, json={"text": "Hello", "step": "write"})).json()["id"]
    assert (await api.post(base, json={"text": "And?", "thread": made})).status_code == 201
    assert (await api.put(f"{base}/{made}", json={"text": "Hello, you"})).status_code == 204
    assert (await api.put(f"{base}/{made}/resolution")).status_code == 204
    [thread] = (await api.get(base)).json()
    assert [said["text"] for said in thread["said"]] == ["Hello, you", "And?"] and thread["resolved_by"] == "Mara Fern"
    assert (await api.delete(f"{base}/{made}/resolution")).status_code == 204
    assert (await api.delete(f"{base}/{made}")).status_code == 204
    assert (await api.put(f"{base}/{made}/return")).status_code == 204
    assert (await api.get("/api/v1/mentions")).json() == []
    assert (await api.post(base, json={"text": "", "step": "write"})).status_code in (400, 422)
    assert (await queries.draft(signed_in.actor, flow))[1] == 0  # talking is no edit


def _person(name, email="x@fern.example"):
    return Person(uuid4(), name, email, "editor", now(), None)


def test_the_longest_name_is_meant_and_an_address_in_the_text_is_no_mention():
    mara, fern, ole = _person("Mara"), _person("Mara Fern", "mf@fern.example"), _person("", "ole@birch.example")
    people = [mara, fern, ole]
    assert mentioned("@Mara Fern and (@mara) and @Marabel", people) == [mara, fern]
    assert mentioned("@Mara Fern.", people) == [fern]
    assert mentioned("mail x@Mara or ole@birch.example", people) == []
    assert mentioned("@ole@birch.example, look", people) == [ole]
    assert mentioned("@ nobody", [_person("", "")]) == []


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=8), max_size=3))
def test_whatever_is_written_no_markup_of_a_writer_reaches_a_page(text, names):
    shown = str(marked(f"{text} <img src=x onerror=alert(1)> @{names[0] if names else 'x'}", names))
    assert "<img" not in shown and "<script" not in shown
