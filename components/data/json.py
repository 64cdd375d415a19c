"""data.json: read JSON and take one value out of it."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from flows.sdk import Context, JsonText, NodeError, lines, node, shown_when

STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")
FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    path: Annotated[
        str,
        Meta(
            title="Path",
            description="Such as order.items[0].name; empty = everything. [-1] is the last.",
            max_length=500,
        ),
    ] = ""
    missing: Annotated[Literal["stop", "empty", "default"], Meta(title="When it is not there")] = "stop"
    default: Annotated[JsonText, Meta(title="Default, as JSON"), shown_when("missing", "default"), lines(2)] = "null"


class Inputs(Struct, frozen=True):
    source: Annotated[Any, Meta(title="JSON", description="JSON text, or data that was read already.")]


class Outputs(Struct, frozen=True):
    value: Any


@node(
    "data.json",
    version=1,
    title="Read JSON",
    effect="pure",
    icon="braces",
    summary=lambda settings: settings.path or "Everything",
)
async def json(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Reads JSON text (also from a fenced block, as models write it) and gives the value at `path`.

    Raises NodeError(field="source") for text that is no JSON, NodeError(field="path") when the path leads nowhere and
    'When it is not there' is "stop"; the sentence says how far it led.
    """
    value = _parse(inputs.source) if isinstance(inputs.source, str) else inputs.source
    walked = ""
    for step in steps_of(settings.path):
        if not (_is_there(value, step)):
            return Outputs(_instead(settings, value, step, walked))
        value = value[step]
        walked += f"[{step}]" if isinstance(step, int) else f".{step}" if walked else step
    return Outputs(value)


def steps_of(path: str) -> list[str | int]:
    """The parts of a path: a.b[0] has "a", "b" and 0. Raises NodeError(field="path") when it can't be read."""
    steps: list[str | int] = []
    end = 0
    text = path.strip()
    while end < len(text):
        match = STEP.match(text, end)
        if match is None:
            raise NodeError(
                f"The path '{path}' can't be read at character {end + 1}. Write it like order.items[0].name.",
                field="path",
            )
        name, index = match.groups()
        steps.append(int(index) if index is not None else name)
        end = match.end()
    return steps


def _is_there(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value


def _parse(text: str) -> Any:
    fenced = FENCED.search(text)
    candidate = (fenced.group(1) if fenced else text).strip()
    try:
        return msgspec.json.decode(candidate)
    except msgspec.DecodeError as error:
        start = candidate[:40] + ("…" if len(candidate) > 40 else "")
        raise NodeError(f"This is not JSON: {error}. It begins with: {start}", field="source") from None


def _instead(settings: Settings, value: Any, step: str | int, walked: str) -> Any:
    if settings.missing == "empty":
        return None
    if settings.missing == "default":
        try:
            return msgspec.json.decode(settings.default)
        except msgspec.DecodeError as error:
            raise NodeError(f"The default is not JSON: {error}. Put texts in double quotes.", field="default") from None
    where = f"'{walked}'" if walked else "The data"
    if isinstance(value, dict):
        has = f"has: {', '.join(list(map(str, value))[:12]) or 'nothing'}"
    elif isinstance(value, list):
        has = f"is a list of {len(value)}"
    else:
        has = "is a single value"
    raise NodeError(
        f"There is no '{step}' here. {where} {has}. Correct 'Path', or choose what to do without it.", field="path"
    )
