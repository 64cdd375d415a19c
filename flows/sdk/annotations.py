"""Kinds of settings: what the editor shows for a field beyond its plain type.

Each is an ordinary type with an `x-widget` in its JSON Schema. Combine with your own Meta:
`prompt: Annotated[Template, Meta(title="Prompt")]`. The table of widgets is in docs/extend/nodes.md.
"""

from typing import Annotated, Any

from msgspec import Meta

from flows.sdk.values import File

TEMPLATE = "template"
EXPRESSION = "expression"
CONDITION = "condition"
SCHEMA = "schema"
FILE = "file"

Template = Annotated[str, Meta(extra_json_schema={"x-widget": TEMPLATE})]
"""Text with holes `{{ cel }}`. The engine fills them from the step's inputs before the node's function is called."""

Expression = Annotated[Any, Meta(extra_json_schema={"x-widget": EXPRESSION, "type": "string"})]
"""CEL source in the document; the node's function finds its value there instead. "" gives None."""

Condition = Annotated[Any, Meta(extra_json_schema={"x-widget": CONDITION, "type": "string"})]
"""An Expression that is to give true or false: the editor builds it as a sentence. The function checks what it got."""


Schema = Annotated[dict[str, Any], Meta(extra_json_schema={"x-widget": SCHEMA})]
"""The JSON Schema of an object, built field by field in the editor; {} = none."""


FileRef = Annotated[File | None, Meta(extra_json_schema={"x-widget": FILE})]
"""A file of the workspace, put in where it is needed; None = none yet. Steps read it by `ctx.files`."""


def accepts(*types: str) -> Meta:
    """Use inside Annotated on a FileRef: the media types it may have, such as "text/csv" or "image/*"."""
    return Meta(extra_json_schema={"x-accepts": list(types)})


def late(*names: str) -> Meta:
    """Use inside Annotated on an Expression of a container that is evaluated anew in every round.

    The node's function finds a callable there, from the values of `names` to the expression's value; None when empty.
    `names` are no input ports of the step.
    """
    return Meta(extra_json_schema={"x-late": list(names)})


Secret = Annotated[str, Meta(extra_json_schema={"x-widget": "secret"})]
"""The name of a stored secret, never the secret itself."""

Multiline = Annotated[str, Meta(extra_json_schema={"x-widget": "multiline"})]
ModelRef = Annotated[str, Meta(extra_json_schema={"x-widget": "model"})]
"""connection/model; "" = the workspace's default model."""

ConnectionRef = Annotated[str, Meta(extra_json_schema={"x-widget": "connection"})]
"""The id of a connection; "" = none."""

FlowRef = Annotated[str, Meta(extra_json_schema={"x-widget": "flow"})]
"""The id of a published flow version."""

JsonText = Annotated[str, Meta(extra_json_schema={"x-widget": "json"})]
Code = Annotated[str, Meta(extra_json_schema={"x-widget": "code"})]
Slider = Meta(extra_json_schema={"x-widget": "slider"})
"""Use inside Annotated on a number with ge and le: `Annotated[float, Meta(ge=0, le=2), Slider]`."""

Superseded = Meta(extra_json_schema={"x-superseded": True})
"""Use inside Annotated on a setting that another one has taken the place of: shown only where a flow still has it."""

Advanced = Meta(extra_json_schema={"x-advanced": True})
"""Use inside Annotated: the editor folds the field under "More"."""


def lines(count: int) -> Meta:
    """Use inside Annotated on a text: how high the editor draws the field. 1 = a single line."""
    return Meta(extra_json_schema={"x-lines": count})


def shown_when(field: str, *values: Any) -> Meta:
    """Use inside Annotated: the editor shows the field only while setting `field` has one of `values`."""
    return Meta(extra_json_schema={"x-shown-when": {"field": field, "values": list(values)}})
