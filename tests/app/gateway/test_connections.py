"""What people do with connections: connect, change, remove, take it back; who may; what never comes out."""

import sys
from uuid import uuid4

import msgspec
import pytest

from app import config
from app.db import tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.gateway import jobs, queries, running, service
from app.gateway.attempt import Watch
from app.gateway.directory import read
from app.gateway.faults import Fault
from app.gateway.forms import BudgetForm, ChangeForm, ConnectForm, DefaultForm
from app.gateway.ledger import Purpose
from flows.sdk.capabilities import ChatRequest
from flows.sdk.values import Message
from tests.doubles.openai_script import Answer
from tests.factories.accounts import an_actor

pytestmark = pytest.mark.anyio
KEY = "sk-canary-5f0c8e2b9a7d4c31"
HELLO = ChatRequest([Message("Hello")], "compatible/fake-small")


def form(fake, **more) -> ConnectForm:
    return ConnectForm(**{"provider": "compatible", "name": "Fake", "key": KEY, "base_url": fake.url, **more})


async def raw(actor, column: str):
    async with tenant_tx(actor.workspace_id) as tx:
        return await tx.fetchval(f"select {column} from connection where provider <> 'local'")


async def test_a_connected_model_answers_with_the_key_that_was_given(db, fake):
    actor = await an_actor()
    fake.settings.keys = [KEY]
    await service.connect(actor, form(fake))
    reply = await running.pipeline().chat(Purpose(actor.workspace_id), HELLO, Watch())
    assert reply.text == "You said: Hello" and reply.model == "compatible/fake-small"


async def test_the_key_is_sealed_in_the_database_and_in_no_view(db, fake):
    actor = await an_actor()
    await service.connect(actor, form(fake))
    stored = await raw(actor, "key_sealed")
    assert KEY.encode() not in stored
    page = msgspec.json.encode(msgspec.to_builtins(await queries.overview(actor)), enc_hook=str)
    assert KEY.encode() not in page and b"4c31" in page
    assert KEY not in repr(await read(actor.workspace_id))


async def test_a_changed_key_is_used_by_the_very_next_call(db, fake):
    actor = await an_actor()
    connection = await service.connect(actor, form(fake))
    gateway, purpose = running.pipeline(), Purpose(actor.workspace_id)
    await gateway.chat(purpose, HELLO, Watch())
    await service.change(actor, connection, ChangeForm("Fake", key="sk-other-key-000000", base_url=fake.url))
    await gateway.chat(purpose, HELLO, Watch())
    assert [call.key for call in fake.calls] == [KEY, "sk-other-key-000000"]


async def test_after_removing_nothing_is_called_and_undo_brings_it_back(db, fake):
    actor = await an_actor()
    connection = await service.connect(actor, form(fake))
    gateway, purpose = running.pipeline(), Purpose(actor.workspace_id)
    await gateway.chat(purpose, HELLO, Watch())
    assert await service.remove(actor, connection) == "Fake"
    with pytest.raises(Fault, match="There is no connection 'compatible'"):
        await gateway.chat(purpose, HELLO, Watch())
    await service.restore(actor, connection)
    await gateway.chat(purpose, HELLO, Watch())
    assert len(fake.calls) == 2


async def test_a_removed_connection_and_its_key_are_erased_after_a_day(db, fake):
    actor = await an_actor()
    connection = await service.connect(actor, form(fake))
    await service.remove(actor, connection)
    await jobs.forget_removed()
    assert await raw(actor, "count(*)") == 1
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update connection set removed_at = now() - interval '25 hours' where id = $1", connection)
    assert await jobs.forget_removed() >= 1
    assert await raw(actor, "count(*)") == 0


async def test_the_stored_key_is_not_sent_to_a_new_address(db, fake):
    actor = await an_actor()
    connection = await service.connect(actor, form(fake))
    with pytest.raises(Refused, match="the key is needed once more") as refused:
        await service.change(actor, connection, ChangeForm("Fake", base_url="https://elsewhere.example/v1"))
    assert refused.value.field == "key"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": "local"}, "provider"),
        ({"provider": "openai"}, "key"),
        ({"provider": "compatible"}, "base_url"),
        ({"provider": "compatible", "base_url": "ftp://x/v1"}, "base_url"),
        ({"provider": "compatible", "base_url": "https://user:secret@x.example/v1"}, "base_url"),
        ({"provider": "azure", "key": "k", "base_url": "https://x.example"}, "api_version"),
        ({"provider": "other", "key": "k"}, "vendor"),
    ],
)
async def test_what_is_missing_is_said_at_its_field(db, given, field):
    with pytest.raises(Refused) as refused:
        await service.connect(await an_actor(), ConnectForm(**given))
    assert refused.value.field == field and refused.value.remedy


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("localhost:11434", "http://localhost:11434/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("models.example", "https://models.example/v1"),
        ("https://models.example/api/v3/", "https://models.example/api/v3"),
    ],
)
async def test_an_address_is_completed_the_way_people_mean_it(db, given, stored):
    actor = await an_actor()
    await service.connect(actor, ConnectForm("compatible", base_url=given))
    assert await raw(actor, "base_url") == stored


async def test_viewers_change_nothing_and_editors_not_what_is_on_this_machine(db, fake):
    owner = await an_actor()
    connection = await service.connect(owner, form(fake))
    viewer = await an_actor(role="viewer", workspace_id=owner.workspace_id)
    editor = await an_actor(role="editor", workspace_id=owner.workspace_id)
    for attempt in (
        service.connect(viewer, form(fake)),
        service.remove(viewer, connection),
        service.try_out(viewer, connection),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    with pytest.raises(NotAllowed, match="on this machine"):
        await service.connect(editor, form(fake))
    with pytest.raises(NotAllowed):
        await service.set_budget(editor, BudgetForm("workspace", 5))
    await service.connect(editor, ConnectForm("openai", key=KEY))
    assert await service.nearby(editor) == []


async def test_a_stranger_finds_none_of_it(db, fake):
    connection = await service.connect(await an_actor(), form(fake))
    stranger = await an_actor()
    for attempt in (
        service.remove(stranger, connection),
        service.restore(stranger, connection),
        service.change(stranger, connection, ChangeForm("x")),
        service.try_out(stranger, connection),
        service.remove_budget(stranger, uuid4()),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_second_connection_to_the_same_provider_gets_a_number(db):
    actor = await an_actor()
    for _ in range(2):
        await service.connect(actor, ConnectForm("openai", key=KEY))
    found = [(each.slug, each.name) for each in (await queries.overview(actor)).connections if not each.bundled]
    assert found == [("openai", "OpenAI"), ("openai-2", "OpenAI 2")]


async def test_a_fresh_workspace_has_the_bundled_model_if_it_runs_and_whoever_removes_it_is_rid_of_it(db):
    actor = await an_actor()
    assert (await queries.overview(actor)).connections == []
    with config.using(local_model_url="http://127.0.0.1:9/v1"):
        page = await queries.overview(actor)
        assert [each.name for each in page.connections] == ["This machine"]
        assert page.effective is not None and page.effective.id == "local/smollm2-135m-instruct"
        assert page.effective.free and "small demo model, runs on this machine" in page.effective.note
        await service.remove(actor, page.connections[0].id)
        assert (await queries.overview(actor)).connections == []


async def test_without_any_model_a_call_says_what_to_do(db):
    actor = await an_actor()
    with pytest.raises(Fault, match=r"No model is connected yet\. Open Connections"):
        await running.pipeline().chat(Purpose(actor.workspace_id), ChatRequest([Message("Hi")]), Watch())


async def test_the_default_model_and_the_fallbacks_are_the_workspaces_choice(db, fake):
    actor = await an_actor()
    await service.connect(actor, form(fake))
    await service.choose_default(actor, DefaultForm("compatible/fake-large"))
    for model in ("compatible/fake-small", "compatible/fake-free", "compatible/fake-small"):
        await service.add_fallback(actor, model)
    await service.move_fallback(actor, "compatible/fake-small", 0)
    page = await queries.overview(actor)
    assert page.effective is not None and page.effective.id == "compatible/fake-large"
    assert [each.id for each in page.fallbacks] == ["compatible/fake-small", "compatible/fake-free"]
    fake.script(Answer(status=500))
    reply = await running.pipeline().chat(Purpose(actor.workspace_id), ChatRequest([Message("Hi")]), Watch())
    assert reply.model == "compatible/fake-small"
    with pytest.raises(Refused):
        await service.choose_default(actor, DefaultForm("nobody/x"))


async def test_a_trial_says_hello_lists_models_and_finds_out_what_the_model_can(db, fake):
    actor = await an_actor()
    connection = await service.connect(actor, form(fake))
    trial = await service.try_out(actor, connection)
    assert (trial.status, trial.model) == ("ready", "fake-small") and "Say hello to Garden" in trial.said
    assert [check.state for check in trial.checks] == ["yes", "yes", "yes", "no"]
    assert trial.cost_micros > 0
    page = await queries.overview(actor)
    view = page.connection(connection)
    assert view is not None and view.models == 4 and view.status == "ready" and view.trial == trial
    small = next(model for model in page.models if model.id == "compatible/fake-small")
    assert (small.context, small.answer_micros, small.tools) == (8192, 1100, True)
    calls = await queries.calls(actor)
    assert {call.kind for call in calls} == {"test"}


@pytest.mark.parametrize(
    ("answer", "keys", "status", "words"),
    [
        (Answer(), ["another"], "refused", "was refused (401)"),
        (Answer(status=500), [], "failed", "an error of its own"),
        (Answer(status=429), [], "failed", "no more calls"),
    ],
)
async def test_a_trial_that_fails_says_why_and_keeps_it(db, fake, answer, keys, status, words):
    actor = await an_actor()
    fake.always(answer)
    fake.settings.keys = keys
    connection = await service.connect(actor, form(fake))
    trial = await service.try_out(actor, connection)
    assert trial.status == status and words in trial.message and KEY not in trial.message
    view = (await queries.overview(actor)).connection(connection)
    assert view is not None and view.trial.message == trial.message


async def test_a_trial_of_nobody_there_is_quick_and_names_the_address(db):
    actor = await an_actor()
    connection = await service.connect(actor, ConnectForm("ollama", base_url="http://127.0.0.1:9"))
    trial = await service.try_out(actor, connection)
    assert trial.status == "unreachable" and "http://127.0.0.1:9/v1" in trial.message


async def test_an_address_inside_the_network_is_not_called(db):
    actor = await an_actor()
    connection = await service.connect(actor, ConnectForm("compatible", base_url="http://169.254.169.254/v1"))
    trial = await service.try_out(actor, connection)
    assert trial.status == "failed" and "not an address on the public internet" in trial.message


async def test_the_page_shows_limits_with_what_is_used(db, fake):
    actor = await an_actor()
    await service.connect(actor, form(fake))
    budget = await service.set_budget(actor, BudgetForm("workspace", 2))
    assert await service.set_budget(actor, BudgetForm("workspace", 3)) == budget
    await service.try_out(actor, (await queries.overview(actor)).connections[0].id)
    page = await queries.overview(actor)
    (view,) = page.budgets
    assert view.limit_micros == 3_000_000 and view.spent_micros == page.month_micros > 0
    await service.remove_budget(actor, budget)
    assert (await queries.overview(actor)).budgets == []


async def test_which_process_may_call_what(db):
    assert service.runs_here("openai/gpt-4o") and service.runs_here("local/x") and service.runs_here("")
    assert not service.runs_here("anthropic/claude-sonnet-4-5") and not service.runs_here("gemini-2/pro")
    actor = await an_actor()
    await service.connect(actor, ConnectForm("anthropic", key=KEY))
    await service.choose_default(actor, DefaultForm("anthropic/claude-sonnet-4-5"))
    assert not await service.workspace_runs_here(actor.workspace_id, [""])
    assert await service.workspace_runs_here(actor.workspace_id, ["openai/gpt-4o"])


async def test_servers_on_this_machine_are_offered_until_they_are_connected(db, fake, monkeypatch):
    nearby = sys.modules["app.gateway.service.nearby"]  # the package has a verb of that name
    port = int(fake.url.rpartition(":")[2].partition("/")[0])
    monkeypatch.setattr(nearby, "KNOWN_PORTS", {port: "compatible", 9: "ollama"})
    actor = await an_actor()
    (found,) = await service.nearby(actor)
    assert found.base_url == fake.url and found.models == 4 and found.some[0] == "fake-small"
    await service.connect(actor, ConnectForm("compatible", base_url=found.base_url))
    assert await service.nearby(actor) == []
