"""What a text or an expression comes to with the values of the last run. Nothing is stored, nothing is run."""

import re
from asyncio import to_thread
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, structs

from app.runs import queries as runs
from app.studio import queries
from app.studio.scope import Values, first_round, last_values, shortly, type_of
from app.studio.sentence_reading import MOST_CLAUSES
from app.web import Actor
from flows import catalogue
from flows.expressions import ExpressionError, expression, template, written
from flows.sdk.annotations import EXPRESSION
from flows.sdk.holes import HOLE, hints_of, names_in, own_names, vars_in

INPUT = re.compile(r"\binput\b")
MOST_SHOWN = 4_000
"""Characters of the result."""


class Part(Struct, forbid_unknown_fields=True):
    """One comparison of a condition: its CEL, and that of the value it is about."""

    cel: Annotated[str, Meta(max_length=20_000)]
    value: Annotated[str, Meta(max_length=20_000)] = ""


class PreviewForm(Struct, forbid_unknown_fields=True):
    """`field`: the setting the text stands in. `run`: whose values to take; "" = the flow's last run.

    `parts`: the comparisons of a condition, to be looked at each by itself.
    """

    text: Annotated[str, Meta(max_length=100_000)]
    kind: Literal["template", "expression"]
    field: Annotated[str, Meta(max_length=80)] = ""
    run: Annotated[str, Meta(max_length=40)] = ""
    parts: Annotated[list[Part], Meta(max_length=MOST_CLAUSES)] = []


class Verdict(Struct, frozen=True):
    """Whether one comparison holds with those values. `found`: what its value is, on one line, at most 80 characters.

    `state` "unknown": nothing ran yet, the value was not there, or only a round knows; then `error` says why.
    """

    state: Literal["true", "false", "unknown"]
    found: str = ""
    type: str = "any"
    error: str = ""


class Preview(Struct, frozen=True):
    """`state`: "value", "error", "unknown" (nothing ran yet, or only a round knows) or "empty".

    `text`: the result as it would stand in a text, at most 4,000 characters. `type`: its port type.
    `error` names the place and the remedy; `start`, `end`: the characters at fault, counted from 0. `parts`: of each
    comparison asked for, in their order.
    """

    state: Literal["value", "error", "unknown", "empty"]
    text: str = ""
    type: str = "any"
    error: str = ""
    start: int = 0
    end: int = 0
    parts: list[Verdict] = []


async def preview(actor: Actor, flow_id: UUID, node_id: str, form: PreviewForm) -> Preview:
    """At most 2 statements and those of `runs.run`. Raises NotFound for a flow or step that is not there."""
    flow, _ = await queries.draft(actor, flow_id)
    use = queries.step(flow, node_id)
    if not form.text.strip():
        return Preview("empty")
    kind = catalogue.load().get(use.type)
    hint = hints_of(kind.settings).get(form.field) if kind is not None else None
    late = own_names(hint) if hint is not None else ()
    run_id = form.run
    if not run_id:
        latest = (await runs.latest(actor, [flow_id])).get(flow_id)
        run_id = str(latest.id) if latest is not None else ""
    values = await last_values(actor, run_id, flow, use)
    if late and (first := first_round(values.variables, late)) is not None:
        values, late = Values(first, ran=True), ()
    # CEL always ends, but with large values not at once: the server's other work goes on meanwhile.
    return await to_thread(_looked_at, form, values, late)


def _needs_no_run(source: str) -> bool:
    """Whether it reads variables of the workspace, and nothing that only a run has."""
    return not names_in(source) and not INPUT.search(source) and any(vars_in(source))


def _evaluate(form: PreviewForm, values: Values, late: tuple[str, ...]) -> Preview:
    texts = [(0, len(form.text), form.text)]
    if form.kind != EXPRESSION:
        texts = [(hole.start(), hole.end(), hole.group(1)) for hole in HOLE.finditer(form.text)]
    for start, end, source in texts:
        try:
            program = expression(source)
            if (values.ran or _needs_no_run(source)) and not late:
                program(values.variables)
        except ExpressionError as fault:
            return Preview("error", error=fault.message, start=start, end=end)
    if late:
        return Preview("unknown", error=f"Worked out anew in every round, with {' and '.join(late)}.")
    if not values.ran and not all(_needs_no_run(source) for _, _, source in texts):
        return Preview("unknown", error="Try the flow once, and what this comes to stands here.")
    result: Any
    if form.kind == EXPRESSION:
        result = expression(form.text)(values.variables)
    else:
        filled = template(form.text)
        result = filled(values.variables) if filled is not None else form.text
    return Preview("value", text=written(result)[:MOST_SHOWN], type=type_of(result))


def _looked_at(form: PreviewForm, values: Values, late: tuple[str, ...]) -> Preview:
    made = _evaluate(form, values, late)
    return structs.replace(made, parts=[_verdict(part, values, late) for part in form.parts]) if form.parts else made


def _verdict(part: Part, values: Values, late: tuple[str, ...]) -> Verdict:
    if late or not values.ran or not part.cel.strip():
        return Verdict("unknown")
    found, type = _found(part.value, values)
    try:
        holds = expression(part.cel)(values.variables)
    except ExpressionError as fault:
        return Verdict("unknown", found, type, fault.message)
    if not isinstance(holds, bool):
        return Verdict("unknown", found, type, "This gives neither true nor false.")
    return Verdict("true" if holds else "false", found, type)


def _found(source: str, values: Values) -> tuple[str, str]:
    """The value a comparison is about, and its port type; ("", "any") when there is none."""
    try:
        value = expression(source)(values.variables) if source.strip() else None
    except ExpressionError:
        return "", "any"
    return ("", "any") if value is None else (shortly(value), type_of(value))
