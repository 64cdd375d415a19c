"""An owner's word before a version goes live: who asks, who answers, what waits for it."""

import pytest

from app import config
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import read
from app.studio import approvals, queries, service
from app.studio.forms import NodeLabel
from app.studio.version_forms import AnswerForm, RolloutForm
from app.web import asks
from tests.factories.accounts import a_person, an_actor
from tests.factories.studio import a_batch, a_flow


@pytest.fixture
async def two(db):
    """An owner and an editor of a workspace that wants approvals."""
    mara = await an_actor()
    ole = await an_actor(role="editor", workspace_id=mara.workspace_id)
    await service.set_rule(mara, approval=True)
    return mara, ole


async def test_what_an_editor_publishes_waits_until_an_owner_makes_it_live(two):
    mara, ole = two
    flow_id = await a_flow(ole)
    version_id = await service.publish(ole, flow_id, "Spring", "Kinder.")
    assert (await queries.editor(ole, flow_id)).live_version_id is None
    assert (await approvals.waiting(mara), await approvals.waiting(ole)) == (1, 0)
    [request] = await approvals.open_requests(mara)
    assert (request.asker, request.words, request.number, request.mine) == (ole.name, "Kinder.", 1, False)
    assert await service.answer(mara, request.id, AnswerForm("live", "Lovely.")) == 1
    assert (await queries.editor(ole, flow_id)).live_version_id == version_id
    assert await approvals.waiting(mara) == 0
    async with tenant_tx(mara.workspace_id) as tx:
        told = [e for e in await read(tx, mara.workspace_id, 0) if e.type == "approval.approved"]
    assert told[0].data["answer"] == "Lovely." and told[0].data["by"] == mara.name


async def test_nobody_answers_their_own_request_and_only_owners_answer(two):
    mara, ole = two
    flow_id = await a_flow(mara)
    await service.publish(mara, flow_id, "", "")
    [own] = await approvals.open_requests(mara)
    assert own.mine and await approvals.waiting(mara) == 0
    with pytest.raises(NotAllowed, match="Somebody else"):
        await service.answer(mara, own.id, AnswerForm("live"))
    with pytest.raises(NotAllowed, match="owners"):
        await service.answer(ole, own.id, AnswerForm("live"))
    with pytest.raises(NotFound):
        await service.answer(await an_actor(), own.id, AnswerForm("live"))
    anna = await an_actor(role="owner", workspace_id=mara.workspace_id)
    await service.answer(anna, own.id, AnswerForm("reject", "Not before Monday."))
    with pytest.raises(NotFound):
        await service.answer(anna, own.id, AnswerForm("live"))
    assert (await queries.editor(mara, flow_id)).live_version_id is None
    with pytest.raises(Exception, match="four_eyes"):
        async with system_tx("test") as tx:
            await tx.execute("update publish_request set decided_by = asked_by where id = $1", own.id)


async def test_without_the_word_no_door_leads_to_visitors_and_going_back_is_open(two):
    mara, ole = two
    flow_id = await a_flow(ole)
    first = await service.publish(ole, flow_id, "", "")
    [request] = await approvals.open_requests(mara)
    await service.answer(mara, request.id, AnswerForm("live"))
    await service.apply_ops(ole, flow_id, a_batch(0, NodeLabel("ask", "Other")))
    second = await service.publish(ole, flow_id, "", "", live=False)
    assert not await approvals.open_requests(mara), "kept for later: nobody was asked yet"
    with pytest.raises(Refused, match="needs the approval"):
        await service.make_live(ole, flow_id, second)
    with pytest.raises(Refused, match="needs the approval"):
        await service.roll_out(ole, flow_id, RolloutForm(second, 5))
    asked = await service.ask(ole, flow_id, second, "")
    assert await service.ask(ole, flow_id, second, "Please") == asked
    await service.answer(mara, asked, AnswerForm("approve"))
    await service.roll_out(ole, flow_id, RolloutForm(second, 5))
    await service.finish_rollout(ole, flow_id)
    assert (await service.make_live(ole, flow_id, first))[0] == 1
    with pytest.raises(Conflict, match="was live before"):
        await service.ask(ole, flow_id, second, "")


async def test_a_request_is_taken_back_by_who_asked(two):
    mara, ole = two
    flow_id = await a_flow(ole)
    await service.publish(ole, flow_id, "", "")
    [request] = await approvals.open_requests(ole)
    other = await an_actor(role="editor", workspace_id=mara.workspace_id)
    with pytest.raises(NotAllowed):
        await service.withdraw(other, request.id)
    await service.withdraw(ole, request.id)
    assert not await approvals.open_requests(mara)
    with pytest.raises(NotFound):
        await service.withdraw(ole, request.id)


async def test_the_rule_is_up_to_owners_and_without_it_nothing_changes(two):
    mara, ole = two
    with pytest.raises(NotAllowed):
        await service.set_rule(ole, approval=False)
    await service.set_rule(mara, approval=False)
    flow_id = await a_flow(ole)
    version = await service.publish(ole, flow_id, "", "")
    assert (await queries.editor(ole, flow_id)).live_version_id == version
    assert not await approvals.open_requests(mara)


async def test_owners_and_who_asked_are_written_to_where_mail_leaves_the_house(two):
    mara, ole = two
    with config.using(smtp_url="smtp://127.0.0.1:1"):
        flow_id = await a_flow(ole)
        await service.publish(ole, flow_id, "", "Line\r\nBcc: everybody@x.example")
        [request] = await approvals.open_requests(mara)
        await service.answer(mara, request.id, AnswerForm("reject", "No."))
    async with system_tx("test") as tx:
        rows = await tx.fetch(
            "select payload->>'to' as to, payload->>'subject' as subject from outbox where workspace_id = $1",
            mara.workspace_id,
        )
    assert {row["to"] for row in rows} == {mara.email, ole.email}
    assert all("\n" not in row["subject"] for row in rows)


async def test_pages_ask_answer_and_count(app, signed_in, api):
    from tests.app.browser import Browser

    mara = signed_in.actor
    assert (await signed_in.post("/settings/publishing", data={"approval": "true"})).status_code == 303
    assert "checked" in (await signed_in.get("/settings/publishing")).text
    person = await a_person(workspace_id=mara.workspace_id, role="editor", name="Ole <b>")
    async with Browser(app) as browser:
        ole = browser.enter(person)
        flow_id = await a_flow(person.actor)
        await service.publish(person.actor, flow_id, "", "Kinder <i>words</i>.")
        history = (await ole.get(f"/flows/{flow_id}/history")).text
        assert "Waits for an owner" in history and "Make live" not in history
        assert "An owner of this workspace has to answer." not in (await ole.get("/needs-you/approvals")).text
    page = (await signed_in.get("/needs-you/approvals")).text
    assert "Approve and make live" in page and "Kinder &lt;i&gt;words" in page and "Ole &lt;b&gt;" in page
    assert "1" in (await signed_in.get("/needs-you/count")).text
    assert [ask.count for ask in await asks.listed(mara) if ask.label == "Approvals"] == [1]
    [request] = (await api.get("/api/v1/approvals")).json()
    sent = await signed_in.post(f"/needs-you/approvals/{request['id']}/answer", data={"decision": "live"})
    assert sent.status_code == 303
    assert (await api.get("/api/v1/approvals")).json() == []
    assert "Live" in (await signed_in.get(f"/flows/{flow_id}/history")).text
    assert (await api.put("/api/v1/publishing", json={"approval": False})).status_code == 204
    assert (await api.get("/api/v1/publishing")).json() == {"approval": False}
