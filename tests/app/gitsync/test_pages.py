"""Settings → Git for people, the same for programs, and the command."""

import asyncio

import msgspec
import pytest
from click.testing import CliRunner

from app import config
from app.commands import sync
from app.gitsync import queries, service
from flows.files import write_flow
from tests.factories.gitsync import Colleague, a_bare_repository, a_link
from tests.factories.studio import a_document, a_flow


@pytest.fixture
def bare(tmp_path, app):
    with config.using(git_local=(str(tmp_path),), data=tmp_path / "data"):
        yield a_bare_repository(tmp_path)


async def test_connect_sync_decide_and_disconnect(signed_in, bare, tmp_path):
    assert "Connect a repository" in (await signed_in.get("/settings/git")).text
    wrong = await signed_in.post("/settings/git", data={"url": "ssh://x/y", "branch": "main"})
    assert wrong.status_code == 422 and "is not an https address" in wrong.text and 'value="ssh://x/y"' in wrong.text
    sent = {"url": str(bare), "branch": "main", "folder": "flows", "push_on_publish": "true", "pull_minutes": "5"}
    assert (await signed_in.post("/settings/git", data=sent)).status_code == 303
    await a_flow(signed_in.actor)
    await signed_in.post("/settings/git/sync", data={})
    shown = await signed_in.get("/settings/git")
    assert "garden-helper.json" in shown.text and "In step" in shown.text and "1 written to git." in shown.text
    ada = Colleague(bare, tmp_path / "ada")
    ada.pull()
    ada.write("flows/garden-helper.json", "no flow <b>")
    ada.push()
    await signed_in.post("/settings/git/sync", data={"push": "false"})
    [file] = (await queries.link(signed_in.actor)).having("broken")
    assert "Decide" in (await signed_in.get("/settings/git")).text
    page = await signed_in.get(f"/settings/git/files/{file.id}")
    assert (
        "Keep ours" in page.text and "no flow" in page.text and "<b>" not in page.text.partition("words-diff")[2][:80]
    )
    assert (await signed_in.post(f"/settings/git/files/{file.id}/choice", data={"choice": "ours"})).status_code == 303
    await signed_in.post("/settings/git/sync", data={})
    ada.pull()
    assert '"Garden helper"' in ada.read("flows/garden-helper.json")
    hook = await signed_in.post("/settings/git/hook", data={})
    assert "/git-hooks/" in hook.text
    await signed_in.post("/settings/git/removal", data={})
    assert await queries.link(signed_in.actor) is None


async def test_what_goes_wrong_is_said_on_the_page(signed_in, bare):
    await a_link(signed_in.actor, bare)
    (bare / "HEAD").unlink()
    await signed_in.post("/settings/git/sync", data={})
    shown = await signed_in.get("/settings/git")
    assert "Failed" in shown.text and "bare repository" in shown.text


async def test_the_address_for_others_needs_no_session_and_tells_nothing(signed_in, client, bare):
    await a_link(signed_in.actor, bare)
    path = await service.open_hook(signed_in.actor)
    called = await client.post(
        path, content=b'{"ref": "refs/heads/main"}', headers={"content-type": "application/json"}
    )
    assert called.status_code == 202 and called.json() == {"result": "noted"}
    assert (await client.post("/git-hooks/unknown")).status_code == 404
    await service.open_hook(signed_in.actor)
    assert (await client.post(path)).status_code == 404, "an earlier address is dead"


async def test_programs_do_the_same(signed_in, api, bare):
    assert (await api.get("/api/v1/git")).status_code == 404
    form = {"url": str(bare), "folder": "f"}
    assert (await api.put("/api/v1/git", json=form)).status_code == 204
    await a_flow(signed_in.actor)
    assert (await api.post("/api/v1/git/syncs", json={})).json()["pushed"] == ["garden-helper.json"]
    seen = (await api.get("/api/v1/git")).json()
    assert seen["state"] == "ok" and seen["files"][0]["path"] == "garden-helper.json" and "token" not in seen
    assert (await api.post("/api/v1/git/hook")).status_code == 201
    assert (await api.delete("/api/v1/git")).status_code == 204


async def test_the_command_prints_what_was_done_and_fails_on_a_conflict(signed_in, bare, tmp_path, monkeypatch):
    await a_link(signed_in.actor, bare)
    ada = Colleague(bare, tmp_path / "ada")
    ada.write("flows/a.json", write_flow(msgspec.structs.replace(a_document(), name="A")))
    ada.write("flows/b.json", "{")
    ada.push()

    def here(work):
        found = asyncio.run_coroutine_threadsafe(work(), loop)
        return found.result(30)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr("app.commands.database.in_database", here)
    monkeypatch.setattr("app.accounts.service.owner_on_this_machine", _owner(signed_in.actor))
    result = await asyncio.to_thread(CliRunner().invoke, sync.command, [])
    assert result.exit_code == 1 and "pulled    a.json" in result.output and "conflict  b.json" in result.output


def _owner(actor):
    async def owner(email=""):
        return actor

    return owner
