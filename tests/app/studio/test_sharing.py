"""A link shows one flow, without what is private, until it is over or taken back; a copy is one's own."""

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
import time_machine

from app import clock
from app.db import system_tx
from app.errors import NotAllowed, NotFound
from app.studio import queries, service, sharing
from app.studio.forms import NodeLabel
from app.studio.giving import given
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.app.browser import Browser
from tests.factories.accounts import a_person, an_actor
from tests.factories.studio import a_batch, a_document, a_flow

KINDS = catalogue.load()
CONNECTION, OTHER_FLOW = str(uuid4()), str(uuid4())


def a_private_flow() -> Flow:
    headers = [{"name": "Authorization", "value": "Bearer tulips-in-winter"}, {"name": "Accept", "value": "text/plain"}]
    return Flow(
        nodes=[
            NodeUse("start", "start.api"),
            NodeUse("call", "connect.http", label="Shop", settings={
                "url": "https://mara:tulips@shop.example/orders", "headers": headers, "connection": CONNECTION,
            }),
            NodeUse("ask", "ai.chat", settings={
                "model": f"{CONNECTION}/big",
                "instructions": "Key: sk-live-abcdefghijklmnopqrstuvwxyz0123. Be <b>brief</b>.",
            }),
            NodeUse("inner", "logic.flow" if "logic.flow" in KINDS else "start.after", settings={"flow": OTHER_FLOW}),
            NodeUse("gone", "acme.weather", settings={"odd": "tulips-in-spring"}),
            NodeUse("answer", "show.answer", on_error="default", default={"text": "Bearer tulips-0123456789"}),
        ],
        edges=[Edge("start.input", "call.body"), Edge("call.body", "answer.data")],
        name="Orders", description="Ours. ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    )  # fmt: skip


SECRETS = ("tulips", CONNECTION, OTHER_FLOW, "sk-live-abc", "ghp_abc")


def test_nothing_private_is_given_away_and_what_is_missing_is_listed():
    safe = given(a_private_flow(), KINDS)
    text = msgspec.json.encode(safe).decode()
    for secret in SECRETS:
        assert secret not in text, secret
    assert "https://" in text and "Be <b>brief</b>" in text and "text/plain" in text
    listed = {(t.title, t.what) for t in safe.todo}
    assert ("Shop", "choose a connection") in listed and ("Shop", "enter the keys again") in listed
    assert any(what.startswith("choose a model") for _, what in listed)
    assert any(what == "choose a flow" for _, what in listed)
    assert any("not installed" in what for _, what in listed)
    assert given(safe.flow, KINDS).flow == safe.flow


async def test_a_stranger_with_the_link_sees_the_steps_and_nothing_private_and_can_do_nothing(signed_in, client):
    flow_id = await a_flow(signed_in.actor, a_private_flow())
    made = await signed_in.post(f"/flows/{flow_id}/shares", data={"days": "30", "version_id": ""})
    assert made.status_code == 303
    [link] = await sharing.flow_links(signed_in.actor, flow_id)
    assert link.path in (await signed_in.get(f"/flows/{flow_id}/shares")).text
    shown = await client.get(link.path)
    assert shown.status_code == 200 and shown.headers["x-robots-tag"] == "noindex"
    assert shown.headers["cache-control"] == "no-store" and "Shop" in shown.text and "&lt;b&gt;brief" in shown.text
    for secret in (*SECRETS, "<form", str(flow_id), str(signed_in.actor.workspace_id), signed_in.actor.email):
        assert secret not in shown.text, secret
    for path in ("/copy", "/../../flows", "/nodes/call/panel"):
        answer = await client.get(link.path + path)
        assert answer.status_code in (303, 302, 404) or "sign-in" in str(answer.url), path
    assert (await client.post(link.path + "/copy")).status_code in (302, 303, 401, 403)
    async with system_tx("test") as tx:
        stored = await tx.fetchval("select token_hash from flow_share where flow_id = $1", flow_id)
    assert link.path.rpartition("/")[2].encode() not in stored


async def test_the_page_behind_a_link_sends_nothing_keeps_nothing_and_runs_none_of_the_dashboard(signed_in, client):
    flow_id = await a_flow(signed_in.actor, a_private_flow())
    link = await sharing.share_flow(signed_in.actor, flow_id, 7)
    shown = await client.get(link.path)
    assert "set-cookie" not in shown.headers and not client.cookies
    policy = dict(each.strip().split(" ", 1) for each in shown.headers["content-security-policy"].split(";"))
    assert (
        policy["default-src"] == policy["connect-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    )
    assert policy["trusted-types"] == "'none'" and "unsafe" not in shown.headers["content-security-policy"]
    assert shown.headers["referrer-policy"] == "no-referrer"
    scripts = [each for each in shown.text.split("<script")[1:] if "src=" in each.partition(">")[0]]
    assert len(scripts) == 1 and "shared" in scripts[0].partition(">")[0]
    for part in ("csrf", "hx-get", "hx-post", "event-stream", "data-flow=", "data-url="):
        assert part not in shown.text, part


async def test_the_canvas_is_there_to_look_at_and_what_is_private_is_named_with_nothing_behind_it(signed_in, client):
    flow_id = await a_flow(signed_in.actor, a_private_flow())
    link = await sharing.share_flow(signed_in.actor, flow_id, 7)
    text = (await client.get(link.path)).text
    assert "<flow-canvas" in text and 'id="node-call"' in text and 'data-step="call"' in text
    assert "A connection of its owner, not shown" in text and "A model of its owner, not shown" in text
    assert "Sign in to duplicate" in text
    assert "Duplicate into my workspace" in (await signed_in.get(link.path)).text
    for element in ("<input", "<select", "<textarea", "data-edit"):
        assert element not in text, element


async def test_looks_of_strangers_and_copies_are_counted_those_of_the_own_workspace_are_not(app, signed_in, client):
    flow_id = await a_flow(signed_in.actor)
    link = await sharing.share_flow(signed_in.actor, flow_id, 7)
    await signed_in.get(link.path)
    assert "Nobody has opened it yet" in (await signed_in.get(f"/flows/{flow_id}/shares")).text
    for _ in range(2):
        await client.get(link.path)
    await client.get(link.path + "x")
    await sharing.copy_shared(await an_actor(), link.path.rpartition("/")[2])
    [counted] = await sharing.flow_links(signed_in.actor, flow_id)
    assert (counted.opened, counted.copied) == (2, 1) and counted.last_opened_at is not None
    assert "Opened 2 times" in (await signed_in.get(f"/flows/{flow_id}/shares")).text


async def test_a_link_opens_its_one_flow_and_neither_its_draft_nor_its_runs_nor_another(signed_in, client):
    """Attacks with a link in hand: what lies beside it stays closed, by its own address and by the link's."""
    actor = signed_in.actor
    flow_id = await a_flow(actor)
    version = await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("write", "Only in the draft")))
    other = await a_flow(actor, a_document(prompt="Of another flow {{ question }}"))
    link = await sharing.share_flow(actor, flow_id, 7, version)
    for asked in ("", "?version=draft", "?number=2", f"?flow_id={other}", "?step=write&run=1", "/?version_id="):
        answer = await client.get(link.path + asked)
        assert answer.status_code == 200 and "Only in the draft" not in answer.text and "Of another" not in answer.text
    secret = link.path.rpartition("/")[2]
    for path in (
        f"/shared/runs/{secret}", f"/flows/{secret}", f"/flows/{flow_id}", f"/flows/{flow_id}/outline",
        f"/flows/{flow_id}/nodes/write/panel", f"/flows/{flow_id}/export", f"/shared/flows/{flow_id}",
        f"/shared/flows/{link.id}", f"{link.path}/runs", f"/api/v1/flows/{flow_id}", f"/shared/flows/{secret[:-1]}",
        f"/shared/flows/{secret.swapcase()}",
    ):  # fmt: skip
        answer = await client.get(path, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code in (302, 303, 401, 404), path
        assert "Prompt" not in answer.text, path
    await sharing.take_back_flow(actor, flow_id, link.id)
    for path in (link.path, link.path + "/copy"):
        assert (await signed_in.get(path)).status_code == 404
    assert (await signed_in.post(link.path + "/copy")).status_code == 404


async def test_taken_back_over_archived_and_unknown_links_answer_alike(client, app):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    link = await sharing.share_flow(actor, flow_id, 7)
    other = await sharing.share_flow(actor, flow_id, 30)
    await sharing.take_back_flow(actor, flow_id, link.id)
    run_token = other.path.replace("/flows/", "/runs/")
    paths = (link.path, link.path + "x", "/shared/flows/" + "A" * 43, "/shared/flows/" + "%00" * 9, run_token)
    assert {(await client.get(path)).status_code for path in paths} == {404}
    for who, flow in ((actor, await a_flow(actor)), (await an_actor(), flow_id)):
        with pytest.raises(NotFound):
            await sharing.take_back_flow(who, flow, other.id)
    assert (await client.get(other.path)).status_code == 200
    await service.archive(actor, flow_id)
    assert (await client.get(other.path)).status_code == 404
    await service.unarchive(actor, flow_id)
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        assert (await client.get(other.path)).status_code == 404
        assert await sharing.flow_links(actor, flow_id) == []


async def test_a_link_to_a_version_stays_as_it_was_and_one_to_the_draft_follows(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    version = await service.publish(actor, flow_id, "", "")
    fixed, follows = await sharing.share_flow(actor, flow_id, 7, version), await sharing.share_flow(actor, flow_id, 7)
    await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("write", "Writer")))
    seen = [await sharing.opened(link.path.rpartition("/")[2]) for link in (fixed, follows)]
    assert [each.flow.nodes[1].label for each in seen] == ["", "Writer"] and (seen[0].number, seen[1].number) == (
        1,
        None,
    )
    other = await service.publish(actor, await a_flow(actor), "", "")
    for who, flow, wanted in ((actor, flow_id, other), (await an_actor(), flow_id, None), (actor, uuid4(), None)):
        with pytest.raises(NotFound):
            await sharing.share_flow(who, flow, 7, wanted)
    with pytest.raises(NotAllowed):
        await sharing.share_flow(await an_actor(role="viewer", workspace_id=actor.workspace_id), flow_id, 7)


async def test_a_copy_lies_in_ones_own_workspace_as_a_draft_and_says_what_is_left(app, signed_in, api):
    flow_id = await a_flow(signed_in.actor, a_private_flow())
    link = await sharing.share_flow(signed_in.actor, flow_id, 7)
    person = await a_person()
    async with Browser(app) as browser:
        taker = browser.enter(person)
        page = (await taker.get(f"{link.path}/copy")).text
        assert "Left to do" in page and "choose a connection" in page
        made = await taker.post(f"{link.path}/copy")
        assert made.status_code == 303
    [own] = await queries.flows(person.actor)
    assert (own.name, own.live_version_id) == ("Orders", None) and own.id != flow_id
    text = msgspec.json.encode((await queries.draft(person.actor, own.id))[0]).decode()
    assert not any(secret in text for secret in SECRETS)
    copied = await api.post(f"/api/v1{link.path}/copy")
    assert copied.status_code == 201 and copied.json()["todo"]
    viewer = await a_person(role="viewer")
    with pytest.raises(NotAllowed):
        await sharing.copy_shared(viewer.actor, link.path.rpartition("/")[2])


async def test_only_twenty_links_of_a_flow_are_open(db):
    actor = await an_actor()
    flow_id = await a_flow(actor, a_document())
    made = [await sharing.share_flow(actor, flow_id, 7) for _ in range(22)]
    assert {each.id for each in await sharing.flow_links(actor, flow_id)} == {each.id for each in made[2:]}
