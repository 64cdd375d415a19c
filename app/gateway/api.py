"""JSON twins of the connections page."""

from uuid import UUID

from litestar import Controller, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from app.gateway import queries, service
from app.gateway.forms import BudgetForm, ChangeForm, ConnectForm, DefaultForm, OrderForm
from app.gateway.prices import Price
from app.gateway.queries import BudgetView, CallView, ModelView
from app.gateway.service import Found, Trial
from app.web.actor import Actor


class ConnectionOut(Struct, frozen=True):
    """Never a key: `key_hint` is its last four characters."""

    id: UUID
    slug: str
    provider: str
    name: str
    base_url: str
    key_hint: str
    has_key: bool
    status: str
    models: int
    trial: Trial


class ModelOut(Struct, frozen=True):
    """`price`: millionths of a millionth of a US dollar per token; null = unknown."""

    id: str
    title: str
    connection: str
    context: int
    free: bool
    price: Price | None
    embeds: bool
    tools: bool | None


class Made(Struct, frozen=True):
    id: UUID


class Choices(Struct, frozen=True):
    model: str
    embedding_model: str
    fallbacks: list[str]


class ConnectionsController(Controller):
    path = "/connections"
    tags = ["Connections"]

    @get("/", name="api:connections", summary="List connections")
    async def index(self, actor: NamedDependency[Actor]) -> list[ConnectionOut]:
        return [_connection(each) for each in (await queries.overview(actor)).connections]

    @post("/", name="api:connect", summary="Add a connection")
    async def create(self, actor: NamedDependency[Actor], data: JSONBody[ConnectForm]) -> Made:
        return Made(await service.connect(actor, data))

    @get("/nearby", name="api:nearby", summary="Model servers found on this machine", opt={"scope": "admin"})
    async def nearby(self, actor: NamedDependency[Actor]) -> list[Found]:
        return await service.nearby(actor)

    @get("/choices", name="api:model-choices", summary="Default models and fallbacks")
    async def choices(self, actor: NamedDependency[Actor]) -> Choices:
        page = await queries.overview(actor)
        return Choices(page.default_model, page.embedding_model, [each.id for each in page.fallbacks])

    @put("/default", name="api:choose-default", summary="Choose the default models", status_code=204)
    async def choose(self, actor: NamedDependency[Actor], data: JSONBody[DefaultForm]) -> None:
        await service.choose_default(actor, data)

    @put("/fallbacks", name="api:order-fallbacks", summary="Say who answers when the first fails", status_code=204)
    async def fallbacks(self, actor: NamedDependency[Actor], data: JSONBody[OrderForm]) -> None:
        await service.order_fallbacks(actor, data.models)

    @patch("/{connection_id:uuid}", name="api:change-connection", summary="Change a connection", status_code=204)
    async def update(
        self, actor: NamedDependency[Actor], connection_id: FromPath[UUID], data: JSONBody[ChangeForm]
    ) -> None:
        await service.change(actor, connection_id, data)

    @delete("/{connection_id:uuid}", name="api:remove-connection", summary="Remove a connection")
    async def remove(self, actor: NamedDependency[Actor], connection_id: FromPath[UUID]) -> None:
        await service.remove(actor, connection_id)

    @post("/{connection_id:uuid}/restoration", name="api:restore-connection", summary="Undo removing", status_code=204)
    async def restore(self, actor: NamedDependency[Actor], connection_id: FromPath[UUID]) -> None:
        await service.restore(actor, connection_id)

    @post("/{connection_id:uuid}/trial", name="api:try-connection", summary="Test a connection", status_code=200)
    async def trial(self, actor: NamedDependency[Actor], connection_id: FromPath[UUID]) -> Trial:
        return await service.try_out(actor, connection_id)


class ModelsController(Controller):
    path = "/models"
    tags = ["Connections"]

    @get("/", name="api:models", summary="List models that steps may name")
    async def index(self, actor: NamedDependency[Actor]) -> list[ModelOut]:
        return [_model(each) for each in await queries.models(actor)]


class BudgetsController(Controller):
    path = "/budgets"
    tags = ["Connections"]

    @get("/", name="api:budgets", summary="List limits of money")
    async def index(self, actor: NamedDependency[Actor]) -> list[BudgetView]:
        return (await queries.overview(actor)).budgets

    @post("/", name="api:set-budget", summary="Set a limit", opt={"scope": "admin"})
    async def create(self, actor: NamedDependency[Actor], data: JSONBody[BudgetForm]) -> Made:
        return Made(await service.set_budget(actor, data))

    @delete("/{budget_id:uuid}", name="api:remove-budget", summary="Remove a limit", opt={"scope": "admin"})
    async def remove(self, actor: NamedDependency[Actor], budget_id: FromPath[UUID]) -> None:
        await service.remove_budget(actor, budget_id)


@get("/model-calls", name="api:model-calls", summary="The latest model calls", tags=["Connections"])
async def model_calls(actor: NamedDependency[Actor], run_id: FromQuery[UUID | None] = None) -> list[CallView]:
    return await queries.calls(actor, run_id=run_id)


def _connection(view: queries.ConnectionView) -> ConnectionOut:
    return ConnectionOut(
        view.id,
        view.slug,
        view.provider,
        view.name,
        view.base_url,
        view.key_hint,
        view.has_key,
        view.status,
        view.models,
        view.trial,
    )


def _model(view: ModelView) -> ModelOut:
    return ModelOut(view.id, view.title, view.connection, view.context, view.free, view.price, view.embeds, view.tools)


api_routes = [ConnectionsController, ModelsController, BudgetsController, model_calls]
