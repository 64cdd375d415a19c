"""A matrix as a table for spreadsheets: one line a cell."""

import csv
import io
from typing import Any

from app.checks import dataset_queries as queries
from app.checks.dataset_shapes import ExperimentView
from app.checks.judging import shown
from app.web import Actor

COLUMNS = (
    "row", "variant", "version", "model", "prompt", "status", "passed", "score", "why", "ms", "cost_usd", "input",
    "expected", "output", "run",
)  # fmt: skip
_ORDERS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet; what strangers wrote must not be one."""


async def written(actor: Actor, view: ExperimentView) -> str:
    """All cells, row by row. Two statements for every 50 rows."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    after = -1
    while found := await queries.lines(actor, view, after):
        for line in found:
            for variant, cell in zip(view.variants, line.cells, strict=True):
                if cell is None:
                    continue
                values: list[Any] = [
                    line.row.place + 1, variant.name, variant.version, variant.model, variant.prompt, cell.status,
                    "" if cell.passed is None else int(cell.passed), "" if cell.score is None else round(cell.score, 4),
                    cell.why, round(cell.ms, 1), cell.cost_micros / 1e6, shown(line.row.input),
                    "" if line.row.expected is None else shown(line.row.expected), cell.output, cell.run_id or "",
                ]  # fmt: skip
                table.writerow([plain(value) if isinstance(value, str) else value for value in values])
        after = found[-1].row.place
    return out.getvalue()


def plain(text: str) -> str:
    return f"'{text}" if text.startswith(_ORDERS) else text
