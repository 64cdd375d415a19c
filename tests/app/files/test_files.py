"""Files of a workspace: kept by their hash, typed by their bytes, shown or downloaded without danger, read by steps."""

import pytest

from app.db import tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.files import queries, service
from app.files.kinds import fits, media_type_of
from app.runs.files import files_for
from components.data.file import Settings, file
from flows.sdk import File, NodeError, Nothing
from flows.sdk.context import Context, RunFacts
from flows.sdk.testing import context
from tests.factories.accounts import an_actor

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.mark.parametrize(
    ("name", "content", "type"),
    [
        ("a.csv", b"a,b", "text/csv"), ("a.png", b"<html>", "text/plain"), ("a.txt", PNG, "image/png"),
        ("a.json", b"{}", "application/json"), ("a", b"hi", "text/plain"),
        ("a.exe", b"MZ\0\0", "application/octet-stream"),
        ("a.csv", b"\xff\xfe\x00", "application/octet-stream"), ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("a.docx", b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.zip", b"PK\x03\x04", "application/zip"), ("a.webp", b"RIFF0000WEBP", "image/webp"),
        ("a.svg", b"<svg onload='x'>", "text/plain"), ("a.html", b"<script>", "text/html"),
    ],
)  # fmt: skip
def test_the_type_is_what_the_bytes_say_then_the_name(name, content, type):
    assert media_type_of(name, content) == type


def test_what_a_setting_takes():
    assert fits("image/png", ("image/*",)) and fits("text/csv", ()) and not fits("text/csv", ("image/*", "text/plain"))


async def test_equal_files_are_kept_once_and_only_in_their_workspace(db):
    actor, stranger = await an_actor(), await an_actor()
    first = await service.keep(actor, "../x/prices.csv", b"a,b")
    assert (first.name, first.media_type, first.size) == ("prices.csv", "text/csv", 3)
    assert (await service.keep(actor, "again.csv", b"a,b")).id == first.id
    assert [each.name for each in await queries.files(actor)] == ["prices.csv"]
    assert await queries.files(stranger) == []
    with pytest.raises(NotFound):
        await queries.content(stranger, first.id)
    mine = (await queries.files(actor))[0]
    with pytest.raises(NotFound):
        await service.remove(stranger, mine.id)
    await service.remove(actor, mine.id)
    assert await queries.files(actor) == []


NO_FILES = [("", b"x", "needs a name"), ("..", b"x", "needs a name"), ("a", b"", "is empty")]


@pytest.mark.parametrize(("name", "content", "says"), NO_FILES)
async def test_what_is_no_file_is_refused(db, name, content, says):
    with pytest.raises(Refused, match=says):
        await service.keep(await an_actor(), name, content)


async def test_too_large_too_many_and_not_allowed(db, monkeypatch):
    actor = await an_actor()
    monkeypatch.setattr(service, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="at most 16 MB") as large:
        await service.keep(actor, "a", b"x" * 11)
    assert large.value.status == 413
    monkeypatch.setattr(service, "MOST_OF_WORKSPACE", 12)
    await service.keep(actor, "a", b"x" * 10)
    with pytest.raises(Refused, match="more than 1 GB"):
        await service.keep(actor, "b", b"y" * 10)
    with pytest.raises(NotAllowed):
        await service.keep(await an_actor(role="viewer"), "a", b"x")


async def test_a_step_hands_it_on_and_another_reads_it(db):
    actor, stranger = await an_actor(), await an_actor()
    kept = await service.keep(actor, "prices.csv", b"fern,3")
    assert (await file.run(Settings(kept), Nothing(), context())).file == kept
    with pytest.raises(NodeError, match="No file was chosen") as refused:
        await file.run(Settings(), Nothing(), context())
    assert refused.value.field == "file"

    def reading(who):
        run = RunFacts("01993d5e-0000-7000-8000-000000000002", workspace_id=str(who.workspace_id))
        return files_for(Context(run, "a")).read(kept)

    assert await reading(actor) == b"fern,3"
    with pytest.raises(NodeError, match=r"'prices.csv' can't be read"):
        await reading(stranger)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("delete from workspace_file")
    with pytest.raises(NodeError, match=r"'prices.csv' can't be read"):
        await reading(actor)


async def test_pages_and_the_editor_put_in_show_and_take_away(signed_in):
    assert "No file yet" in (await signed_in.get("/settings/files")).text
    put = await signed_in.post("/settings/files/upload?name=logo.png", content=PNG)
    assert put.status_code == 201 and put.json()["media_type"] == "image/png"
    shown = await signed_in.get(f"/settings/files/{put.json()['id']}/content")
    assert shown.content == PNG and shown.headers["content-disposition"] == "inline"
    page = await signed_in.post("/settings/files/upload?name=evil.html", content=b"<script>alert(1)</script>")
    served = await signed_in.get(f"/settings/files/{page.json()['id']}/content")
    assert served.headers["content-type"].startswith("application/octet-stream")
    assert served.headers["content-disposition"].startswith("attachment")
    assert (
        served.headers["x-content-type-options"] == "nosniff" and "sandbox" in served.headers["content-security-policy"]
    )
    assert "logo.png" in (await signed_in.get("/settings/files")).text
    assert (await signed_in.post("/settings/files/upload?name=x", content=b"")).status_code == 422
    assert (await signed_in.get("/settings/files/" + "0" * 64 + "/content")).status_code == 404


async def test_the_api_keeps_lists_gives_and_forgets(api):
    kept = (await api.post("/api/v1/files?name=a.txt", content=b"hello")).json()
    listed = (await api.get("/api/v1/files")).json()
    assert [each["hash"] for each in listed] == [kept["id"]]
    assert (await api.get(f"/api/v1/files/{kept['id']}")).content == b"hello"
    assert (await api.delete(f"/api/v1/files/{listed[0]['id']}")).status_code == 204
    assert File(**kept).name == "a.txt"
