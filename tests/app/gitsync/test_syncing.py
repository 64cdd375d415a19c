"""Both ways through a real git and a real bare repository: nothing of either side is lost."""

import msgspec
import pytest

from app import config
from app.db import system_tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound
from app.gitsync import jobs, queries, service
from app.gitsync.repository import GitProblem, Repository
from app.studio import queries as studio
from app.studio import service as flows
from flows.files import write_flow
from flows.model import NodeUse
from tests.factories.accounts import an_actor
from tests.factories.gitsync import Colleague, a_bare_repository, a_link, git
from tests.factories.studio import a_batch, a_document, a_flow, adding


@pytest.fixture
async def world(db, tmp_path):
    """(actor, bare repository, a colleague): connected, nothing in it yet."""
    with config.using(git_local=(str(tmp_path),), data=tmp_path / "data"):
        actor, bare = await an_actor(), a_bare_repository(tmp_path)
        await a_link(actor, bare)
        yield actor, bare, Colleague(bare, tmp_path / "ada")


async def documents(actor):
    return {
        flow.name: (await studio.draft(actor, flow.id))[0] for flow in await studio.flows(actor) if not flow.archived
    }


async def test_what_is_drawn_here_is_written_there_and_again_changes_nothing(world):
    actor, bare, ada = world
    flow_id = await a_flow(actor)
    done = await service.sync(actor)
    assert done.pushed == ["garden-helper.json"] and done.pulled == []
    ada.pull()
    assert ada.files() == ["flows/garden-helper.json"]
    assert ada.read("flows/garden-helper.json") == write_flow((await studio.draft(actor, flow_id))[0])
    assert git(bare, "log", "-1", "--format=%s|%an", "main").strip() == f"Garden helper|{actor.name}"
    assert (await service.sync(actor)).said == "Both sides are the same."
    assert git(bare, "rev-list", "--count", "main").strip() == "1"


async def test_what_a_colleague_merged_becomes_one_undoable_edit(world):
    actor, _, ada = world
    flow_id = await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    ada.write(
        "flows/garden-helper.json", write_flow(msgspec.structs.replace(a_document(prompt="In Dutch: {{ question }}")))
    )
    ada.write("flows/new one.json", write_flow(msgspec.structs.replace(a_document(), name="")))
    ada.write("README.md", "Not a flow.")
    ada.push()
    before, rev = await studio.draft(actor, flow_id)
    done = await service.sync(actor)
    assert done.pulled == ["garden-helper.json", "new one.json"] and done.pushed == []
    after, now = await studio.draft(actor, flow_id)
    assert now == rev + 1 and after.nodes[1].settings["template"].startswith("In Dutch")
    assert set(await documents(actor)) == {"Garden helper", "new one"}
    await flows.undo(actor, flow_id, "")
    assert (await studio.draft(actor, flow_id))[0] == before
    done = await service.sync(actor)
    assert done.pushed == ["garden-helper.json", "new one.json"], "the name of the new one is written down, too"
    ada.pull()
    assert ada.files() == ["README.md", "flows/garden-helper.json", "flows/new one.json"], "what is not ours stays"


async def test_a_file_laid_out_otherwise_is_no_change_and_is_left_alone(world):
    actor, bare, ada = world
    await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    compact = msgspec.json.encode(msgspec.json.decode(ada.read("flows/garden-helper.json"))).decode()
    ada.write("flows/garden-helper.json", compact)
    head = ada.push()
    assert (await service.sync(actor)).said == "Both sides are the same."
    assert git(bare, "rev-parse", "main").strip() == head


@pytest.mark.parametrize("choice", ["ours", "theirs"])
async def test_a_flow_changed_on_both_sides_is_decided_by_a_person(world, choice):
    actor, _, ada = world
    flow_id = await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    there = write_flow(a_document(prompt="Theirs {{ question }}"))
    ada.write("flows/garden-helper.json", there)
    ada.push()
    _, rev = await studio.draft(actor, flow_id)
    await flows.apply_ops(actor, flow_id, a_batch(rev, adding("n", "note.note", text="Ours")))
    mine = write_flow((await studio.draft(actor, flow_id))[0])
    done = await service.sync(actor)
    assert done.conflicts == ["garden-helper.json"] and not done.pulled and not done.pushed
    link = await queries.link(actor)
    [file] = link.having("conflict")
    sides = await queries.sides(actor, file.id)
    assert (
        link.state == "conflict"
        and [c.kind for c in sides.ours] == ["added"]
        and [c.kind for c in sides.theirs] == ["changed"]
    )
    assert (await service.sync(actor)).conflicts, "it stays until somebody decides"
    await service.resolve(actor, file.id, choice)
    done = await service.sync(actor)
    ada.pull()
    assert not done.conflicts and ada.read("flows/garden-helper.json") == (mine if choice == "ours" else there)
    assert write_flow((await studio.draft(actor, flow_id))[0]) == ada.read("flows/garden-helper.json")
    with pytest.raises(Conflict):
        await service.resolve(actor, file.id, choice)


@pytest.mark.parametrize("choice", ["ours", "theirs"])
async def test_a_file_removed_there_asks_before_the_flow_goes(world, choice):
    actor, _, ada = world
    await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    ada.write("flows/garden-helper.json", None)
    ada.push()
    await service.sync(actor)
    [file] = (await queries.link(actor)).having("gone")
    assert set(await documents(actor)) == {"Garden helper"}, "nothing goes by itself"
    await service.resolve(actor, file.id, choice)
    await service.sync(actor)
    ada.pull()
    assert (ada.files(), set(await documents(actor))) == (
        (["flows/garden-helper.json"], {"Garden helper"}) if choice == "ours" else ([], set())
    )


async def test_an_archived_flow_goes_there_and_comes_back_when_somebody_changes_it_there(world):
    actor, _, ada = world
    flow_id = await a_flow(actor)
    await service.sync(actor)
    await flows.archive(actor, flow_id)
    done = await service.sync(actor)
    ada.pull()
    assert done.pushed == ["garden-helper.json"] and ada.files() == []
    await flows.unarchive(actor, flow_id)
    await service.sync(actor)
    ada.pull()
    assert ada.files() == ["flows/garden-helper.json"]
    await flows.archive(actor, flow_id)
    ada.write("flows/garden-helper.json", write_flow(a_document(prompt="New {{ question }}")))
    ada.push()
    assert (await service.sync(actor)).conflicts == ["garden-helper.json"]
    [file] = (await queries.link(actor)).having("conflict")
    await service.resolve(actor, file.id, "theirs")
    await service.sync(actor)
    assert (await documents(actor))["Garden helper"].nodes[1].settings["template"] == "New {{ question }}"
    assert len(await studio.flows(actor)) == 1


async def test_secrets_and_connections_stay_here_through_both_ways(world):
    actor, _, ada = world
    document = a_document()
    secret = {
        "url": "https://api.example",
        "connection": "c0ffee",
        "headers": [{"name": "Authorization", "value": "k3y"}],
    }
    document.nodes.append(NodeUse("call", "connect.http", x=900, settings=secret))
    document = msgspec.structs.replace(document, cost_limit=0.5)
    flow_id = await a_flow(actor, document)
    await service.sync(actor)
    ada.pull()
    text = ada.read("flows/garden-helper.json")
    assert "k3y" not in text and "c0ffee" not in text and '"cost_limit": 0.5' in text
    ada.write("flows/garden-helper.json", text.replace("https://api.example", "https://api.example/v2"))
    ada.push()
    await service.sync(actor)
    after, _ = await studio.draft(actor, flow_id)
    assert after.nodes[-1].settings == secret | {"url": "https://api.example/v2"} and after.cost_limit == 0.5
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_a_push_in_between_is_looked_at_and_nothing_of_it_is_lost(world, monkeypatch):
    actor, _, ada = world
    await a_flow(actor)
    original, raced = Repository.push, []

    async def push(self, commit):
        if not raced:
            raced.append(1)
            ada.write("flows/theirs.json", write_flow(msgspec.structs.replace(a_document(), name="Theirs")))
            ada.push()
        await original(self, commit)

    monkeypatch.setattr(Repository, "push", push)
    done = await service.sync(actor)
    assert done.pulled == ["theirs.json"] and done.pushed == ["garden-helper.json"]
    ada.pull()
    assert ada.files() == ["flows/garden-helper.json", "flows/theirs.json"]


async def test_killed_between_push_and_note_the_next_sync_finds_it_done(world, monkeypatch):
    actor, bare, _ = world
    await a_flow(actor)
    original = Repository.push

    async def push(self, commit):
        await original(self, commit)
        raise GitProblem("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(Repository, "push", push)
        with pytest.raises(GitProblem):
            await service.sync(actor)
    assert (await queries.link(actor)).state == "failed"
    assert (await service.sync(actor)).said == "Both sides are the same."
    assert git(bare, "rev-list", "--count", "main").strip() == "1"


async def test_a_file_that_is_no_flow_is_named_and_left(world):
    actor, _, ada = world
    await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    ada.write("flows/garden-helper.json", '{"format": 1, "nodes": [{"id": 7}]}')
    ada.write("flows/other.yaml", "a: &x 1\nb: *x")
    ada.push()
    done = await service.sync(actor)
    assert done.conflicts == ["garden-helper.json", "other.yaml"] and len(await studio.flows(actor)) == 1
    broken = (await queries.link(actor)).having("broken")
    assert "does not fit" in broken[0].said and "aliases" in broken[1].said
    await service.resolve(actor, broken[0].id, "ours")
    assert (await service.sync(actor)).pushed == ["garden-helper.json"]


async def test_yaml_and_several_flows_of_one_name(world):
    actor, bare, ada = world
    await service.disconnect(actor)
    await a_link(actor, bare, form="yaml", folder="")
    await a_flow(actor)
    await a_flow(actor)
    await service.sync(actor)
    ada.pull()
    assert ada.files() == ["garden-helper-2.yaml", "garden-helper.yaml"]
    assert (await service.sync(actor)).said == "Both sides are the same."


async def test_pull_alone_and_push_alone(world):
    actor, _, ada = world
    await a_flow(actor)
    ada.write("flows/theirs.json", write_flow(msgspec.structs.replace(a_document(), name="Theirs")))
    ada.push()
    done = await service.sync(actor, push=False)
    assert done.pulled == ["theirs.json"] and done.pushed == []
    ada.write(
        "flows/theirs.json", write_flow(msgspec.structs.replace(a_document(prompt="2 {{ question }}"), name="Theirs"))
    )
    ada.push()
    done = await service.sync(actor, pull=False)
    assert done.pushed == ["garden-helper.json"] and done.left == ["theirs.json"] and done.pulled == []


async def test_by_publishing_by_the_clock_and_by_a_call_from_outside(world):
    actor, bare, ada = world
    await a_link(actor, bare, push_on_publish=True, pull_minutes=60)
    flow_id = await a_flow(actor)
    assert await jobs.sync_due() == 0
    await flows.publish(actor, flow_id, "", "")
    assert await jobs.sync_due() == 1 and await jobs.sync_due() == 0
    ada.pull()
    assert ada.files() == ["flows/garden-helper.json"]
    ada.write("flows/garden-helper.json", write_flow(a_document(prompt="By hook {{ question }}")))
    ada.push()
    path = await service.open_hook(actor)
    await service.called(path.rpartition("/")[2])
    assert await jobs.sync_due() == 1
    assert (await studio.draft(actor, flow_id))[0].nodes[1].settings["template"].startswith("By hook")
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update git_link set looked_at = now() - interval '2 hours'")
    assert await jobs.sync_due() == 1
    assert {event.why for event in (await queries.link(actor)).events} == {"published", "called"}
    with pytest.raises(NotFound):
        await service.called("wrong")


async def test_one_sync_at_a_time_and_one_that_died_does_not_lock_for_ever(world):
    actor, _, _ = world
    async with system_tx("test") as tx:
        await tx.execute("update git_link set busy_at = now()")
    with pytest.raises(Conflict, match="under way"):
        await service.sync(actor)
    async with system_tx("test") as tx:
        await tx.execute("update git_link set busy_at = now() - interval '11 minutes'")
    await service.sync(actor)


async def test_who_may(world):
    actor, bare, _ = world
    editor = await an_actor(role="editor", workspace_id=actor.workspace_id)
    viewer = await an_actor(role="viewer", workspace_id=actor.workspace_id)
    await service.sync(editor)
    for deed in (service.sync(viewer), service.disconnect(editor), service.open_hook(editor), a_link(editor, bare)):
        with pytest.raises(NotAllowed):
            await deed
    stranger = await an_actor()
    assert await queries.link(stranger) is None
    with pytest.raises(NotFound):
        await service.sync(stranger)
