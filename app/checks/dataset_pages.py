"""Pages of datasets and of matrices over them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from app.checks import dataset_queries as queries
from app.checks import datasets, experiments, matrix_csv
from app.checks.controllers import EMPTY, NAV
from app.checks.dataset_forms import FromRunsForm, MatrixForm, Prompt, UploadForm
from app.checks.dataset_reading import MOST_BYTES
from app.checks.dataset_shapes import Only
from app.checks.reading import expectations
from app.checks.shapes import WORDS
from app.errors import DomainError, NotAllowed, NotFound, Refused
from app.gateway import queries as gateway
from app.runs import queries as runs
from app.studio import queries as studio
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page
from flows import catalogue
from flows.model import Flow

PROMPTS = 2
"""Other prompts that the page's form offers; programs may send more."""
NAMES = {"good": "Rated good", "bad": "Rated bad", "any": "Rated runs"}
"""What a dataset of rated runs is called where nobody says."""
USUAL = ("contains", "", "{{ expected }}", "")


class DatasetsController(Controller):
    path = "/flows/{flow_id:uuid}/datasets"

    @get("/", name="datasets:list")
    async def index(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        return await _list(request, actor, flow_id)

    @post("/", name="datasets:upload", status_code=303, request_max_body_size=MOST_BYTES + 100_000)
    async def upload(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        sent = await request.form()
        try:
            made = await datasets.upload(actor, flow_id, await _uploaded(sent))
        except Refused as refused:
            return await _list(request, actor, flow_id, str(sent.get("name", "")), refused)
        return go(request, f"/flows/{flow_id}/datasets/{made}")

    @post("/from-runs", name="datasets:from-runs", status_code=303)
    async def runs(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        sent = await request.form()
        fields = {name: str(value) for name, value in sent.items() if name in ("count", "rating", "days") and value}
        fields["name"] = str(sent.get("name", "")).strip() or NAMES.get(fields.get("rating", ""), "From runs")
        try:
            form = msgspec.convert(fields, FromRunsForm, strict=False)
            made = await datasets.from_runs(actor, flow_id, form)
        except (Refused, msgspec.ValidationError) as problem:
            flash(request, str(problem) if isinstance(problem, Refused) else "1 to 200 runs can be taken.", "warning")
            return go(request, f"/flows/{flow_id}/datasets")
        return go(request, f"/flows/{flow_id}/datasets/{made}")


class DatasetController(Controller):
    path = "/flows/{flow_id:uuid}/datasets/{dataset_id:uuid}"

    @get("/", name="datasets:show")
    async def show(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _dataset(request, actor, flow_id, dataset_id)

    @post("/experiments", name="datasets:compare", status_code=303)
    async def compare(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> Response[Any]:
        sent = await request.form()
        try:
            made = await experiments.begin(actor, flow_id, dataset_id, _matrix(sent))
        except (NotFound, NotAllowed):
            raise
        except DomainError as refused:
            return await _dataset(request, actor, flow_id, dataset_id, sent, refused)
        return go(request, f"/flows/{flow_id}/experiments/{made}")

    @post("/removal", name="datasets:remove", status_code=303)
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> Response[Any]:
        name = await datasets.remove(actor, flow_id, dataset_id)
        flash(request, f"{name} is deleted.", undo=f"/flows/{flow_id}/datasets/{dataset_id}/return")
        return go(request, f"/flows/{flow_id}/datasets")

    @post("/return", name="datasets:bring-back", status_code=303)
    async def bring_back(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], dataset_id: FromPath[UUID]
    ) -> Response[Any]:
        await datasets.bring_back(actor, flow_id, dataset_id)
        return go(request, f"/flows/{flow_id}/datasets/{dataset_id}")


class ExperimentController(Controller):
    path = "/flows/{flow_id:uuid}/experiments/{experiment_id:uuid}"

    @get("/", name="experiments:show")
    async def show(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        experiment_id: FromPath[UUID],
        after: FromQuery[Annotated[int, Meta(ge=-1)]] = -1,
        only: FromQuery[Only] = "",
    ) -> Response[Any]:
        view = await queries.experiment(actor, flow_id, experiment_id)
        lines = await queries.lines(actor, view, after, only=only)
        context: dict[str, Any] = {"view": view, "lines": lines, "after": after, "only": only}
        if request.htmx.partial:
            return fragment(request, "checks/_experiment.html", **context)
        return page(request, "checks/experiment.html", nav=NAV, **context)

    @post("/cancellation", name="experiments:cancel", status_code=303)
    async def cancel(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], experiment_id: FromPath[UUID]
    ) -> Response[Any]:
        await experiments.cancel(actor, flow_id, experiment_id)
        flash(request, "Stopped. What had ended is kept.", "info")
        return go(request, f"/flows/{flow_id}/experiments/{experiment_id}")

    @get("/cells.csv", name="experiments:csv")
    async def csv(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], experiment_id: FromPath[UUID]
    ) -> Response[str]:
        view = await queries.experiment(actor, flow_id, experiment_id)
        headers = {"content-disposition": 'attachment; filename="comparison.csv"'}
        return Response(await matrix_csv.written(actor, view), media_type="text/csv; charset=utf-8", headers=headers)


async def _uploaded(sent: Any) -> UploadForm:
    file = sent.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused("Choose a file first.", field="file")
    try:
        content = (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("The file is no text in UTF-8.", remedy="Save it as UTF-8, then again.", field="file") from None
    ending = file.filename.lower().rpartition(".")[2]
    fields = {
        "name": str(sent.get("name", "")).strip() or file.filename.rpartition(".")[0][:120] or "Dataset",
        "content": content,
        "form": "jsonl" if ending in ("jsonl", "ndjson", "json") else "csv",
    }
    try:
        return msgspec.convert(fields, UploadForm)
    except msgspec.ValidationError:
        raise Refused("The file is empty or too large, or the name too long.", field="file") from None


def _matrix(sent: Any) -> MatrixForm:
    plain = {key: value for key, value in sent.items() if isinstance(value, str)}
    prompts = []
    for i in range(PROMPTS):
        place, text = plain.get(f"prompt-place-{i}", ""), plain.get(f"prompt-text-{i}", "").replace("\r\n", "\n")
        if place and text.strip():
            step, _, field = place.partition(".")
            prompts.append(
                Prompt(plain.get(f"prompt-name-{i}", "").strip()[:80] or f"Prompt {i + 2}", step, field, text)
            )
    fields = {
        "versions": sent.getall("versions", []),
        "models": sent.getall("models", []),
        "for_real": bool(plain.get("for_real")),
        "most": plain.get("most", "5").replace(",", "."),
    }
    try:
        form = msgspec.convert(fields, MatrixForm, strict=False)
    except msgspec.ValidationError:
        raise Refused(
            "Choose at least one version and one model, at most eight of each, and an amount above 0.", field="versions"
        ) from None
    form.prompts, form.expect = prompts, expectations(plain)
    return form


async def _list(
    request: Request, actor: Actor, flow_id: UUID, name: str = "", refused: Refused | None = None
) -> Response[Any]:
    flow, _ = await studio.draft(actor, flow_id)
    return page(
        request,
        "checks/datasets.html",
        status_code=422 if refused else 200,
        nav=NAV,
        flow_id=flow_id,
        flow=flow.name,
        datasets=await queries.datasets(actor, flow_id),
        experiments=await queries.experiments(actor, flow_id),
        name=name,
        refused=refused,
    )


async def _dataset(
    request: Request,
    actor: Actor,
    flow_id: UUID,
    dataset_id: UUID,
    sent: Any = None,
    refused: DomainError | None = None,
) -> Response[Any]:
    data = await queries.dataset(actor, flow_id, dataset_id)
    flow, _ = await studio.draft(actor, flow_id)
    form = sent if sent is not None else {}
    rows = [
        tuple(str(form.get(f"{name}-{i}", "")) for name in ("kind", "path", "value", "least"))
        for i in range(20)
        if form.get(f"kind-{i}")
    ]
    return page(
        request,
        "checks/dataset.html",
        status_code=refused.status if refused is not None else 200,
        nav=NAV,
        data=data,
        rows=[*(rows if sent is not None else [USUAL]), EMPTY],
        kinds=list(WORDS.items()),
        versions=[version for version in await runs.versions(actor, flow_id) if version.kind == "published"][:10],
        models=[model for model in await gateway.models(actor) if not model.embeds][:20],
        places=_places(flow),
        prompts=PROMPTS,
        form=form,
        chosen={name: set(sent.getall(name, [])) for name in ("versions", "models")} if sent is not None else None,
        refused=refused,
        shown=lambda value: value if isinstance(value, str) else msgspec.json.encode(value).decode(),
    )


def _places(flow: Flow) -> list[tuple[str, str]]:
    """Settings of the draft that hold a longer text: ("step.setting", its name); those of starts come last."""
    kinds, found = catalogue.load(), []
    for node in sorted(flow.nodes, key=lambda node: node.type.startswith("start.")):
        kind = kinds.get(node.type)
        if kind is None:
            continue
        whole = kind.settings_schema()
        fields = whole.get("$defs", {}).get(str(whole.get("$ref", "")).rpartition("/")[2], whole).get("properties", {})
        for name, about in fields.items():
            if about.get("x-widget") in ("template", "multiline"):
                found.append((f"{node.id}.{name}", f"{node.label or kind.title}: {about.get('title', name)}"))
    return found


routes: list[Any] = [DatasetsController, DatasetController, ExperimentController]
