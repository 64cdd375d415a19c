"""The fields a start step asks for: each becomes an output port."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert

from flows.sdk import Audio, Document, File, Image, Json, NodeError, Port, Ports, PortType, is_kind, shown_when

Kind = Literal[
    "text", "long text", "number", "yes/no", "choice", "file", "image", "audio", "document", "list", "object"
]
PORT: dict[str, PortType] = {
    "text": "text",
    "long text": "text",
    "number": "number",
    "yes/no": "yesno",
    "choice": "text",
    "file": "file",
    "image": "image",
    "audio": "audio",
    "document": "document",
    "list": "list",
    "object": "object",
}
YES = frozenset({"yes", "true", "on", "1"})


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[
        str,
        Meta(
            pattern="^[a-z][a-z0-9_]{0,39}$",
            title="Name",
            description="How later steps call it: small letters, digits and _.",
        ),
    ]
    label: Annotated[str, Meta(title="Label", description="What people read; empty = the name.")] = ""
    kind: Annotated[Kind, Meta(title="Kind")] = "text"
    required: Annotated[bool, Meta(title="Required")] = True
    choices: Annotated[list[str], Meta(title="Choices"), shown_when("kind", "choice")] = []
    unit: Annotated[
        str,
        Meta(title="Unit", description="Beside the field, such as kg or €.", max_length=20),
        shown_when("kind", "number"),
    ] = ""
    help: Annotated[str, Meta(title="Help", description="A line below the field.")] = ""


def ports_for(fields: list[Field], *more: Port) -> Ports:
    """Raises NodeError(field="fields") when two fields have the same name."""
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise NodeError(f"Two fields are named '{name}'. Give each its own name.", field="fields")
    made = tuple(Port(f.name, PORT[f.kind], f.label or f.name, f.help, branch=not f.required) for f in fields)
    return Ports((), made + tuple(port for port in more if port.name not in names))


def read_fields(fields: list[Field], given: Mapping[str, Json]) -> dict[str, Json]:
    """The values by name, in their kinds. A field left empty that isn't required is left out.

    Text from a form is read as its kind: "3" as a number, "on" as yes. Raises NodeError that names the field.
    """
    values = {}
    for field in fields:
        value = given.get(field.name)
        if value is None or value == "":
            if field.required and field.kind != "yes/no":
                raise NodeError(f"'{field.label or field.name}' is empty. Fill it in.", field=field.name)
            if field.kind == "yes/no":
                values[field.name] = False
            continue
        values[field.name] = _read(field, value)
    return values


def _read(field: Field, value: Json) -> Any:
    label = field.label or field.name
    match field.kind:
        case "number":
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise NodeError(f"'{label}' must be a number, not '{value}'.", field=field.name) from None
            return int(number) if number.is_integer() else number
        case "yes/no":
            return value if isinstance(value, bool) else str(value).lower() in YES
        case "choice" if field.choices and value not in field.choices:
            raise NodeError(f"'{label}' must be one of: {', '.join(field.choices)}; not '{value}'.", field=field.name)
        case "file" | "image" | "audio" | "document":
            return _file(field, value)
        case "list" | "object":
            wanted = list if field.kind == "list" else dict
            if not isinstance(value, wanted):
                raise NodeError(f"'{label}' must be {'a list' if wanted is list else 'an object'}.", field=field.name)
            return value
    return value if isinstance(value, str) else str(value)


FILES: dict[str, type[File]] = {"file": File, "image": Image, "audio": Audio, "document": Document}


def _file(field: Field, value: Json) -> File:
    label, kind = field.label or field.name, FILES[field.kind]
    what = {"file": "a file", "image": "an image", "audio": "an audio file", "document": "a document"}[field.kind]
    try:
        file = convert(value, kind)
    except ValueError:
        raise NodeError(f"'{label}' must be {what}.", field=field.name) from None
    if not is_kind(file, kind):
        raise NodeError(f"'{label}' must be {what}, and '{file.name}' is {file.media_type}.", field=field.name)
    return file
