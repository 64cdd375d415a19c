"""Matrices through real workers: results, figures, limits, cancel, and going on after a crash."""

from uuid import UUID

import msgspec
import pytest

from app.checks import dataset_queries as queries
from app.checks import datasets, experimenting, experiments
from app.checks.dataset_forms import FromRunsForm, MatrixForm, Prompt, UploadForm
from app.checks.experimenting import meant, score_of
from app.checks.shapes import Expectation, Verdict
from app.db import tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from app.events import hub
from app.runs import running
from app.runs import service as runs
from app.studio import service as flows
from flows.model import Edge, NodeUse
from tests.doubles.openai_script import Answer
from tests.factories.accounts import an_actor
from tests.factories.checks import a_support_flow
from tests.factories.datasets import SAME, a_dataset, an_experiment, carried_out, questions
from tests.factories.drafting import LARGE, a_model, says
from tests.factories.runs import a_worker, an_approval
from tests.factories.studio import a_document, a_flow

SHORT = Prompt("Short", "write", "template", "Answer {{ question }} now")
WRONG = Prompt("Wrong", "write", "template", "No {{ question }}")


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


async def test_every_prompt_over_every_row_with_figures_and_honest_significance(actor):
    async with a_worker():
        flow_id, _, made = await an_experiment(actor, rows=8, prompts=[SHORT, WRONG])
        view = await carried_out(actor, flow_id, made)
    assert (view.status, view.done, view.all) == ("done", 24, 24)
    assert [variant.name for variant in view.variants] == ["Draft", "Draft, Short", "Draft, Wrong"]
    assert [each.passed for each in view.figures] == [8, 8, 0]
    assert view.figures[2].low == 0 and view.figures[0].median_ms > 0
    none, same, worse = view.compared
    assert none is None and "Too few rows to tell: the two differ on 0 of 8" in same.said
    assert worse.sure and worse.said.startswith("Worse") and worse.worse == 8
    lines = await queries.lines(actor, view)
    assert lines[3].cells[2].why == "'Answer Number 3' is not in it." and lines[3].cells[0].output == "Answer Number 3"


async def test_runs_of_a_matrix_are_drafts_of_the_bulk_lane_and_end_once_each(actor):
    async with a_worker():
        flow_id, _, made = await an_experiment(actor, rows=3)
        await carried_out(actor, flow_id, made)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch("select draft, lane, priority from run where flow_id = $1", flow_id)
    assert [tuple(row) for row in rows] == [(True, experimenting.LANE, -10)] * 3


async def test_models_side_by_side_with_their_costs(actor, fake):
    await a_model(actor, fake)
    document = a_support_flow()
    flow_id, dataset_id = await a_dataset(actor, 2, document)
    form = MatrixForm(models=["compatible/fake-small", LARGE], expect=[Expectation("contains", "said", "text")])
    async with a_worker():
        made = await experiments.begin(actor, flow_id, dataset_id, form)
        view = await carried_out(actor, flow_id, made)
    assert [each.passed for each in view.figures] == [2, 2]
    small, large = view.figures
    assert 0 < small.each_micros < large.each_micros and view.cost_micros == small.cost_micros + large.cost_micros
    assert {call.body["model"] for call in fake.calls} == {"fake-small", "fake-large"}


async def test_a_rubric_gives_scores_and_its_cost_counts(actor, fake):
    await a_model(actor, fake)
    fake.always(says({"reason": "Fine.", "score": 8}))
    async with a_worker():
        flow_id, _, made = await an_experiment(actor, rows=2, expect=[Expectation("judge", "It is kind.")])
        view = await carried_out(actor, flow_id, made)
    assert view.figures[0].score == pytest.approx(0.8) and view.cost_micros > 0


async def test_a_worker_that_dies_between_starting_and_noting_starts_nothing_twice(actor, monkeypatch):
    flow_id, _, made = await an_experiment(actor, rows=2)
    original = runs.start

    async def start(*given, **named):
        await original(*given, **named)
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(runs, "start", start)
        await experimenting.advance()
    async with a_worker():
        view = await carried_out(actor, flow_id, made)
    assert view.status == "done"
    async with tenant_tx(actor.workspace_id) as tx:
        assert await tx.fetchval("select count(*) from run where flow_id = $1", flow_id) == 2


async def test_it_is_cancelled_with_what_runs(actor):
    flow_id, _, made = await an_experiment(actor, rows=20)
    await experimenting.advance()  # no worker: they wait in the queue
    await experiments.cancel(actor, flow_id, made)
    view = await queries.experiment(actor, flow_id, made)
    assert view.status == "cancelled" and view.done == 0
    async with tenant_tx(actor.workspace_id) as tx:
        assert set(await tx.fetch("select distinct status from run where flow_id = $1", flow_id)) == {("cancelled",)}
    assert await experimenting.advance() == 0
    with pytest.raises(Conflict):
        await experiments.cancel(actor, flow_id, made)


async def test_it_stops_at_the_most_it_may_cost(actor, fake):
    await a_model(actor, fake)
    fake.always(Answer(text="yes", usage=(100_000, 10)))
    flow_id, dataset_id = await a_dataset(actor, 30, a_support_flow())
    async with a_worker():
        made = await experiments.begin(actor, flow_id, dataset_id, MatrixForm(models=[LARGE], most=1.5))
        view = await carried_out(actor, flow_id, made)
    assert view.status == "stopped" and "$1.50" in view.said and view.done < 30


async def test_a_run_that_fails_is_a_failed_cell_with_its_reason(actor):
    flow_id, dataset_id = await a_dataset(actor, 1, a_support_flow())  # its model is connected nowhere
    async with a_worker():
        view = await carried_out(actor, flow_id, await experiments.begin(actor, flow_id, dataset_id, MatrixForm()))
    [line] = await queries.lines(actor, view)
    assert line.cells[0].error.startswith("The run failed") and view.figures[0].broken == 1


async def test_flows_that_wait_or_act_outside_are_refused(actor):
    flow_id, dataset_id = await a_dataset(actor, 1, an_approval())
    with pytest.raises(Refused, match="waits for somebody"):
        await experiments.begin(actor, flow_id, dataset_id, MatrixForm())
    calling = a_document()
    calling.nodes.append(NodeUse("call", "connect.http", settings={"url": "https://x.example", "method": "POST"}))
    calling.edges.append(Edge("write.text", "call.body"))
    flow_id, dataset_id = await a_dataset(actor, 1, calling)
    with pytest.raises(Refused, match="acts outside"):
        await experiments.begin(actor, flow_id, dataset_id, MatrixForm())
    await experiments.begin(actor, flow_id, dataset_id, MatrixForm(for_real=True))


async def test_limits_and_what_is_not_there(actor):
    flow_id, dataset_id = await a_dataset(actor, 2)
    for form in (
        MatrixForm(versions=["nonsense"]),
        MatrixForm(models=["evil/model"]),
        MatrixForm(prompts=[Prompt("X", "nobody", "template", "")]),
        MatrixForm(prompts=[Prompt("X", "write", "nothing", "")]),
    ):
        with pytest.raises(Refused):
            await experiments.begin(actor, flow_id, dataset_id, form)
    many = [Prompt(str(i), "write", "template", str(i)) for i in range(8)]
    with pytest.raises(NotFound):
        await experiments.begin(actor, flow_id, UUID(int=5), MatrixForm())
    with pytest.raises(Refused, match="24 with 5,000"):
        large = await datasets.put(
            actor, flow_id, msgspec.convert({"name": "L", "rows": _plain(1_000)}, datasets.RowsForm)
        )
        await experiments.begin(actor, flow_id, large, MatrixForm(prompts=many))
    for _ in range(experiments.AT_ONCE):
        await experiments.begin(actor, flow_id, dataset_id, MatrixForm())
    with pytest.raises(TooMany):
        await experiments.begin(actor, flow_id, dataset_id, MatrixForm())


def _plain(count):
    return msgspec.to_builtins(questions(count))


async def test_datasets_from_files_and_from_runs(actor):
    flow_id = await a_flow(actor)
    made = await datasets.upload(actor, flow_id, UploadForm("Mails", "message,expected\nHi,Hello\n"))
    view = await queries.dataset(actor, flow_id, made)
    assert (view.rows, view.first[0].input, view.first[0].expected) == (1, {"message": "Hi"}, "Hello")
    with pytest.raises(Refused, match="No run"):
        await datasets.from_runs(actor, flow_id, FromRunsForm("Runs"))
    version = await flows.publish(actor, flow_id, "", "")
    for text in ("One", "Two"):
        await runs.answer(actor, version, {"message": text, "history": []}, trigger="chat")
    made = await datasets.from_runs(actor, flow_id, FromRunsForm("Runs", 10))
    rows = (await queries.dataset(actor, flow_id, made)).first
    assert [(row.input["message"], row.expected) for row in rows] == [("One", "Answer One"), ("Two", "Answer Two")]
    assert await datasets.remove(actor, flow_id, made) == "Runs"
    with pytest.raises(NotFound):
        await queries.dataset(actor, flow_id, made)
    await datasets.bring_back(actor, flow_id, made)
    assert len(await queries.datasets(actor, flow_id)) == 2


async def test_others_see_and_do_nothing(actor):
    flow_id, dataset_id, made = await an_experiment(actor)
    stranger, viewer = await an_actor(), await an_actor(role="viewer", workspace_id=actor.workspace_id)
    for deed in (
        queries.dataset(stranger, flow_id, dataset_id),
        queries.experiment(stranger, flow_id, made),
        experiments.begin(stranger, flow_id, dataset_id, MatrixForm()),
        experiments.cancel(stranger, flow_id, made),
        datasets.remove(stranger, flow_id, dataset_id),
        datasets.upload(stranger, flow_id, UploadForm("X", "a\n1")),
    ):
        with pytest.raises(NotFound):
            await deed
    for deed in (
        experiments.begin(viewer, flow_id, dataset_id, MatrixForm()),
        experiments.cancel(viewer, flow_id, made),
        datasets.upload(viewer, flow_id, UploadForm("X", "a\n1")),
    ):
        with pytest.raises(NotAllowed):
            await deed
    assert (await queries.experiment(viewer, flow_id, made)).all == 2


def test_what_a_row_expects_takes_its_place_and_is_left_out_where_nothing_is():
    assert meant([SAME], "Hi")[0].value == "Hi" and meant([SAME], None) == []
    assert meant([Expectation("json", "{{ expected }}")], {"a": 1})[0].value == '{\n  "a": 1\n}'
    assert score_of([]) == 1.0
    assert score_of([Verdict("cel", "", True, ""), Verdict("judge", "", False, "", score=0.5)]) == 0.75
