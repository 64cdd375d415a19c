"""One value of a run by itself, whole: what came into a step or out of it, as JSON, text, or a table."""

import csv
import io
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.errors import NotFound
from app.runs import queries, values
from app.runs.redacting import redacted
from app.runs.values import Content
from app.runs.why import carried
from app.web import Actor

Side = Literal["in", "out"]
Form = Literal["json", "csv", "text"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run as a formula: such a text gets an apostrophe in front."""


async def part(actor: Actor, run_id: UUID, *, step: str, side: Side, port: str, form: Form, key: str = "") -> Content:
    """`step`: "step:round", "" = the run's own input and output. `port`: one of its values, "" = all of them; `key`: a
    field of that value, "" = the value itself.

    Large values are read from storage. Without secrets. Raises NotFound, also for a value that is not there.
    """
    found = _found(await queries.run(actor, run_id), step, side)
    there = True
    if port:
        there, found = carried(found, port)
    if not there or found is None:
        raise NotFound("There is no such value in this run.")
    value = redacted(await values.whole(actor.workspace_id, run_id, found))
    if key:
        if not isinstance(value, dict) or key not in value:
            raise NotFound("There is no such value in this run.")
        value = value[key]
    name = "-".join(word for word in (str(run_id)[-6:], step.replace(":", "-").replace("/", "-"), side, port) if word)
    if form == "csv":
        return Content(table(value).encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")
    if form == "text" and isinstance(value, str):
        return Content(value.encode(), "text/plain; charset=utf-8", f"{name}.txt")
    return Content(msgspec.json.format(msgspec.json.encode(value), indent=2), "application/json", f"{name}.json")


def _found(run: queries.RunView, step: str, side: Side) -> Any:
    if not step:
        return run.input if side == "in" else run.output
    chosen = next((each for each in run.steps if each.key == step), None)
    if chosen is None:
        return None
    return chosen.inputs if side == "in" else chosen.output


def table(value: Any) -> str:
    """A list as CSV: of objects a column for each field any of them has; anything else in one column."""
    rows = value if isinstance(value, list) else [value]
    columns = list(dict.fromkeys(str(key) for row in rows if isinstance(row, dict) for key in row))
    out = io.StringIO()
    writer = csv.writer(out)
    if columns:
        writer.writerow([_cell(column) for column in columns])
        for row in rows:
            plain = {str(key): each for key, each in row.items()} if isinstance(row, dict) else {columns[0]: row}
            writer.writerow([_cell(plain.get(column)) for column in columns])
    else:
        for row in rows:
            writer.writerow([_cell(row)])
    return out.getvalue()


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text
