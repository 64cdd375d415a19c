"""A schema made of a sample that somebody pastes: for the schema builder and for programs."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.errors import Refused
from app.studio.schemas import infer
from app.web.actor import Actor


class SampleForm(Struct, forbid_unknown_fields=True):
    """`sample`: JSON, an object or a list of objects."""

    sample: Annotated[str, Meta(max_length=200_000)]


class Inferred(Struct, frozen=True):
    schema: dict[str, Any]


async def inferred(actor: Actor, form: SampleForm) -> Inferred:
    """Nothing is stored. Raises Refused for what is no JSON, or holds no field."""
    try:
        return Inferred(infer(msgspec.json.decode(form.sample)))
    except msgspec.DecodeError as problem:
        raise Refused(f"This sample is not JSON yet: {problem}.", field="sample") from None
    except ValueError as problem:
        raise Refused(str(problem), field="sample") from None


class SchemaSamplesController(Controller):
    path = "/schemas"

    @post("/inference", name="studio:schema-infer", status_code=200)
    async def infer(self, actor: NamedDependency[Actor], data: JSONBody[SampleForm]) -> Inferred:
        return await inferred(actor, data)


class SchemaSamplesApi(Controller):
    path = "/schemas"
    tags = ["Flows"]  # noqa: RUF012

    @post("/inference", name="api:schema-infer", summary="Make a JSON Schema of a sample", status_code=200)
    async def infer(self, actor: NamedDependency[Actor], data: JSONBody[SampleForm]) -> Inferred:
        return await inferred(actor, data)
