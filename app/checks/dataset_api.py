"""JSON twins of what people do with datasets and matrices."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta, Struct

from app.checks import dataset_queries as queries
from app.checks import datasets, experiments, matrix_csv
from app.checks.dataset_forms import DatasetId, FromRunsForm, MatrixForm, RowsForm, UploadForm
from app.checks.dataset_shapes import DatasetView, ExperimentView, Line, Only
from app.web.actor import Actor

LARGE = 20_000_000


class ExperimentId(Struct, frozen=True):
    id: UUID


class DatasetsApi(Controller):
    path = "/flows/{flow_id:uuid}/datasets"
    tags = ["Datasets"]

    @get("/", name="api:datasets", summary="Datasets of a flow")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[DatasetView]:
        return await queries.datasets(actor, flow_id)

    @post("/", name="api:dataset-put", summary="A dataset of these rows", request_max_body_size=LARGE)
    async def put(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RowsForm]) -> DatasetId:
        return DatasetId(await datasets.put(actor, flow_id, data))

    @post(
        "/files", name="api:dataset-upload", summary="A dataset out of CSV or JSON lines", request_max_body_size=LARGE
    )
    async def upload(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[UploadForm]
    ) -> DatasetId:
        return DatasetId(await datasets.upload(actor, flow_id, data))

    @post("/from-runs", name="api:dataset-from-runs", summary="A dataset out of the last runs")
    async def runs(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[FromRunsForm]
    ) -> DatasetId:
        return DatasetId(await datasets.from_runs(actor, flow_id, data))

    @get("/{dataset_id:uuid}", name="api:dataset", summary="A dataset with its first rows")
    async def show(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> DatasetView:
        return await queries.dataset(actor, flow_id, dataset_id)

    @delete("/{dataset_id:uuid}", name="api:dataset-remove", summary="Delete a dataset")
    async def remove(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]) -> None:
        await datasets.remove(actor, flow_id, dataset_id)

    @post("/{dataset_id:uuid}/return", name="api:dataset-return", summary="Bring it back", status_code=204)
    async def bring_back(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> None:
        await datasets.bring_back(actor, flow_id, dataset_id)

    @post("/{dataset_id:uuid}/experiments", name="api:experiment-begin", summary="Compare over it", status_code=202)
    async def begin(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        dataset_id: FromPath[UUID],
        data: JSONBody[MatrixForm],
    ) -> ExperimentId:
        """Carried out by workers; read it until its status is not "running"."""
        return ExperimentId(await experiments.begin(actor, flow_id, dataset_id, data))


class ExperimentsApi(Controller):
    path = "/flows/{flow_id:uuid}/experiments"
    tags = ["Datasets"]

    @get("/", name="api:experiments", summary="The last comparisons of a flow")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[ExperimentView]:
        return await queries.experiments(actor, flow_id)

    @get("/{experiment_id:uuid}", name="api:experiment", summary="A comparison with its figures")
    async def show(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], experiment_id: FromPath[UUID]
    ) -> ExperimentView:
        return await queries.experiment(actor, flow_id, experiment_id)

    @get("/{experiment_id:uuid}/rows", name="api:experiment-rows", summary="Its cells, 50 rows at a time")
    async def rows(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        experiment_id: FromPath[UUID],
        after: FromQuery[Annotated[int, Meta(ge=-1)]] = -1,
        only: FromQuery[Only] = "",
    ) -> list[Line]:
        view = await queries.experiment(actor, flow_id, experiment_id)
        return await queries.lines(actor, view, after, only=only)

    @get("/{experiment_id:uuid}/cells.csv", name="api:experiment-csv", summary="Its cells as CSV")
    async def csv(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], experiment_id: FromPath[UUID]
    ) -> Response[str]:
        view = await queries.experiment(actor, flow_id, experiment_id)
        return Response(await matrix_csv.written(actor, view), media_type="text/csv; charset=utf-8")

    @post("/{experiment_id:uuid}/cancellation", name="api:experiment-cancel", summary="Stop it", status_code=204)
    async def cancel(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], experiment_id: FromPath[UUID]
    ) -> None:
        await experiments.cancel(actor, flow_id, experiment_id)


api_routes: list[Any] = [DatasetsApi, ExperimentsApi]
