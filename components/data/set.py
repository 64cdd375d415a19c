"""data.set: make an object, or change one."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, to_builtins

from flows.sdk import Context, Expression, Json, NodeError, Template, lines, node, shown_when


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """`text` is written with holes; `value` is an expression and keeps its kind: a number stays a number."""

    name: Annotated[str, Meta(title="Name", description="address.city reaches inside.", min_length=1, max_length=100)]
    kind: Annotated[Literal["text", "value"], Meta(title="Kind")] = "text"
    text: Annotated[
        Template, Meta(title="Text", description="{{ name }} puts in an input."), shown_when("kind", "text")
    ] = ""
    value: Annotated[
        Expression,
        Meta(title="Value", description='An input such as order.total, or CEL: price * 2, "a" + name.'),
        shown_when("kind", "value"),
        lines(1),
    ] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    fields: Annotated[list[Row], Meta(title="Fields to set", max_length=100)] = []
    keep: Annotated[bool, Meta(title="Keep the other fields", description="Of the object that comes in.")] = True
    remove: Annotated[list[str], Meta(title="Fields to remove", max_length=100)] = []


class Inputs(Struct, frozen=True):
    object: Annotated[dict[str, Any], Meta(title="Object", description="The one to change; may be left out.")] = {}


class Outputs(Struct, frozen=True):
    object: dict[str, Json]


@node(
    "data.set",
    version=1,
    title="Set fields",
    effect="pure",
    icon="list-plus",
    summary=lambda settings: ", ".join(row.name for row in settings.fields),
)
async def set_fields(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Makes an object: the fields that come in (when kept), without the removed ones, then those set here in order.

    The object that came in is not changed.

    Raises NodeError(field="fields[n].name") when a name reaches into something that is no object.
    """
    made: dict[str, Any] = to_builtins(inputs.object) if settings.keep else {}
    for name in settings.remove:
        made.pop(name, None)
    for i, row in enumerate(settings.fields):
        value = row.text if row.kind == "text" else row.value
        if "." in row.name:
            _put(made, row.name, value, f"fields[{i}].name")
        else:
            made[row.name] = value
    return Outputs(made)


def _put(target: dict[str, Any], name: str, value: Any, field: str) -> None:
    *path, last = name.split(".")
    for part in path:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            raise NodeError(f"'{name}' reaches into '{part}', which is no object. Choose another name.", field=field)
        target = inner
    target[last] = value
