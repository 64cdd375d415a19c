"""A step's own requests signed with a connection: the key reaches the connection's server, and no other."""

import base64
from urllib.parse import unquote

import msgspec
import pytest

from app import config
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.runs.http_step import http_for
from app.vault import service as vault
from flows.sdk.capabilities import HttpRequest, SecretPart
from flows.sdk.context import Context, RunFacts
from flows.sdk.errors import NodeError
from tests.app.egress.servers import says, sends_on, serving
from tests.factories.accounts import a_person

KEY = "sk-only-for-this-server-1234"


@pytest.fixture
async def actor(db):
    with config.using(egress_allow=("127.0.0.0/8",)):
        yield (await a_person()).actor


def http(actor):
    return http_for(Context(RunFacts("r", workspace_id=str(actor.workspace_id)), "a"))


async def connected(actor, url):
    form = ConnectForm(provider="compatible", name="Ours", key=KEY, base_url=f"{url}/v1")
    return str(await gateway.connect(actor, form))


async def test_the_key_is_sent_to_the_connections_own_server_and_wins_over_a_header_of_the_step(actor):
    async with serving(says(b"ok")) as server:
        connection = await connected(actor, server.url)
        await http(actor).send(
            HttpRequest("GET", f"{server.url}/x", {"authorization": "Bearer other"}, connection=connection)
        )
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_no_other_server_gets_it_neither_by_address_nor_by_redirect(actor):
    async with serving(says(b"ok")) as other, serving(sends_on(f"{other.url}/y")) as server:
        connection = await connected(actor, server.url)
        for url in (f"{other.url}/x", f"http://localhost:{server.port}/x"):
            with pytest.raises(NodeError, match="is sent to") as refused:
                await http(actor).send(HttpRequest("GET", url, connection=connection))
            assert refused.value.field == "url" and KEY not in str(refused.value)
        await http(actor).send(HttpRequest("GET", f"{server.url}/x", connection=connection))
    assert other.requests and "authorization" not in other.requests[0].headers


async def test_a_foreign_or_removed_connection_signs_nothing(actor):
    async with serving(says(b"ok")) as server:
        connection = await connected(actor, server.url)
        stranger = (await a_person()).actor
        for who, which in (
            (stranger, connection),
            (actor, "nonsense"),
            (actor, str(stranger.user_id)),
        ):
            with pytest.raises(NodeError, match="does not exist"):
                await http(who).send(HttpRequest("GET", server.url, connection=which))
    assert server.requests == []


async def test_a_stored_secret_is_put_into_its_header_when_the_request_leaves_and_only_where_it_may_go(actor):
    async with serving(says(b"ok")) as other, serving(sends_on(f"{other.url}/y")) as server:
        await vault.put_secret(actor, "Shop", KEY, "127.0.0.1")
        await http(actor).send(HttpRequest("GET", f"{server.url}/x", secrets={"X-Key": ("shop", "Key ")}))
        with pytest.raises(NodeError, match="may only be sent to") as refused:
            await http(actor).send(
                HttpRequest("GET", f"http://localhost:{server.port}/x", secrets={"X-Key": ("Shop", "")})
            )
        with pytest.raises(NodeError, match="no secret named 'Gone'") as missing:
            await http(actor).send(HttpRequest("GET", f"{server.url}/x", secrets={"X-Key": ("Gone", "")}))
    assert server.requests[0].headers["x-key"] == f"Key {KEY}"
    assert "x-key" not in other.requests[0].headers, "a redirect elsewhere does not take it along"
    assert {refused.value.field, missing.value.field} == {"secrets"} and KEY not in str(refused.value)
    assert len(server.requests) == 1


def a_place(where: str, name: str = "key") -> HttpRequest:
    return HttpRequest("POST", "", {}, b'{"word": "tulips"}', parts=(SecretPart(where, name, "Shop"),))


@pytest.mark.parametrize(
    ("where", "kind", "body", "sent"),
    [
        ("query", "application/json", b"{}", b"{}"),
        ("basic", "application/json", b"{}", b"{}"),
        ("body", "application/json", b'{"word":"tulips"}', b'{"word":"tulips","key":"a+b/c:@?,==\\"d"}'),
        ("body", "", b"", b'{"key":"a+b/c:@?,==\\"d"}'),
        ("body", "application/x-www-form-urlencoded", b"a=1", b"a=1&key=a%2Bb%2Fc%3A%40%3F%2C%3D%3D%22d"),
    ],
)
async def test_a_secret_goes_where_it_is_wanted_and_what_repeats_it_is_hidden(actor, caplog, where, kind, body, sent):
    """An echo server gives back what it got: nothing of it reaches the step, its record, an error or a log."""
    key = 'a+b/c:@?,=="d'
    await vault.put_secret(actor, "Shop", key)
    async with serving(says(b"", status="500 No")) as server:
        request = HttpRequest(
            "POST", f"{server.url}/x?a=1", {"Content-Type": kind} if kind else {}, body,
            parts=(SecretPart(where, "key", "shop"),),
        )  # fmt: skip
        await http(actor).send(request)
    [got] = server.requests
    assert got.body == sent
    assert unquote(got.path).endswith(f"key={key}") is (where == "query")
    basic = "Basic " + base64.b64encode(f"key:{key}".encode()).decode()
    assert (got.headers.get("authorization") == basic) is (where == "basic")
    echo = f"{got.path} {got.headers} ".encode() + got.body
    async with serving(says(echo, X_Path=got.path.partition("?")[2] or "none")) as server:
        reply = await http(actor).send(msgspec.structs.replace(request, url=f"{server.url}/x?a=1"))
    for shape in ("a+b/c:@?,==", "a%2Bb%2Fc", "a%2Bb/c", basic[6:]):
        assert shape not in reply.body.decode() and shape not in str(reply.headers) and shape not in caplog.text


async def test_with_a_secret_in_the_address_or_the_body_nobody_is_followed(actor):
    await vault.put_secret(actor, "Shop", KEY)
    async with serving(says(b"ok")) as other, serving(sends_on(f"{other.url}/y?key={KEY}", 307)) as server:
        for where in ("query", "body"):
            with pytest.raises(NodeError) as refused:
                await http(actor).send(msgspec.structs.replace(a_place(where), url=f"{server.url}/x"))
            assert KEY not in str(refused.value)
    assert other.requests == []


async def test_a_body_that_takes_no_field_and_a_server_it_may_not_go_to_are_refused(actor):
    await vault.put_secret(actor, "Shop", KEY, "shop.example")
    async with serving(says(b"ok")) as server:
        with pytest.raises(NodeError, match="may only be sent to"):
            await http(actor).send(msgspec.structs.replace(a_place("query"), url=server.url))
        await vault.put_secret(actor, "Shop", KEY)
        for body in (b"[1]", b"plain"):
            with pytest.raises(NodeError, match="neither a JSON object nor a form"):
                await http(actor).send(msgspec.structs.replace(a_place("body"), url=server.url, body=body))
    assert server.requests == []
