"""Datasets and matrices."""

import asyncio
from typing import Any
from uuid import UUID

from app.checks import dataset_queries as queries
from app.checks import datasets, experimenting, experiments
from app.checks.dataset_forms import MatrixForm, RowsForm
from app.checks.dataset_reading import Row
from app.checks.dataset_shapes import ExperimentView
from app.checks.shapes import Expectation
from app.db import system_tx
from app.web import Actor
from flows.model import Flow
from tests.factories.studio import a_document, a_flow

SAME = Expectation("contains", "{{ expected }}", "text")


def questions(count: int) -> list[Row]:
    return [Row({"message": f"Number {i}", "history": []}, f"Answer Number {i}") for i in range(count)]


async def a_dataset(actor: Actor, rows: int = 3, document: Flow | None = None) -> tuple[UUID, UUID]:
    """(flow, dataset): each row expects its own question in the answer."""
    flow_id = await a_flow(actor, document or a_document())
    return flow_id, await datasets.put(actor, flow_id, RowsForm("Questions", questions(rows)))


async def an_experiment(actor: Actor, rows: int = 2, **form: Any) -> tuple[UUID, UUID, UUID]:
    """(flow, dataset, experiment), begun."""
    flow_id, dataset_id = await a_dataset(actor, rows)
    made = await experiments.begin(actor, flow_id, dataset_id, MatrixForm(**{"expect": [SAME], **form}))
    return flow_id, dataset_id, made


async def carried_out(actor: Actor, flow_id: UUID, experiment_id: UUID, rounds: int = 400) -> ExperimentView:
    """Round after round, as a worker's job would; a worker must run."""
    for _ in range(rounds):
        async with system_tx("test: now") as tx:
            await tx.execute("update experiment set leased_until = null")
        await experimenting.advance()
        view = await queries.experiment(actor, flow_id, experiment_id)
        if view.status != "running":
            return view
        await asyncio.sleep(0.02)
    raise AssertionError(view)
