"""The files of runs: written and read by steps, shown on the page, and nobody else's."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from app.db import system_tx
from app.errors import NotFound
from app.files.kinds import signed_type_of
from app.runs import files, service, values
from app.runs.files import files_for
from flows.sdk import File, NodeError
from flows.sdk.context import Context, RunFacts
from tests.factories.accounts import an_actor, an_api_key
from tests.factories.runs import a_chain, a_version

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def step(actor: Any, run: Any = None) -> Any:
    return files_for(Context(RunFacts(str(run or uuid4()), workspace_id=str(actor.workspace_id)), "a"))


async def test_what_a_step_writes_the_next_one_reads_and_the_same_content_is_the_same_file(engine):
    actor, run = await an_actor(), uuid4()
    made = await step(actor, run).write("photo.png", PNG, "image/png")
    assert (made.name, made.media_type, made.size) == ("photo.png", "image/png", len(PNG))
    assert await step(actor, run).read(made) == PNG
    assert (await step(actor, run).write("again.png", PNG, "image/png")).id == made.id
    assert await step(actor, run).read(File("", "text.txt", "text/plain", 2, "ä")) == "ä".encode()


async def test_attack_a_file_is_read_by_the_run_that_has_it_and_by_no_other(engine):
    actor, other, run = await an_actor(), await an_actor(), uuid4()
    made = await step(actor, run).write("a.txt", b"secret", "text/plain")
    for reader in (step(actor), step(other, run)):
        with pytest.raises(NodeError, match="The file 'a.txt' can't be read"):
            await reader.read(made)
    for id in ("", "../../secret.key", "0" * 63, "'; drop table run;--"):
        with pytest.raises(NodeError, match="is not one that this run has"):
            await step(actor, run).read(File(id, "x", "text/plain", 1))
    for who, which in ((other, run), (actor, uuid4())):
        with pytest.raises(NotFound):
            await files.file(who, which, made.id)


ODD = [
    ("", "text/plain", "name"),
    ("..", "text/plain", "name"),
    ("a/..", "text/plain", "name"),
    ("a", "html", "media_type"),
    ("a", "text/html\r\nset-cookie: x=1", "media_type"),
    ("a", "", "media_type"),
]


@pytest.mark.parametrize(("name", "type", "field"), ODD)
async def test_attack_names_and_types_that_are_none_are_refused(engine, name, type, field):
    with pytest.raises(NodeError) as refused:
        await step(await an_actor()).write(name, b"x", type)
    assert refused.value.field == field


async def test_names_lose_their_folders_and_what_cannot_be_seen(engine):
    made = await step(await an_actor()).write("..\\..\\etc/pass\u202ewd\n.txt", b"x", "text/plain")
    assert made.name == "passwd.txt"


async def test_what_is_too_large_is_refused_with_its_size(engine, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 1_000_000)
    actor, run = await an_actor(), uuid4()
    with pytest.raises(NodeError, match=r"'big' has 1.9 MB") as refused:
        await step(actor, run).write("big", b"x" * 2_000_000, "text/plain")
    assert refused.value.field == "content"
    monkeypatch.setattr(files, "MOST_OF_RUN", 1_500_000)
    await step(actor, run).write("one", b"1" * 900_000, "text/plain")
    with pytest.raises(NodeError, match="The files of this run take more"):
        await step(actor, run).write("two", b"2" * 900_000, "text/plain")


async def test_attack_what_is_no_image_is_only_downloaded_whatever_it_is_called(engine):
    actor, run = await an_actor(), uuid4()
    for content in (b"<svg onload=alert(1)>", b"<html><script>alert(1)</script>", b"%PDF-1.7", b"GIF89"):
        made = await step(actor, run).write("x.png", content, "image/png")
        given = await files.file(actor, run, made.id)
        assert not given.shown and given.headers["content-disposition"].startswith("attachment")
        assert "html" not in given.media_type and "svg" not in given.media_type
        assert (
            given.headers["x-content-type-options"] == "nosniff"
            and "sandbox" in given.headers["content-security-policy"]
        )


def test_media_types_by_first_bytes():
    assert signed_type_of(PNG) == "image/png" and signed_type_of(b"RIFF1234WEBPx") == "image/webp"
    assert (
        signed_type_of(b"RIFF1234WAVEx") == "audio/wav"
        and signed_type_of(b"ID3x") == "audio/mpeg"
        and signed_type_of(b"OggSx") == "audio/ogg"
    )
    assert (
        signed_type_of(b"RIFF1234AVI ") == signed_type_of(b"") == signed_type_of(b"<svg>") == "application/octet-stream"
    )


async def test_the_page_shows_an_image_in_place_a_sound_and_a_download_and_the_api_gives_them(signed_in):
    actor = signed_in.actor
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    run = (await service.answer(actor, version, {}, trigger="api")).run_id
    sent = {"png": (PNG, "image/png"), "ogg": (b"OggS" * 9, "audio/ogg"), "pdf": (b"%PDF-1", "application/pdf")}
    made = {kind: await step(actor, run).write(f"x.{kind}", *what) for kind, what in sent.items()}
    async with system_tx("test") as tx:
        output = msgspec.json.encode(made).decode()
        await tx.execute("update run set output = $2::json where id = $1", run, output)
    page = (await signed_in.get(f"/runs/{run}")).text
    assert f'<img src="/runs/{run}/files/{made["png"].id}"' in page
    assert f'<audio class="run-sound" controls preload="none" src="/runs/{run}/files/{made["ogg"].id}"' in page
    assert f'href="/runs/{run}/files/{made["pdf"].id}" download' in page
    got = await signed_in.get(f"/runs/{run}/files/{made['png'].id}")
    assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
    key = {"authorization": f"Bearer {await an_api_key(actor)}"}
    assert (await signed_in.get(f"/api/v1/runs/{run}/files/{made['pdf'].id}", headers=key)).content == b"%PDF-1"


async def test_files_stay_as_long_as_their_run_and_go_with_it(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    run = (await service.answer(actor, version, {}, trigger="api")).run_id
    made = await step(actor, run).write("a.txt", b"x" * 100, "text/plain")
    async with system_tx("test") as tx:
        await tx.execute("update run set finished_at = now() - interval '2 hours' where id = $1", run)
        await tx.execute("update run_value set created_at = now() - interval '2 hours' where run_id = $1", run)
        await tx.execute(
            "update stored_value set touched_at = now() - interval '2 hours' where workspace_id = $1",
            actor.workspace_id,
        )
    await values.forget_values()
    assert (await files.file(actor, run, made.id)).body == b"x" * 100
    async with system_tx("test") as tx:
        await tx.execute("delete from run where id = $1", run)
    await values.forget_values()
    with pytest.raises(NotFound):
        await files.file(actor, run, made.id)
