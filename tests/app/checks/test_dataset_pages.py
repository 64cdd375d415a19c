"""Pages of datasets and matrices for people, the same for programs, the CSV, and the command."""

import asyncio
import csv
import io
import re
from uuid import UUID

import pytest
from click.testing import CliRunner

from app.checks import dataset_queries as queries
from app.checks import datasets, jobs, matrix_csv
from app.checks.dataset_forms import RowsForm
from app.checks.dataset_reading import Row
from app.commands import dataset as waiting
from app.commands import test as command
from app.db import system_tx
from app.runs import service as runs
from app.studio import queries as drafts
from app.studio import service as studio
from tests.factories.datasets import a_dataset, an_experiment, carried_out
from tests.factories.runs import a_worker
from tests.factories.studio import a_flow

FILE = b"message,expected\nHi,Answer Hi\n=cmd(),nothing\n"


async def test_from_a_file_to_a_comparison_with_another_prompt(signed_in):
    flow_id = await a_flow(signed_in.actor)
    here = f"/flows/{flow_id}/datasets"
    assert "No dataset yet" in (await signed_in.get(here)).text
    none = await signed_in.post(here, data={"name": "X"})
    assert none.status_code == 422 and "Choose a file first" in none.text
    bad = await signed_in.post(here, data={"name": ""}, files={"file": ("a.csv", b"\xff\xfe", "text/csv")})
    assert bad.status_code == 422 and "no text in UTF-8" in bad.text
    made = await signed_in.post(here, data={"name": ""}, files={"file": ("mails.csv", FILE, "text/csv")})
    assert made.status_code == 303
    place = made.headers["location"]
    shown = await signed_in.get(place)
    assert "Compare over 2 rows" in shown.text and "Answer Hi" in shown.text and "{{ expected }}" in shown.text
    form = {
        "versions": "draft", "models": "", "kind-0": "contains", "value-0": "{{ expected }}", "most": "2",
        "prompt-place-0": "write.template", "prompt-text-0": "Reply {{ question }}", "prompt-name-0": "Polite",
    }  # fmt: skip
    refused = await signed_in.post(f"{place}/experiments", data=form | {"most": "no"})
    assert refused.status_code == 422 and "Polite" in refused.text
    begun = await signed_in.post(f"{place}/experiments", data=form)
    assert begun.status_code == 303, begun.text
    experiment = begun.headers["location"]
    async with a_worker():
        await carried_out(signed_in.actor, flow_id, experiment.rpartition("/")[2])
    page = await signed_in.get(experiment)
    assert "Draft, Polite" in page.text and "50 %" in page.text and "Too few rows to tell" in page.text
    for only, count in (("", 2), ("failed", 2), ("differ", 1)):
        rows = (await signed_in.get(f"{experiment}?only={only}")).text
        assert rows.count("See the run of row ") == 2 * count, only
    (adopt,) = re.findall(r'action="(/flows/[^"]+/restoration)"', page.text)
    assert (await signed_in.post(adopt, data={})).status_code == 303
    assert "Reply {{ question }}" in str((await drafts.draft(signed_in.actor, flow_id))[0])
    table = list(csv.DictReader(io.StringIO((await signed_in.get(f"{experiment}/cells.csv")).text)))
    assert [row["passed"] for row in table] == ["1", "0", "0", "0"] and table[0]["prompt"] == ""
    removed = await signed_in.post(f"{place}/removal", data={})
    assert removed.status_code == 303 and ">mails</a>" not in (await signed_in.get(here)).text
    await signed_in.post(f"{place}/return", data={})
    assert ">mails</a>" in (await signed_in.get(here)).text


def test_no_cell_is_a_formula_to_a_spreadsheet():
    assert [matrix_csv.plain(text) for text in ("=1+1", "+x", "@x", "-1", "\tx", "a=b", "")] == [
        "'=1+1", "'+x", "'@x", "'-1", "'\tx", "a=b", "",
    ]  # fmt: skip


async def test_programs_do_the_same(signed_in, api):
    flow_id = await a_flow(signed_in.actor)
    here = f"/api/v1/flows/{flow_id}"
    made = (await api.post(f"{here}/datasets/files", json={"name": "F", "content": FILE.decode()})).json()
    assert (await api.get(f"{here}/datasets/{made['id']}")).json()["rows"] == 2
    begun = await api.post(f"{here}/datasets/{made['id']}/experiments", json={"prompts": []})
    assert begun.status_code == 202
    view = (await api.get(f"{here}/experiments/{begun.json()['id']}")).json()
    assert view["status"] == "running" and view["all"] == 2
    assert len((await api.get(f"{here}/experiments/{view['id']}/rows")).json()) == 2
    assert (await api.post(f"{here}/experiments/{view['id']}/cancellation")).status_code == 204
    assert (await api.get(f"{here}/experiments")).json()[0]["status"] == "cancelled"
    assert "cancelled" in (await api.get(f"{here}/experiments/{view['id']}/cells.csv")).text
    assert (await api.delete(f"{here}/datasets/{made['id']}")).status_code == 204


async def test_a_stranger_finds_nothing(signed_in, stranger):
    flow_id, dataset_id, experiment_id = await an_experiment(signed_in.actor)
    for path in (
        f"/flows/{flow_id}/datasets",
        f"/flows/{flow_id}/datasets/{dataset_id}",
        f"/flows/{flow_id}/experiments/{experiment_id}",
        f"/flows/{flow_id}/experiments/{experiment_id}/cells.csv",
    ):
        assert (await stranger.get(path)).status_code == 404, path


@pytest.mark.parametrize(("wrong", "status"), [(False, 0), (True, 1)])
async def test_the_command_runs_the_draft_over_a_dataset_and_writes_junit(
    signed_in, monkeypatch, tmp_path, wrong, status
):
    actor = signed_in.actor
    flow_id, _ = await a_dataset(actor, 2)
    await datasets.put(actor, flow_id, RowsForm("Other", [Row({"message": "Hi"}, "Nothing" if wrong else "Answer Hi")]))
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(waiting, "LOOK", 0.05)
    monkeypatch.setattr(
        "app.commands.database.in_database",
        lambda work: asyncio.run_coroutine_threadsafe(work(), loop).result(60),
    )

    async def owner(email=""):
        return actor

    async def nothing(*_):
        return None

    monkeypatch.setattr("app.accounts.service.owner_on_this_machine", owner)
    monkeypatch.setattr("app.runs.running.start", nothing)
    monkeypatch.setattr("app.runs.running.stop", nothing)
    report = tmp_path / "report.xml"
    words = ["--flow", str(flow_id), "--dataset", "Other", "--junit", str(report)]
    async with a_worker():
        task = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, command.command, words))
        while not task.done():
            async with system_tx("test: now") as tx:
                await tx.execute("update experiment set leased_until = null")
            await jobs.advance()
            await asyncio.wait([task], timeout=0.05)
    result = task.result()
    assert result.exit_code == status, result.output
    assert ("✗ Row 1" in result.output) is wrong and "Row 1" in report.read_text()
    [view] = await queries.experiments(actor, flow_id)
    assert view.status == "done"


async def test_a_dataset_of_rated_runs_is_made_in_one_act(signed_in, api):
    actor = signed_in.actor
    flow_id = await a_flow(actor)
    await studio.publish(actor, flow_id, "", "")
    version = await runs.live_version(actor.workspace_id, flow_id)
    visitor = b"\x03" * 32
    asked = [
        (await runs.answer(actor, version, {"message": text}, trigger="site", visitor=visitor.hex())).run_id
        for text in ("One", "Two", "Three", "Four")
    ]
    tried = (await runs.answer(actor, version, {"message": "Tried"}, trigger="editor", draft=True)).run_id
    await runs.rate_as_visitor(actor.workspace_id, visitor, asked[0], True)
    await runs.rate(actor, asked[1], False, "Wrong")
    await runs.rate(actor, tried, True)
    await runs.rate(actor, asked[3], True)
    async with system_tx("test: long ago") as tx:
        await tx.execute("update run set created_at = now() - interval '9 days' where id = $1", asked[3])
    page = (await signed_in.get(f"/flows/{flow_id}/runs?rating=any&period=week")).text
    assert "Make a dataset of rated runs" in page
    fields = {"count": "200", "rating": "any", "days": "7"}
    made = await signed_in.post(f"/flows/{flow_id}/datasets/from-runs", data=fields)
    assert made.status_code == 303
    view = await queries.dataset(actor, flow_id, UUID(made.headers["location"].rpartition("/")[2]))
    assert view.name == "Rated runs" and view.source == "3 runs rated"
    assert [(row.input, row.expected) for row in view.first] == [
        ({"message": "One"}, "Answer One"), ({"message": "Two"}, None), ({"message": "Tried"}, "Answer Tried"),
    ]  # fmt: skip
    body = {"name": "Good", "rating": "good"}
    good = (await api.post(f"/api/v1/flows/{flow_id}/datasets/from-runs", json=body)).json()["id"]
    assert (await queries.dataset(actor, flow_id, UUID(good))).rows == 3
    other = await a_flow(actor)
    none = await api.post(f"/api/v1/flows/{other}/datasets/from-runs", json=body)
    assert none.status_code == 422 and "rated good" in none.text
