"""Read models of datasets and matrices. Each says how many SQL statements it takes."""

from typing import Any
from uuid import UUID

import msgspec

from app.checks.dataset_shapes import DatasetView, ExperimentView, Line, Only, RowView, TrialView, Variant
from app.checks.figures import Cell, comparisons, figures
from app.checks.shapes import Expectation, Verdict
from app.db import tenant_tx
from app.errors import NotFound
from app.studio import queries as studio
from app.web import Actor

NO_DATASET = "This dataset does not exist."
NO_EXPERIMENT = "This comparison does not exist."
FIRST = 50
PAGE = 50
_EXPERIMENT = """
select e.id, e.flow_id, f.name as flow, e.dataset_id, d.name as dataset, e.status, e.said, e.expect::text as expect,
       e.variants::text as variants, e.most_micros, e.created_at, e.finished_at, t.done, t.every, t.cost
  from experiment e join flow f on f.id = e.flow_id join dataset d on d.id = e.dataset_id
  left join lateral (
      select count(*) filter (where status = 'done') as done, count(*) as every, coalesce(sum(cost_micros), 0) as cost
        from experiment_trial where experiment_id = e.id
  ) t on true
"""


LINES = """
select r.id, r.place, r.input::text as input, r.expected::text as expected, r.source_run from dataset_row r
  left join lateral (select bool_and(passed) as every, bool_or(passed) as some from experiment_trial
                      where experiment_id = $5 and row_id = r.id and status = 'done') t on $4 <> ''
 where r.dataset_id = $1 and r.place > $2
   and case $4 when '' then true when 'failed' then not t.every else t.some and not t.every end
 order by r.place limit $3
"""


async def datasets(actor: Actor, flow_id: UUID) -> list[DatasetView]:
    """Those of a flow, newest first. 2 statements. Raises NotFound for a flow that does not exist."""
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select d.id, d.flow_id, f.name as flow, d.name, d.source, d.rows, d.created_at from dataset d"
            " join flow f on f.id = d.flow_id where d.flow_id = $1 and d.removed_at is null order by d.created_at desc",
            flow_id,
        )
    return [DatasetView(**dict(row)) for row in rows]


async def dataset(actor: Actor, flow_id: UUID, dataset_id: UUID) -> DatasetView:
    """One with its first rows. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select d.id, d.flow_id, f.name as flow, d.name, d.source, d.rows, d.created_at from dataset d"
            " join flow f on f.id = d.flow_id where d.id = $1 and d.flow_id = $2 and d.removed_at is null",
            dataset_id,
            flow_id,
        )
        if row is None:
            raise NotFound(NO_DATASET, remedy="Somebody deleted it. Look at the list.")
        first = await tx.fetch(
            "select id, place, input::text as input, expected::text as expected, source_run from dataset_row"
            " where dataset_id = $1 order by place limit $2",
            dataset_id,
            FIRST,
        )
    return DatasetView(**dict(row), first=[_row(each) for each in first])


async def experiments(actor: Actor, flow_id: UUID) -> list[ExperimentView]:
    """The last 30 of a flow, newest first, without figures. 2 statements. Raises NotFound as `datasets`."""
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(_EXPERIMENT + "where e.flow_id = $1 order by e.created_at desc limit 30", flow_id)
    return [_experiment(row) for row in rows]


async def experiment(actor: Actor, flow_id: UUID, experiment_id: UUID) -> ExperimentView:
    """One with its figures. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(_EXPERIMENT + "where e.id = $1 and e.flow_id = $2", experiment_id, flow_id)
        if row is None:
            raise NotFound(NO_EXPERIMENT)
        cells = await tx.fetch(
            "select row_id, variant, passed, score, ms, cost_micros, error from experiment_trial"
            " where experiment_id = $1 and status = 'done'",
            experiment_id,
        )
    view = _experiment(row)
    by_variant: list[dict[str, Cell]] = [{} for _ in view.variants]
    for cell in cells:
        made = Cell(bool(cell["passed"]), cell["score"] or 0.0, cell["ms"], cell["cost_micros"], bool(cell["error"]))
        by_variant[cell["variant"]][str(cell["row_id"])] = made
    return msgspec.structs.replace(
        view, figures=[figures(list(each.values())) for each in by_variant], compared=comparisons(by_variant)
    )


async def lines(actor: Actor, view: ExperimentView, after: int = -1, limit: int = PAGE, only: Only = "") -> list[Line]:
    """Rows with their cells, those after a place. `only`: where a variant failed, or they differ. 2 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(LINES, view.dataset_id, after, limit, only, view.id)
        trials = await tx.fetch(
            "select id, row_id, variant, status, passed, score, error, verdicts::text as verdicts, output, ms,"
            " cost_micros, run_id from experiment_trial where experiment_id = $1 and row_id = any($2::uuid[])",
            view.id,
            [row["id"] for row in rows],
        )
    cells = {(trial["row_id"], trial["variant"]): _trial(trial) for trial in trials}
    return [Line(_row(row), [cells.get((row["id"], i)) for i in range(len(view.variants))]) for row in rows]


def _row(row: Any) -> RowView:
    expected = msgspec.json.decode(row["expected"]) if row["expected"] is not None else None
    return RowView(row["id"], row["place"], msgspec.json.decode(row["input"]), expected, row["source_run"])


def _trial(row: Any) -> TrialView:
    fields = {name: row[name] for name in TrialView.__struct_fields__ if name != "verdicts"}
    return TrialView(**fields, verdicts=msgspec.json.decode(row["verdicts"], type=list[Verdict]))


def _experiment(row: Any) -> ExperimentView:
    return ExperimentView(
        row["id"],
        row["flow_id"],
        row["flow"],
        row["dataset_id"],
        row["dataset"],
        row["status"],
        row["said"],
        msgspec.json.decode(row["expect"], type=list[Expectation]),
        msgspec.json.decode(row["variants"], type=list[Variant]),
        row["done"],
        row["every"],
        int(row["cost"]),
        row["most_micros"],
        row["created_at"],
        row["finished_at"],
    )
