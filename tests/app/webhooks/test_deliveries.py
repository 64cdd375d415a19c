"""Outgoing webhooks reach their receivers, at least once, under one id; and what happens when they can't."""

import asyncio

import msgspec
import pytest

from app import config
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import outbox, publish
from app.vault import service as vault
from app.webhooks import queries, sending, service
from app.webhooks.forms import EndpointForm
from app.webhooks.signing import signature
from tests.factories.accounts import a_person


class Receiver:
    """A real HTTP server that says what it is told to, and remembers every call with its headers."""

    def __init__(self):
        self.answers, self.calls, self.slow = [], [], 0.0

    async def handle(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.calls.append((headers, body))
        await asyncio.sleep(self.slow)
        status = self.answers.pop(0) if self.answers else 200
        more = "location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{more}content-length: 2\r\nconnection: close\r\n\r\nok".encode())
        writer.close()


@pytest.fixture
async def receiver():
    made = Receiver()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    with config.using(egress_allow=("127.0.0.0/8",)):
        yield made
    server.close()


@pytest.fixture
async def told(engine, receiver):
    """(actor, endpoint id, secret) of an endpoint that wants garden.* events."""
    actor = (await a_person()).actor
    endpoint_id, secret = await service.add_endpoint(actor, EndpointForm(receiver.url, kinds="garden.*"))
    return actor, endpoint_id, secret


async def happened(actor, *types):
    async with tenant_tx(actor.workspace_id) as tx:
        for nth, type in enumerate(types):
            await publish(tx, actor.workspace_id, "workspace", type, {"n": nth})


async def deliver():
    """What the worker's loops do, once."""
    await sending.tell_endpoints()
    while await outbox.deliver({sending.KIND: sending.deliver}):
        pass


async def due_now(actor):
    async with system_tx("test") as tx:
        await tx.execute(
            "update outbox set next_at = now(), claimed_until = null where workspace_id = $1", actor.workspace_id
        )


async def states(actor, endpoint_id):
    detail = await queries.endpoint(actor, endpoint_id)
    return [(each.type, each.state) for each in reversed(detail.deliveries)]


async def test_events_of_its_kinds_are_sent_in_full_signed_and_once(told, receiver):
    actor, endpoint_id, secret = told
    await happened(actor, "garden.grew", "shop.sold", "garden.slept")
    await asyncio.gather(*(sending.tell_endpoints() for _ in range(4)))
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "done"), ("garden.slept", "done")]
    headers, body = sorted(receiver.calls, key=lambda call: call[1])[0]
    said = msgspec.json.decode(body)
    assert said["type"].startswith("garden.") and said["data"]["topic"] == "workspace" and "timestamp" in said
    stamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(secret, headers["webhook-id"], stamp, body)
    assert len({call[0]["webhook-id"] for call in receiver.calls}) == len(receiver.calls) == 2


@pytest.mark.parametrize("bad", [500, 429, 302, 404])
async def test_what_was_not_taken_is_sent_again_later_under_the_same_id(told, receiver, bad):
    actor, endpoint_id, _ = told
    receiver.answers = [bad, bad, 200]
    await happened(actor, "garden.grew")
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "due")]
    async with system_tx("test") as tx:
        wait = await tx.fetchval(
            "select extract(epoch from next_at - now()) from outbox where workspace_id = $1", actor.workspace_id
        )
    assert 0 < wait < 10
    for _ in range(2):
        await due_now(actor)
        await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "done")]
    assert len(receiver.calls) == 3 and len({call[0]["webhook-id"] for call in receiver.calls}) == 1
    (delivery,) = (await queries.endpoint(actor, endpoint_id)).deliveries
    assert [each.status for each in delivery.tries][-1] == 200 and len(delivery.tries) == 3


async def test_a_worker_killed_during_a_delivery_loses_nothing(told, receiver):
    actor, endpoint_id, _ = told
    receiver.slow = 30
    await happened(actor, "garden.grew")
    await sending.tell_endpoints()
    dying = asyncio.create_task(outbox.deliver({sending.KIND: sending.deliver}))
    async with asyncio.timeout(10):
        while not receiver.calls:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    receiver.slow = 0
    async with system_tx("test") as tx:  # its lease is over
        await tx.execute(
            "update outbox set claimed_until = now() - interval '1 s' where workspace_id = $1", actor.workspace_id
        )
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "done")]
    assert len(receiver.calls) == 2 and receiver.calls[0][0]["webhook-id"] == receiver.calls[1][0]["webhook-id"]


async def given_up(actor, receiver, status):
    receiver.answers = [status] * outbox.TRIES
    await happened(actor, "garden.grew")
    await deliver()
    for _ in range(outbox.TRIES):
        await due_now(actor)
        await deliver()


async def test_after_the_last_try_it_is_dead_and_is_sent_again_when_somebody_asks(told, receiver):
    actor, endpoint_id, _ = told
    await given_up(actor, receiver, 500)
    assert await states(actor, endpoint_id) == [("garden.grew", "dead")] and len(receiver.calls) == outbox.TRIES
    assert (await queries.endpoint(actor, endpoint_id)).endpoint.state == "failing"
    assert await service.replay_dead(actor, endpoint_id) == 1
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "done")]
    assert len({call[0]["webhook-id"] for call in receiver.calls}) == 1
    assert (await queries.endpoint(actor, endpoint_id)).endpoint.state == "on"
    (delivery,) = (await queries.endpoint(actor, endpoint_id)).deliveries
    await service.replay(actor, delivery.id)
    await deliver()
    assert len(receiver.calls) == outbox.TRIES + 2


async def test_gone_and_days_of_failure_switch_it_off_with_a_notice_and_what_happens_is_kept(told, receiver):
    actor, endpoint_id, _ = told
    receiver.answers = [410]
    await happened(actor, "garden.grew")
    await deliver()
    assert (await queries.endpoint(actor, endpoint_id)).endpoint.state == "disabled"
    async with tenant_tx(actor.workspace_id) as tx:
        why = await tx.fetchval("select data->>'why' from event where type = 'webhook.disabled'")
    assert "410" in why
    await happened(actor, "garden.slept")
    await deliver()
    assert len(receiver.calls) == 1
    await service.switch(actor, endpoint_id, on=True)
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "dead"), ("garden.slept", "done")]
    async with system_tx("test") as tx:
        await tx.execute(
            "update webhook_endpoint set failing_since = now() - interval '6 days' where id = $1", endpoint_id
        )
    await given_up(actor, receiver, 503)
    assert (await queries.endpoint(actor, endpoint_id)).endpoint.state == "disabled"


async def test_letters_under_way_when_it_is_switched_off_are_kept_and_sent_after(told, receiver):
    actor, endpoint_id, _ = told
    await happened(actor, "garden.grew")
    await sending.tell_endpoints()
    await service.switch(actor, endpoint_id, on=False)
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "held")] and receiver.calls == []
    await service.switch(actor, endpoint_id, on=True)
    await deliver()
    assert await states(actor, endpoint_id) == [("garden.grew", "done")]


async def test_for_a_day_both_secrets_sign(told, receiver):
    actor, endpoint_id, first = told
    second = await service.renew_secret(actor, endpoint_id)
    await service.test_endpoint(actor, endpoint_id)
    await deliver()
    headers, body = receiver.calls[0]
    stamp, given = int(headers["webhook-timestamp"]), headers["webhook-signature"].split(" ")
    assert given == [signature(secret, headers["webhook-id"], stamp, body) for secret in (second, first)]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "https://169.254.169.254/latest", "https://[::1]/", "https://2130706433/", "ftp://a.example/",
        "https://user:pass@a.example/", "https://a.example\\@127.0.0.1/", "http://a.example/", "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/", "javascript:alert(1)", "https://",
    ],
)  # fmt: skip
async def test_addresses_that_lead_inside_are_refused(db, url):
    actor = (await a_person()).actor
    with pytest.raises(Refused) as refused:
        await service.add_endpoint(actor, EndpointForm(url))
    assert refused.value.field == "url"


async def test_a_name_that_leads_inside_is_refused_at_the_call_and_the_page_says_so(engine):
    actor = (await a_person()).actor
    endpoint_id, _ = await service.add_endpoint(actor, EndpointForm("https://localhost:9/x", kinds="garden.*"))
    await service.test_endpoint(actor, endpoint_id)
    await deliver()
    (delivery,) = (await queries.endpoint(actor, endpoint_id)).deliveries
    assert delivery.tries[0].status == 0 and "not an address on the public internet" in delivery.tries[0].error


async def test_a_receiver_that_never_stops_talking_costs_no_memory(told):
    actor, endpoint_id, _ = told

    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        with pytest.raises(OSError):
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    await service.change_endpoint(actor, endpoint_id, EndpointForm(url, kinds="garden.*"))
    await happened(actor, "garden.grew")
    async with asyncio.timeout(10):
        await deliver()
    (delivery,) = (await queries.endpoint(actor, endpoint_id)).deliveries
    assert delivery.state == "done" and len(delivery.tries[0].answer) <= sending.KEPT_ANSWER
    server.close()


async def test_foreign_ids_and_viewers_are_refused(told):
    actor, endpoint_id, _ = told
    stranger = (await a_person()).actor
    for deed in (
        service.test_endpoint,
        service.renew_secret,
        service.remove_endpoint,
        service.replay_dead,
        queries.endpoint,
    ):
        with pytest.raises(NotFound):
            await deed(stranger, endpoint_id)
    with pytest.raises(NotAllowed):
        await service.renew_secret(msgspec.structs.replace(actor, role="viewer"), endpoint_id)
    async with system_tx("test") as tx:
        sealed = await tx.fetchval("select sealed from webhook_endpoint where id = $1", endpoint_id)
    assert b"whsec" not in sealed


async def test_pages_and_api(signed_in, api):
    form = {"url": "https://93.184.215.14/in", "kinds": "run.failed flow.*", "name": "Shop"}
    assert "Nobody is told of events yet" in (await signed_in.get("/webhooks")).text
    added = await signed_in.post("/webhooks", data=form)
    assert "whsec_" in added.text
    (listed,) = (await api.get("/api/v1/webhooks")).json()
    assert listed["kinds"] == ["run.failed", "flow.*"] and "whsec" not in str(listed)
    assert (await api.post(f"/api/v1/webhooks/{listed['id']}/trial")).status_code == 201
    page = await signed_in.get(f"/webhooks/{listed['id']}")
    assert "webhook.test" in page.text and "whsec_" not in page.text
    wrong = await signed_in.post("/webhooks", data={**form, "url": "https://10.0.0.1/"})
    assert wrong.status_code == 422 and "public internet" in wrong.text
    assert (await api.delete(f"/api/v1/webhooks/{listed['id']}")).status_code == 204


async def test_a_secret_of_the_vault_signs_as_it_is_at_that_moment(engine, receiver):
    actor, stranger = (await a_person()).actor, (await a_person()).actor
    await vault.put_secret(stranger, "Shop", "somebody-elses-0123")
    form = EndpointForm(receiver.url, kinds="garden.*", secret="Shop")
    with pytest.raises(Refused, match="no secret named 'Shop'") as refused:
        await service.add_endpoint(actor, form)
    assert refused.value.field == "secret"
    first = await vault.put_secret(actor, "shop", "kept-in-the-vault-0123")
    endpoint_id, shown = await service.add_endpoint(actor, form)
    assert shown == ""
    for secret in ("kept-in-the-vault-0123", "another-one-of-length"):
        await vault.put_secret(actor, "shop", secret)
        await happened(actor, "garden.grew")
        await deliver()
        headers, body = receiver.calls[-1]
        assert headers["webhook-signature"] == signature(
            secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body
        )
        assert secret not in body.decode()
    with pytest.raises(Conflict, match="secret of the vault"):
        await service.renew_secret(actor, endpoint_id)
    await vault.delete_secret(actor, first)
    await happened(actor, "garden.slept")
    await deliver()
    detail = await queries.endpoint(actor, endpoint_id)
    assert len(receiver.calls) == 2 and detail.deliveries[0].state == "due"
    assert "can't be signed: There is no secret named 'Shop'" in detail.deliveries[0].tries[-1].error
    assert detail.endpoint.secret_name == "Shop" and "kept-in-the-vault" not in str(msgspec.to_builtins(detail))
    await vault.put_secret(actor, "Shop", "back-again-0123456")
    await due_now(actor)
    await deliver()
    assert len(receiver.calls) == 3
    await service.change_endpoint(actor, endpoint_id, EndpointForm(receiver.url, kinds="garden.*"))
    assert len(await service.renew_secret(actor, endpoint_id)) > 20
