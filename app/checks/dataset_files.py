"""Datasets as a file beside their flow: support.json, support.data.json. One row a line: git shows which changed."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from app.checks.dataset_forms import RowsForm
from app.checks.dataset_reading import Row, checked
from app.checks.naming import told_apart
from app.db import tenant_tx
from app.errors import Refused
from app.studio import queries as studio
from app.web import Actor

ENDING = ".data.json"


async def rows_of(actor: Actor, flow_id: UUID) -> list[tuple[UUID, RowsForm]]:
    """(id, whole) of each dataset of a flow, by name. 3 statements. Raises NotFound."""
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        named = await tx.fetch(
            "select id, name from dataset where flow_id = $1 and removed_at is null order by created_at, id", flow_id
        )
        rows = await tx.fetch(
            """select r.dataset_id, r.input::text as input, r.expected::text as expected from dataset_row r
                 join dataset d on d.id = r.dataset_id where d.flow_id = $1 and d.removed_at is null
                order by r.place""",
            flow_id,
        )
    found: dict[UUID, list[Row]] = {row["id"]: [] for row in named}
    for row in rows:
        expected = msgspec.json.decode(row["expected"]) if row["expected"] is not None else None
        found[row["dataset_id"]].append(Row(msgspec.json.decode(row["input"]), expected))
    names = told_apart([row["name"] for row in named])
    made = [(row["id"], RowsForm(name, found[row["id"]])) for row, name in zip(named, names, strict=True)]
    return sorted(made, key=lambda each: each[1].name)


def write(data: Iterable[RowsForm] | Iterable[tuple[UUID, RowsForm]]) -> str:
    """The datasets as text, by name."""
    forms = sorted((each[1] if isinstance(each, tuple) else each for each in data), key=lambda form: form.name)
    return "[\n" + ",\n".join(_dataset(form) for form in forms) + "\n]\n" if forms else "[]\n"


def read(content: bytes) -> list[RowsForm]:
    """Raises Refused when it is no file of datasets, or one is too large."""
    try:
        found = msgspec.json.decode(content.replace(b"\\u0000", b""), type=list[RowsForm])  # as they are stored
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(f"This is no file of datasets: {error}.", remedy="Export the flow again.") from None
    names = [form.name for form in found]
    if len(set(names)) < len(names):
        raise Refused("Two datasets of this file have one name.", remedy="Give one another name.")
    for form in found:
        checked(form.rows)
    return found


def _dataset(form: RowsForm) -> str:
    rows = ",\n".join(f"      {_row(row)}" for row in form.rows)
    return f'  {{\n    "name": {_json(form.name)},\n    "rows": [\n{rows}\n    ]\n  }}'


def _row(row: Row) -> str:
    expected = "" if row.expected is None else f', "expected": {_json(row.expected)}'
    return f'{{"input": {_json(row.input)}{expected}}}'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


__all__: Sequence[str] = ("ENDING", "read", "rows_of", "write")
