"""Calls that a run waits for: before the wait, twice, after the end, forged, signed; each has one meaning."""

import asyncio
import hmac
from uuid import uuid4

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.runs import calls, service
from app.runs.call_addresses import PREFIX, Place, calls_for, place_of, token_of
from app.vault import service as vault
from app.web.actor import Actor
from components.logic.webhook import signal_of
from flows.model import Edge, Flow, NodeUse
from flows.sdk.context import Context, RunFacts
from tests.factories.accounts import an_actor
from tests.factories.runs import a_version, a_worker, wait_for


def paying(hours: float | None = None, **settings) -> Flow:
    """Gives its address away, waits for a person and, beside that, for the call; answers with what was called."""
    nodes = [
        NodeUse("start", "start.api"),
        NodeUse("at", "logic.address", settings=settings),
        NodeUse("hold", "logic.signal", settings={"name": "go"}),
        NodeUse("w", "logic.webhook", settings={"hours": hours}),
        NodeUse("paid", "show.answer"),
        NodeUse("late", "show.answer", settings={"text": "late"}),
    ]
    edges = [
        Edge("start.input", "hold.value"), Edge("at.address", "w.address"), Edge("hold.received", "w.after"),
        Edge("w.received", "paid.data"), Edge("w.late", "late.after"),
    ]  # fmt: skip
    return Flow(nodes, edges, name="shop")


async def begun(actor: Actor, flow: Flow | None = None, *, let_go: bool = True):
    """(run, path of its address) of a run that sleeps: at the call, or, not let go, before it."""
    _, _, version = await a_version(flow or paying(), actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        if let_go:
            await service.signal(actor, run, "go")
            await awaits(actor, run, "call.")
    return run, PREFIX + token_of(Place(run, "at", ""))


async def awaits(actor, run, name):
    async with asyncio.timeout(10):
        while True:
            async with tenant_tx(actor.workspace_id) as tx:
                row = await tx.fetchrow("select status, awaits from run where id = $1", run)
            if row["status"] == "waiting" and any(each.startswith(name) for each in row["awaits"]):
                return
            await asyncio.sleep(0.02)


async def ended(actor, run):
    async with a_worker():
        row = await wait_for(actor.workspace_id, run, "succeeded", "failed")
    return msgspec.json.decode(row["output"])


async def test_a_call_ends_the_wait_and_its_body_is_what_goes_on(client, app):
    actor = await an_actor()
    run, path = await begun(actor)
    headers = {"content-type": "application/json", "authorization": "Bearer x", "x-shop": "FH"}
    answer = await client.post(path + "?from=shop", content=b'{"sum": 5}', headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"status": "taken"})
    async with tenant_tx(actor.workspace_id) as tx:
        kept = await tx.fetchval("select data from run_signal where run_id = $1 and sender = 'a call'", run)
    assert "Bearer" not in kept and '"x-shop":"FH"' in kept and '"from":"shop"' in kept
    assert (await ended(actor, run))["data"] == {"sum": 5}


async def test_the_address_in_the_run_is_the_one_the_door_knows(engine):
    actor = await an_actor()
    run, path = await begun(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        made = await tx.fetchval("select output->>'address' from node_exec where run_id = $1 and node_id = 'at'", run)
    assert made.endswith(path) and made.startswith("http")


async def test_a_call_before_the_step_waits_is_kept(client, app):
    actor = await an_actor()
    run, path = await begun(actor, let_go=False)
    assert (await client.post(path, json={"early": True})).status_code == 202
    await service.signal(actor, run, "go")
    assert (await ended(actor, run))["data"] == {"early": True}


async def test_twice_is_the_same_once_and_another_one_is_refused(client, app):
    actor = await an_actor()
    run, path = await begun(actor)
    answers = await asyncio.gather(*(client.post(path, json={"sum": 5}) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [200] * 5 + [202]
    other = await client.post(path, json={"sum": 500})
    assert other.status_code == 409 and "has been used" in other.text
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run_signal where run_id = $1 and name like 'call.%'", run) == 1
    assert (await ended(actor, run))["data"] == {"sum": 5}
    assert (await client.post(path, json={"sum": 5})).status_code == 410


async def test_after_the_wait_went_on_or_the_run_ended_a_call_is_refused_for_good(client, app):
    actor = await an_actor()
    flow = paying(hours=0.00005)
    flow = msgspec.structs.replace(
        flow,
        nodes=[*flow.nodes, NodeUse("hold2", "logic.signal", settings={"name": "end"})],
        edges=[*flow.edges, Edge("w.late", "hold2.value")],
    )
    run, path = await begun(actor, flow, let_go=False)
    async with a_worker():
        await service.signal(actor, run, "go")
        await awaits(actor, run, "end")
        gone = await client.post(path, json={})
        assert gone.status_code == 410 and "Nothing waits" in gone.text
    await service.cancel(actor, run)
    assert (await client.post(path, json={})).status_code == 410


async def test_what_was_not_made_here_is_nowhere_and_a_look_decides_nothing(client, app):
    actor = await an_actor()
    run, path = await begun(actor)
    place = Place(run, "at", "")
    token = token_of(place)
    foreign = PREFIX + token_of(Place(uuid4(), "at", ""))
    inside = [PREFIX + token_of(Place(run, node, "")) for node in ("nowhere", "at/in")]
    made_up = [PREFIX + each for each in ("x", token[:-1], token + "A", "A" * 80, "A" * 3000)]
    for wrong in (foreign, *inside, *made_up):
        assert (await client.post(wrong, json={})).status_code == 404, wrong
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert (await client.request(method, path)).status_code in (404, 405)
    assert (await client.post(path, content=b"x" * 1_000_001)).status_code == 413
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run_signal where run_id = $1 and name like 'call.%'", run) == 0


async def test_each_round_has_an_address_of_its_own(client, app):
    actor = await an_actor()
    nodes = [
        NodeUse("start", "start.api", settings={"fields": [{"name": "list", "kind": "list"}]}),
        NodeUse("each", "logic.each", settings={"at_once": 3}),
        NodeUse("at", "logic.address", parent="each"),
        NodeUse("w", "logic.webhook", parent="each"),
        NodeUse("answer", "show.answer"),
    ]
    edges = [
        Edge("start.list", "each.items"), Edge("each.item", "at.after"), Edge("at.address", "w.address"),
        Edge("w.received", "each.result"), Edge("each.results", "answer.data"),
    ]  # fmt: skip
    _, _, version = await a_version(Flow(nodes, edges, name="rounds"), actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {"list": [1, 2, 3]}, trigger="api")
        await awaits(actor, run, "call.")
        for number in (2, 0, 1):
            path = PREFIX + token_of(Place(run, "at", str(number)))
            assert (await client.post(path, json=number)).status_code == 202
        row = await wait_for(actor.workspace_id, run, "succeeded")
    assert msgspec.json.decode(row["output"])["data"] == [0, 1, 2]


async def test_a_signed_call_counts_and_a_forged_one_uses_nothing_up(client, app):
    actor = await an_actor()
    form = ConnectForm(
        provider="compatible", name="Shop", base_url="https://shop.example/v1", key="whsec-of-the-shop-0123"
    )
    connection = await gateway.connect(actor, form)
    run, path = await begun(actor, paying(signature="github", secret=str(connection)))
    body = b'{"sum": 5}'
    for signature in ("", "sha256=" + "0" * 64, "sha256=" + hmac.digest(b"other", body, "sha256").hex()):
        refused = await client.post(path, content=body, headers={"x-hub-signature-256": signature})
        assert refused.status_code == 401 and "signature" in refused.text
    good = "sha256=" + hmac.digest(b"whsec-of-the-shop-0123", body, "sha256").hex()
    changed = await client.post(path, content=body + b" ", headers={"x-hub-signature-256": good})
    assert changed.status_code == 401
    assert (await client.post(path, content=body, headers={"x-hub-signature-256": good})).status_code == 202
    async with tenant_tx(actor.workspace_id) as tx:
        kept = await tx.fetchval("select data from run_signal where run_id = $1 and sender = 'a call'", run)
    assert "x-hub-signature" not in kept
    assert (await ended(actor, run))["data"] == {"sum": 5}


async def test_the_secret_of_a_signed_wait_may_lie_in_the_vault(client, app):
    actor = await an_actor()
    await vault.put_secret(actor, "Shop", "whsec-of-the-shop-0123")
    run, path = await begun(actor, paying(signature="github", named="shop"))
    body = b'{"sum": 5}'
    forged = "sha256=" + hmac.digest(b"other", body, "sha256").hex()
    assert (await client.post(path, content=body, headers={"x-hub-signature-256": forged})).status_code == 401
    good = "sha256=" + hmac.digest(b"whsec-of-the-shop-0123", body, "sha256").hex()
    assert (await client.post(path, content=body, headers={"x-hub-signature-256": good})).status_code == 202
    assert (await ended(actor, run))["data"] == {"sum": 5}


async def test_a_run_that_stands_still_says_come_again(client, app):
    actor = await an_actor()
    run, path = await begun(actor)
    async with system_tx("test") as tx:
        await tx.execute("update run set status = 'in_doubt' where id = $1", run)
    answer = await client.post(path, json={})
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


def test_an_address_reads_back_to_its_place_and_nothing_else_does(engine):
    place = Place(uuid4(), "call/inner:x", "3.0")
    token = token_of(place)
    assert place_of(token) == place
    for i in range(0, len(token), 7):
        assert place_of(token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]) is None
    assert place_of("") is None and place_of("é") is None


def test_in_a_trial_that_is_no_run_the_address_leads_nowhere(engine):
    ctx = Context(RunFacts("test"), "at", needs=("calls",))
    address = calls_for(ctx).address()
    assert signal_of(address) and place_of(address.partition(PREFIX)[2]) is None


@pytest.mark.parametrize("text", ["not json {", "", "12"])
async def test_any_body_is_taken_as_it_is(client, app, text):
    actor = await an_actor()
    run, path = await begun(actor)
    assert (await client.post(path, content=text.encode())).status_code == 202
    assert (await ended(actor, run))["data"] == {"not json {": "not json {", "": None, "12": 12}[text]
    assert calls.MOST_BODY == 1_000_000
