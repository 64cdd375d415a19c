"""A flow with tests, datasets and files: out as an archive, in again; hostile archives get nowhere."""

import io
import stat
import zipfile

import pytest
from click.testing import CliRunner

from app.checks import datasets
from app.checks import queries as tests_of
from app.checks import service as checks
from app.checks.dataset_forms import RowsForm
from app.checks.dataset_reading import Row
from app.checks.shapes import Case, Expectation
from app.errors import NotAllowed, NotFound, Refused
from app.files import service as files
from app.gitsync import archive, bundling
from app.studio import queries as studio
from flows.files import write_flow
from flows.model import Flow, NodeUse
from flows.stored import hash_of
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow

PRICES = b"tulip,3\nfern,7\n"


def a_case(name="Greets"):
    return Case(name, {"message": "Hi", "history": []}, [Expectation("contains", "Answer")], [], "chat", ["Smoke"])


async def some(actor):
    """(flow, hash): with a test, a dataset and a file in its settings."""
    file = await files.keep(actor, "prices.csv", PRICES)
    document = a_document()
    setting = {"id": file.id, "name": file.name, "media_type": file.media_type, "size": file.size}
    document.nodes.append(NodeUse("prices", "data.file", settings={"file": setting}))
    flow_id = await a_flow(actor, document)
    await checks.put(actor, flow_id, [a_case()])
    await datasets.put(actor, flow_id, RowsForm("Mails", [Row({"message": "Hi"}, "Answer Hi")]))
    return flow_id, file.id


def zipped(entries, mode=0o644, **about):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in entries:
            info = zipfile.ZipInfo(path)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return made.getvalue()


async def test_all_of_it_travels_to_another_workspace_and_is_the_same_there(signed_in, stranger):
    flow_id, hash = await some(signed_in.actor)
    answer = await signed_in.get(f"/flows/{flow_id}/bundle")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    entries = archive.unpack(answer.content)
    names = ["files/" + hash, "garden-helper.data.json", "garden-helper.json", "garden-helper.tests.json"]
    assert sorted(entries) == names and entries["files/" + hash] == PRICES
    assert (await signed_in.get(f"/flows/{flow_id}/bundle")).content == answer.content, "equal bytes"
    sent = await stranger.post("/flows/import", data={}, files={"file": ("x.zip", answer.content, "application/zip")})
    assert sent.status_code == 303
    made = sent.headers["location"].rpartition("/")[2]
    assert (await stranger.get(f"/flows/{made}/bundle")).content == answer.content
    assert (await stranger.get(f"/settings/files/{hash}/content")).content == PRICES
    assert (await stranger.get(f"/flows/{flow_id}/bundle")).status_code == 404


async def test_programs_do_the_same_and_are_told_what_is_missing(api, signed_in):
    flow_id, hash = await some(signed_in.actor)
    entries = archive.unpack((await api.get(f"/api/v1/flows/{flow_id}/bundle")).content)
    other = await an_actor()
    taken = await bundling.unpacked(other, {path: each for path, each in entries.items() if hash not in path})
    assert taken.missing == ["prices.csv"] and taken.files == 0
    told = (await api.post("/api/v1/flows/import", content=archive.pack(entries))).json()
    assert [each["name"] for each in told["flows"]] == ["Garden helper"] and told["files"] == 1
    assert (await api.post("/api/v1/flows/import", content=b"PK nothing")).status_code == 422


async def test_a_flow_file_alone_is_taken_and_nonsense_says_what_is_wrong(signed_in):
    text = write_flow(a_document(), "yaml")
    sent = await signed_in.post("/flows/import", data={}, files={"file": ("x.yaml", text.encode(), "text/yaml")})
    assert sent.status_code == 303
    for name, content, why in (
        ("x.json", b"{", "JSON"), ("x.zip", b"no zip", "can&#39;t be read"), ("x.zip", zipped([]), "no flow"),
    ):  # fmt: skip
        answer = await signed_in.post("/flows/import", data={}, files={"file": (name, content, "text/plain")})
        assert answer.status_code == 422 and why in answer.text, answer.text[-600:]
    assert "Choose a file first" in (await signed_in.post("/flows/import", data={})).text
    assert len(await studio.flows(signed_in.actor)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "../a.json", "/etc/a.json", "a/../../b.json", "..\\a.json", "C:\\a.json", "sub/a.json", ".a.json", "a.exe",
        "files/../x", "files/" + "A" * 64, "files/" + "0" * 63, "a\n.json", "x" * 300 + ".json",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path):
    with pytest.raises(Refused):
        archive.unpack(zipped([(path, "{}")]))


def test_links_devices_doubles_and_encrypted_entries_are_refused():
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO):
        with pytest.raises(Refused, match="no file"):
            archive.unpack(zipped([("a.json", "/etc/passwd")], mode=kind | 0o777))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped([("a.json", "{}"), ("a.json", "[]")])
    with pytest.raises(Refused, match="twice"):
        archive.unpack(twice)
    locked = bytearray(zipped([("a.json", "{}")]))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Refused, match="encrypted"):
        archive.unpack(bytes(locked))


def test_a_bomb_is_noticed_while_it_is_read(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000_000)
    with pytest.raises(Refused, match="larger than"):
        archive.unpack(zipped([("a.json", b"0" * 600_000), ("b.json", b"0" * 600_000)]))
    lying = bytearray(zipped([("a.json", b"0" * 2_000_000)]))
    at = lying.index(b"PK\x01\x02")
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")  # its header says ten bytes
    try:
        assert len(archive.unpack(bytes(lying))["a.json"]) <= 10
    except Refused:
        pass
    with pytest.raises(Refused, match="more than 500"):
        archive.unpack(zipped([(f"{i}.json", "{}") for i in range(501)]))


async def test_what_is_not_its_hash_or_no_test_makes_nothing(db):
    actor = await an_actor()
    good = {"a.json": write_flow(a_document()).encode()}
    wrong = "files/" + hash_of(b"one")
    for bad in ({wrong: b"other"}, {"b.json": b"{"}, {"a.tests.json": b"{"}, {"a.data.json": b'[{"name": 1}]'}):
        with pytest.raises(Refused):
            await bundling.unpacked(actor, good | bad)
    from msgspec.structs import replace

    with pytest.raises(NotAllowed):
        await bundling.unpacked(replace(actor, role="viewer"), good)
    assert await studio.flows(actor) == []


async def test_update_replaces_the_draft_of_the_same_name_and_keeps_what_does_not_travel(db):
    actor = await an_actor()
    flow_id, _ = await some(actor)
    entries = await bundling.packed(actor, [flow_id])
    taken = await bundling.unpacked(actor, entries, update=True)
    assert [(each.id, each.updated) for each in taken.flows] == [(flow_id, True)]
    assert await bundling.packed(actor, [flow_id]) == entries
    await a_flow(actor)
    with pytest.raises(Refused, match="2 flows are called"):
        await bundling.unpacked(actor, entries, update=True)
    with pytest.raises(NotFound):
        await bundling.packed(await an_actor(), [flow_id])


def test_a_link_in_a_folder_is_not_followed(tmp_path):
    from app.commands.importing import command, entries_of

    document = Flow(name="F", nodes=[NodeUse("a", "data.file", settings={"file": {
        "id": hash_of(b"secret"), "name": "x", "media_type": "text/plain", "size": 6}})])  # fmt: skip
    (tmp_path / "f.json").write_text(write_flow(document))
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / hash_of(b"secret")).symlink_to(tmp_path / "secret")
    (tmp_path / "f.tests.json").symlink_to(tmp_path / "secret")
    assert list(entries_of(tmp_path / "f.json")) == ["f.json"]
    (tmp_path / "files" / hash_of(b"secret")).unlink()
    (tmp_path / "files" / hash_of(b"secret")).write_bytes(b"secret")
    assert len(entries_of(tmp_path / "f.json")) == 2
    (tmp_path / "f.tests.json").unlink()
    (tmp_path / "f.tests.json").write_text("{")
    refused = CliRunner().invoke(command, [str(tmp_path / "f.json")])
    assert refused.exit_code == 2 and "no file of tests" in refused.output


async def test_tests_and_suites_came_along(db):
    actor, other = await an_actor(), await an_actor()
    flow_id, _ = await some(actor)
    taken = await bundling.unpacked(other, await bundling.packed(actor, [flow_id], "yaml"))
    suite = await tests_of.suite(other, taken.flows[0].id)
    assert [view.case for view in suite.cases] == [a_case()] and [each.name for each in suite.suites] == ["Smoke"]
