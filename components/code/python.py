"""code.python: a few lines of Python between two steps."""

import keyword
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import (
    Advanced,
    Code,
    Context,
    Json,
    NodeError,
    Port,
    Ports,
    PortType,
    Source,
    lines,
    node,
)
from flows.sdk.holes import VARS
from flows.sdk.python_vars import handed_over, vars_in_python

RESULT = "result"
RESERVED = frozenset({"after", "error", "values", RESULT})
NAME = "^[a-z][a-z0-9_]{0,39}$"
KINDS: dict[str, PortType] = {
    "any": "any",
    "text": "text",
    "number": "number",
    "yes/no": "yesno",
    "list": "list",
    "object": "object",
}
Kind = Literal["any", "text", "number", "yes/no", "list", "object"]
EXAMPLE = """\
# Inputs are there by name. What `return` gives is the result.
words = str(value).split()
return {"words": len(words), "longest": max(words, key=len, default="")}
"""


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[
        str, Meta(pattern=NAME, title="Name", description="As the code calls it; small letters, digits, _.")
    ]
    kind: Annotated[Kind, Meta(title="Kind")] = "any"


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern=NAME, title="Name", description="A field of the object that the code returns.")]
    kind: Annotated[Kind, Meta(title="Kind")] = "any"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[
        Code,
        Meta(
            title="Python",
            description="What return gives is the result; without it, the last line. print(…) goes to the run's log. "
            'Variables of the workspace are there as vars["name"].',
            max_length=50_000,
        ),
        lines(12),
    ] = EXAMPLE
    inputs: Annotated[
        tuple[Input, ...], Meta(title="Inputs", description="Each is a name in the code.", max_length=30)
    ] = (Input("value"),)
    outputs: Annotated[
        tuple[Output, ...],
        Meta(
            title="Outputs",
            description="Empty: one output, the whole result. Else the code returns an object with these fields.",
            max_length=30,
        ),
    ] = ()
    engine: Annotated[
        Literal["safe", "full"],
        Meta(
            title="Engine",
            description="Safe Python runs everywhere and starts at once. Full has all of Python's own library; "
            "the operator has to allow it.",
            extra_json_schema={"x-labels": {"safe": "Safe", "full": "Full"}},
        ),
        Advanced,
    ] = "safe"
    seconds: Annotated[float, Meta(gt=0, le=60, title="Time limit, in seconds"), Advanced] = 2
    memory: Annotated[int, Meta(ge=8, le=1024, title="Memory limit, in MB"), Advanced] = 64


class Inputs(Struct, frozen=True):
    values: dict[str, Json] = {}


class Outputs(Struct, frozen=True):
    values: dict[str, Json]


def _ports(settings: Settings) -> Ports:
    for field, rows in (("inputs", settings.inputs), ("outputs", settings.outputs)):
        names = [row.name for row in rows]
        for name in names:
            if keyword.iskeyword(name) or name in RESERVED - ({RESULT} if field == "outputs" else set()):
                raise NodeError(f"'{name}' can't be a name here: it has another meaning. Choose another.", field=field)
            if names.count(name) > 1:
                raise NodeError(f"The name '{name}' is there twice. Give each its own.", field=field)
    inputs = tuple(Port(row.name, KINDS[row.kind], row.name, required=False) for row in settings.inputs)
    outputs = tuple(Port(row.name, KINDS[row.kind], row.name) for row in settings.outputs)
    return Ports(inputs, outputs or (Port(RESULT, "any", "Result", "What the code gave back."),))


def _reads(settings: Settings) -> tuple[str, ...]:
    """An input of that name is what the code means by it."""
    return () if any(row.name == VARS for row in settings.inputs) else vars_in_python(settings.code)


def _summary(settings: Settings) -> str:
    told = (line.strip() for line in settings.code.splitlines())
    return next((line for line in told if line and not line.startswith("#")), "")[:80]


@node(
    "code.python",
    version=1,
    title="Python code",
    effect="pure",
    icon="code",
    family="data",
    needs=("sandbox", "files"),
    ports=_ports,
    summary=_summary,
    sources=lambda settings: (Source("code", settings.code, settings.engine),),
    reads=_reads,
)
async def python(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Runs a few lines of Python: no network, no files, no environment, only its inputs.

    An input that nothing arrives at is None. Variables of the workspace are in `vars`: vars["shop"] has to be there,
    vars.get("shop") may be missing. What the code prints, and how much it used, is in the log of the run.

    Raises NodeError(field="code") with the line, what was wrong there and what to do; NodeError(field="outputs") when
    the result is not what the outputs promise; NodeError(field="engine") where full Python is not to be had.
    """
    given: dict[str, Any] = {row.name: inputs.values.get(row.name) for row in settings.inputs}
    if names := _reads(settings):
        given[VARS] = handed_over(names, ctx.run.vars)
    made = await ctx.sandbox.python(
        settings.code, given, engine=settings.engine, seconds=settings.seconds, memory=settings.memory * 1_048_576
    )
    if not settings.outputs:
        return Outputs({RESULT: made.value})
    return Outputs(_promised(settings.outputs, made.value))


def _promised(outputs: tuple[Output, ...], value: Json) -> dict[str, Json]:
    """The fields that the outputs name, each of its kind."""
    names = ", ".join(f'"{row.name}": …' for row in outputs)
    if not isinstance(value, dict):
        raise NodeError(f"The code gave {_kind(value)} back. Return an object: {{{names}}}.", field="outputs")
    for row in outputs:
        if row.name not in value:
            has = ", ".join(list(value)[:8]) or "nothing"
            raise NodeError(
                f"The code's result has no '{row.name}'; it has: {has}. Return {{{names}}}.", field="outputs"
            )
        if not _is(value[row.name], row.kind):
            raise NodeError(
                f"'{row.name}' of the code's result is {_kind(value[row.name])}, not {WORDS[row.kind]}. "
                "Correct the code, or the kind of the output.",
                field="outputs",
            )
    return {row.name: value[row.name] for row in outputs}


WORDS = {
    "any": "anything",
    "text": "text",
    "number": "a number",
    "yes/no": "yes or no",
    "list": "a list",
    "object": "an object",
}


def _is(value: Json, kind: Kind) -> bool:
    return kind == "any" or _kind(value) == WORDS[kind]


def _kind(value: Json) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return WORDS["yes/no"]
        case int() | float():
            return WORDS["number"]
        case str():
            return WORDS["text"]
        case list():
            return WORDS["list"]
    return WORDS["object"]
