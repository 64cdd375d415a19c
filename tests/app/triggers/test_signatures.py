"""Signed webhooks: the schemes' own vectors, and what forgers try."""

import base64
import hashlib
import hmac
import time

import msgspec
import pytest

from app import clock
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.runs import hooks
from app.runs import service as runs
from app.runs.service import Forged
from app.triggers import guard as guarding
from app.triggers import keys, queries
from app.triggers.guard import guard
from app.triggers.signatures import check
from app.vault import service as vault
from app.webhooks.service import signature as standard_signature
from components.start.webhook import Settings
from tests.app.runs.test_hooks import address, call
from tests.factories.accounts import a_person
from tests.factories.triggers import a_trigger, firings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_614_265_330.0
BODY = b'{"test": 2432232314}'
KEPT_SECRET = "kept-in-the-vault-0123"


def hexed(secret, text, algorithm="sha256"):
    return hmac.new(secret.encode(), text, algorithm).hexdigest()


def test_the_reference_vector_of_standard_webhooks_is_accepted():
    headers = {
        b"webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        b"webhook-timestamp": b"1614265330",
        b"webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    admitted = check(Settings(signature="standard"), [SECRET], headers, BODY, NOW)
    assert admitted.delivery == "standard msg_p5jXN8AQM9LWM0D4loKWxJek"
    ours = standard_signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY)
    assert ours.encode() == headers[b"webhook-signature"]


def test_githubs_own_example_is_accepted():
    headers = {b"x-hub-signature-256": b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    admitted = check(Settings(signature="github"), ["It's a Secret to Everybody"], headers, b"Hello, World!", NOW)
    assert admitted.delivery == ""


def signed(scheme, secret, body, now=None, delivery="d-1"):
    """(settings, headers) of a call that its sender signed well."""
    stamp = str(int(now if now is not None else time.time()))
    match scheme:
        case "standard":
            signature = standard_signature(secret, delivery, int(stamp), body)
            headers = {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,AAAA {signature}"}
        case "github":
            headers = {"x-hub-signature-256": f"sha256={hexed(secret, body)}", "x-github-delivery": delivery}
        case "stripe":
            v1 = hexed(secret, stamp.encode() + b"." + body)
            headers = {"stripe-signature": f"t={stamp},v0=x,v1={'0' * 64},v1={v1}"}
        case "slack":
            signature = f"v0={hexed(secret, b'v0:' + stamp.encode() + b':' + body)}"
            headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
        case _:
            headers = {"x-signature": hexed(secret, stamp.encode() + b"." + body), "x-time": stamp, "x-id": delivery}
    more = {"stamp_header": "X-Time", "id_header": "X-Id"} if scheme == "hmac" else {}
    settings = Settings(signature=scheme, **more)
    return settings, {name.encode(): value.encode() for name, value in headers.items()}


SCHEMES = ("standard", "github", "stripe", "slack", "hmac")
EVENT = b'{"id": "evt_1", "event_id": "Ev1", "type": "x"}'


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_accepts_its_sender_with_the_old_secret_too_and_knows_the_delivery(scheme):
    settings, headers = signed(scheme, "the-secret-of-before", EVENT, NOW)
    admitted = check(settings, ["the-new-secret", "the-secret-of-before"], headers, EVENT, NOW)
    wanted = {"stripe": "stripe evt_1", "slack": "slack Ev1"}.get(scheme, f"{scheme} d-1")
    assert admitted.delivery == wanted


@pytest.mark.parametrize("scheme", SCHEMES)
def test_forgeries_are_refused(scheme):
    settings, headers = signed(scheme, "right-secret", EVENT, NOW)
    check(settings, ["right-secret"], headers, EVENT, NOW)
    with pytest.raises(Forged, match="another secret"):
        check(settings, ["wrong-secret"], headers, EVENT, NOW)
    with pytest.raises(Forged, match="body was changed"):
        check(settings, ["right-secret"], headers, EVENT + b" ", NOW)
    with pytest.raises(Forged):
        check(settings, ["right-secret"], {}, EVENT, NOW)
    with pytest.raises(Forged, match="No secret is set"):
        check(settings, [], headers, EVENT, NOW)
    for name in set(headers) - {b"x-id", b"x-github-delivery"}:  # these two are not signed
        with pytest.raises(Forged):
            check(settings, ["right-secret"], headers | {name: headers[name][:-1] + b"~"}, EVENT, NOW)


@pytest.mark.parametrize("scheme", ["standard", "stripe", "slack", "hmac"])
@pytest.mark.parametrize("away", [-301, 301, -86_400 * 400])
def test_old_calls_and_calls_from_the_future_are_refused(scheme, away):
    settings, headers = signed(scheme, "right-secret", EVENT, NOW + away)
    with pytest.raises(Forged, match=r"too old|from the future"):
        check(settings, ["right-secret"], headers, EVENT, NOW)


@pytest.mark.parametrize("stamp", [b"", b"-5", b"1e9", b"9" * 40, b"\xb2", b"nan"])
def test_a_time_that_is_none_is_refused(stamp):
    settings, headers = signed("standard", "right-secret", EVENT, NOW)
    with pytest.raises(Forged, match="does not say when"):
        check(settings, ["right-secret"], headers | {b"webhook-timestamp": stamp}, EVENT, NOW)


def test_an_empty_signature_never_equals_and_thousands_are_not_tried():
    settings, headers = signed("standard", "right-secret", EVENT, NOW)
    good = headers[b"webhook-signature"].split()[1]
    for given in (b"", b"v1,", b"v1, ", b"v2," + good[3:], b"v1,AAAA " * 5000 + good):
        with pytest.raises(Forged):
            check(settings, ["right-secret"], headers | {b"webhook-signature": given}, EVENT, NOW)


def test_base64_and_prefixes_are_fine_for_plain_hmac():
    digest = hmac.new(b"k" * 16, BODY, hashlib.sha512).digest()
    settings = Settings(signature="hmac", algorithm="sha512")
    for given in (digest.hex(), digest.hex().upper(), f"sha512={digest.hex()}", base64.b64encode(digest).decode()):
        check(settings, ["k" * 16], {b"x-signature": given.encode()}, BODY, NOW)


def test_slacks_challenge_is_answered_only_when_signed():
    body = b'{"type": "url_verification", "challenge": "3eZbrw"}'
    settings, headers = signed("slack", "right-secret", body, NOW)
    assert check(settings, ["right-secret"], headers, body, NOW).answer == b"3eZbrw"
    with pytest.raises(Forged):
        check(settings, ["wrong-secret"], headers, body, NOW)


# -- through the real door


@pytest.fixture
async def door(engine, monkeypatch):
    monkeypatch.setattr(hooks, "REMEMBERED", 0.0)
    runs.guard_hooks(guard)
    person = await a_person()
    made = await a_trigger("start.webhook", workspace_id=person.actor.workspace_id, signature="standard")
    secret = await keys.set_secret(person.actor, made.id)
    return person.actor, made, await address(made.workspace_id, made.flow_id), secret


async def count(made):
    async with tenant_tx(made.workspace_id) as tx:
        return await tx.fetchval("select count(*) from run where flow_id = $1", made.flow_id)


async def test_a_signed_call_runs_and_a_replay_has_no_second_effect(door):
    _, made, path, secret = door
    _, headers = signed("standard", secret, b'{"n": 1}')
    assert (await call(path, b'{"n": 1}', headers=list(headers.items())))[0] == 200
    again = standard_signature(secret, "d-1", int(time.time()) - 7, b'{"n": 1}')
    later = {**headers, b"webhook-timestamp": str(int(time.time()) - 7).encode(), b"webhook-signature": again.encode()}
    status, _, _ = await call(path, b'{"n": 1}', headers=[*later.items(), (b"user-agent", b"another try")])
    assert status == 200 and await count(made) == 1


async def test_a_forged_call_is_401_says_nothing_and_is_in_the_log_once_a_minute(door):
    _, made, path, _ = door
    _, headers = signed("standard", "somebody-elses", b"{}")
    for _ in range(5):
        status, _, body = await call(path, b"{}", headers=list(headers.items()))
        assert status == 401 and b"secret" not in body
    for task in tuple(guarding._writing):
        await task
    assert await count(made) == 0
    (noted,) = await firings(made.id)
    assert (noted["result"], noted["run_id"]) == ("refused", None) and "another secret" in noted["reason"]


async def test_the_secret_is_sealed_and_the_one_before_counts_for_a_day(door):
    actor, made, path, first = door
    second = await keys.set_secret(actor, made.id, "given-by-the-provider")
    for secret, id in ((first, "d-2"), (second, "d-3")):
        _, headers = signed("standard", secret, b"{}", delivery=id)
        assert (await call(path, b"{}", headers=list(headers.items())))[0] == 200
    async with system_tx("test") as tx:
        rows = await tx.fetch("select sealed, until from trigger_secret where trigger_id = $1", made.id)
        assert not any(secret.encode() in row["sealed"] for row in rows for secret in (first, second))
        await tx.execute("update trigger_secret set until = now() - interval '1 s' where until is not null")
    keys._known.clear()
    _, headers = signed("standard", first, b"{}", delivery="d-4")
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 401


async def test_without_a_guard_or_a_secret_a_signed_address_stays_shut(door, monkeypatch):
    _, _, path, secret = door
    _, headers = signed("standard", secret, b"{}")
    from app.runs import doors

    monkeypatch.setattr(doors, "_guards", [])
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 401


async def test_a_step_may_name_a_secret_of_the_vault(engine, monkeypatch):
    monkeypatch.setattr(hooks, "REMEMBERED", 0.0)
    monkeypatch.setattr(keys, "KEPT", 0.0)
    runs.guard_hooks(guard)
    actor = (await a_person()).actor
    made = await a_trigger("start.webhook", workspace_id=actor.workspace_id, signature="standard", secret="Shop")
    path = await address(made.workspace_id, made.flow_id)
    _, headers = signed("standard", KEPT_SECRET, b"{}", delivery="d-1")
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 401, "there is none of this name yet"
    await vault.put_secret((await a_person()).actor, "Shop", KEPT_SECRET)
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 401, "nor does a stranger's count"
    await vault.put_secret(actor, "shop", KEPT_SECRET)
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 200
    await vault.put_secret(actor, "shop", "another-one-of-length")
    _, headers = signed("standard", KEPT_SECRET, b"{}", delivery="d-2")
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 401, "replaced in the vault, replaced here"
    for task in tuple(guarding._writing):
        await task
    detail = await queries.trigger(actor, made.id)
    assert detail.trigger.secret_name == "Shop" and not any("No secret is set" in why for why in detail.why)
    assert KEPT_SECRET not in str(msgspec.to_builtins(detail))
    assert any("no secret named" in firing.reason for firing in detail.firings)
    with pytest.raises(Conflict, match="names a secret of the vault"):
        await keys.set_secret(actor, made.id)


async def test_who_may_set_which_secret(door):
    actor, made, _, _ = door
    stranger = await a_person()
    with pytest.raises(NotFound):
        await keys.set_secret(stranger.actor, made.id)
    with pytest.raises(Refused):
        await keys.set_secret(actor, made.id, "short")
    with pytest.raises(NotAllowed):
        await keys.set_secret(msgspec.structs.replace(actor, role="viewer"), made.id)
    clocked = await a_trigger("start.schedule", workspace_id=actor.workspace_id)
    with pytest.raises(Conflict):
        await keys.set_secret(actor, clocked.id)


async def test_method_size_raw_body_and_answer_are_as_the_steps_say(engine, monkeypatch):
    from flows.model import Edge, Flow, NodeUse
    from tests.factories.runs import a_version

    monkeypatch.setattr(hooks, "REMEMBERED", 0.0)
    answer = {
        "text": "<script>alert(1)</script>{{ raw }}",
        "status": 201,
        "content_type": "text/html",
        "headers": [
            {"name": "X-From", "value": "the {{ raw }} flow"},
            {"name": "Set-Cookie", "value": "a=b"},
            {"name": "X-Split", "value": "a\r\nSet-Cookie: b=c"},
        ],
    }
    flow = Flow(
        [
            NodeUse("start", "start.webhook", settings={"methods": "PUT", "most_kb": 1, "keep_raw": True}),
            NodeUse("answer", "show.answer", settings=answer),
        ],
        [Edge("start.raw", "answer.raw")],
    )
    workspace, flow_id, _ = await a_version(flow)
    path = await address(workspace, flow_id)
    assert (await call(path))[0] == 405
    assert (await call(path, b"x" * 1001, method="PUT"))[0] == 413
    status, headers, body = await call(path, b"raw", method="PUT")
    assert status == 201 and body.endswith(b"raw") and headers[b"x-from"] == b"the raw flow"
    assert headers[b"content-security-policy"].startswith(b"sandbox") and b"set-cookie" not in headers
    assert b"x-split" not in headers


async def test_a_new_address_makes_the_old_one_lead_nowhere(door, monkeypatch):
    actor, made, path, _ = door
    from app.triggers import service

    await service.new_address(actor, made.id)
    assert (await call(path))[0] == 404
    assert clock.now() is not None and await address(made.workspace_id, made.flow_id) != path


async def test_a_switched_off_webhook_is_404(door):
    actor, made, path, secret = door
    from app.triggers import service

    await service.switch(actor, made.id, on=False)
    _, headers = signed("standard", secret, b"{}")
    assert (await call(path, b"{}", headers=list(headers.items())))[0] == 404
