"""A step's own requests signed with a connection: the key reaches the connection's server, and no other."""

import pytest

from app import config
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.runs.http_step import http_for
from app.vault import service as vault
from flows.sdk.capabilities import HttpRequest
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
