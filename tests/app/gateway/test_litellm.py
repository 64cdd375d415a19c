"""The other road: litellm, here against the fake server under a vendor name that lets us choose the address."""

import sys

import msgspec
import pytest

from app.db import tenant_tx
from app.gateway import service
from app.gateway.calls import Ask, Done, Target
from app.gateway.faults import Fault
from app.gateway.forms import ConnectForm
from app.gateway.prices import Price
from app.gateway.vendors.litellm import LitellmVendor, load
from app.gateway.vendors.litellm_child import LitellmChild
from flows.sdk.capabilities import Tool
from flows.sdk.values import Message
from tests.doubles.openai_script import Answer, ScriptedCall
from tests.factories.accounts import an_actor

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KEY = "sk-canary-of-litellm-1"
vendor = LitellmVendor()


@pytest.fixture(scope="module", autouse=True)
async def litellm(anyio_backend):
    return await load()


@pytest.fixture
def target(fake) -> Target:
    from app.config import Secret

    return Target(
        "other", "Another (test)", "other", "litellm", "fake-small",
        base_url=fake.url, key=Secret(KEY), family="hosted_vllm", price=Price(1, 1),
    )  # fmt: skip


def ask(text: str = "one two", **more) -> Ask:
    return Ask([Message(text)], **more)


def test_it_asks_nobody_for_prices_and_sends_nothing_home(litellm):
    assert litellm.telemetry is False and litellm.num_retries == 0
    assert "litellm.proxy.proxy_server" not in sys.modules


async def test_an_answer_with_its_tokens(fake, target):
    done = await vendor.chat(target, ask(), 10)
    assert (done.text, done.prompt_tokens, done.completion_tokens) == ("You said: one two", 2, 4)
    assert fake.calls[-1].key == KEY


async def test_a_stream_in_pieces_with_its_tokens(fake, target):
    parts = [part async for part in vendor.stream(target, ask(), 10)]
    done = parts[-1]
    assert isinstance(done, Done) and "".join(parts[:-1]) == done.text == "You said: one two"
    assert (done.prompt_tokens, done.completion_tokens) == (2, 4)


async def test_tool_calls_streamed_and_not(fake, target):
    tool = Tool("weather", "The weather.", {"type": "object", "properties": {"place": {"type": "string"}}})
    fake.always(Answer(tool_calls=[ScriptedCall("weather", {"place": "Köln"})]))
    whole = await vendor.chat(target, ask(tools=(tool,)), 10)
    *_, streamed = [part async for part in vendor.stream(target, ask(tools=(tool,)), 10)]
    for done in (whole, streamed):
        assert [(call.name, call.arguments) for call in done.tool_calls] == [("weather", {"place": "Köln"})]


async def test_a_shape(fake, target):
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    assert (await vendor.chat(target, ask(schema=schema), 10)).text == '{"n":1}'


@pytest.mark.parametrize(
    ("answer", "kind", "retry"),
    [
        (Answer(status=401, error=f"Incorrect API key provided: {KEY}."), "key", False),
        (Answer(status=429, retry_after=3), "rate", True),
        (Answer(status=500), "overloaded", True),
        (Answer(status=404), "unknown_model", False),
        (Answer(status=400, error=f"bad thing {KEY}"), "bad_request", False),
        (Answer(status=400, error="maximum context length is 1024 tokens, you sent 2000 tokens"), "too_long", False),
    ],
)
async def test_its_exceptions_become_our_faults_after_one_attempt(fake, target, answer, kind, retry):
    fake.always(answer)
    with pytest.raises(Fault) as failed:
        await vendor.chat(target, ask(), 10)
    assert (failed.value.kind, failed.value.retry) == (kind, retry)
    assert KEY not in failed.value.message and "litellm" not in failed.value.message.lower()
    assert len(fake.calls) == 1


async def test_a_server_that_never_answers_is_given_up(fake, target):
    fake.always(Answer(hang=True))
    with pytest.raises(Fault, match="did not answer within 1 s"):
        await vendor.chat(target, ask(), 1)


async def test_embeddings(fake, target):
    vectors = await vendor.embed(target, ["a", "b", "a"], 10)
    assert len(vectors.vectors) == 3 and vectors.vectors[0] == vectors.vectors[2] != vectors.vectors[1]


async def test_an_address_inside_the_network_is_refused_before_anything_is_sent(target):
    inside = msgspec.structs.replace(target, base_url="http://10.0.0.1/v1")
    with pytest.raises(Fault, match="not an address on the public internet"):
        await vendor.chat(inside, ask(), 5)


async def test_a_child_process_answers_for_web_and_tells_faults_alike(fake, target):
    child = LitellmChild()
    done = await child.chat(target, ask(), 20)
    assert (done.text, done.prompt_tokens) == ("You said: one two", 2) and fake.calls[-1].key == KEY
    fake.always(Answer(status=401, error=f"Incorrect API key provided: {KEY}."))
    with pytest.raises(Fault, match="was refused") as failed:
        await child.chat(target, ask(), 20)
    await child.close()
    assert failed.value.kind == "key" and KEY not in failed.value.message


async def test_web_tests_a_connection_of_another_vendor_through_the_child(db, fake):
    actor = await an_actor()
    form = ConnectForm("other", key=KEY, vendor="hosted_vllm", api_base=fake.url)
    connection = await service.connect(actor, form)
    async with tenant_tx(actor.workspace_id) as tx:  # vendors litellm keeps no list for: the default names the model
        await tx.execute("update gateway_setting set default_model = 'other/fake-small'")
    trial = await service.try_out(actor, connection)
    assert (trial.status, trial.model) == ("ready", "fake-small"), trial
