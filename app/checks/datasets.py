"""What people do with datasets. Every verb takes the actor first."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from app import events
from app.checks.dataset_forms import FromRunsForm, RowsForm, UploadForm
from app.checks.dataset_reading import Row, checked, read
from app.checks.removing import mark
from app.db import Tx, tenant_tx
from app.errors import Refused
from app.runs import service as runs
from app.studio import queries as studio
from app.web import Actor

MOST_DATASETS = 100
_RUNS = """
select r.id, r.input::text as input, r.output::text as output, r.visitor, g.good
  from run r left join lateral (select bool_and(good) as good from run_rating where run_id = r.id) g on true
 where r.flow_id = $1 and r.status = 'succeeded' and ($4 = 0 or r.created_at >= now() - make_interval(days => $4))
   and case $3 when '' then not r.draft when 'any' then g.good is not null
               else exists (select from run_rating where run_id = r.id and good = ($3 = 'good')) end
 order by r.created_at desc limit $2
"""
RATED = {"good": "rated good", "bad": "rated bad", "any": "rated"}
NONE = {
    "good": "No run of this flow is rated good.",
    "bad": "No run of this flow is rated bad.",
    "any": "No run of this flow is rated.",
}
NONE_IN_TIME = {
    "good": "No run of this flow is rated good in this time.",
    "bad": "No run of this flow is rated bad in this time.",
    "any": "No run of this flow is rated in this time.",
}


async def upload(actor: Actor, flow_id: UUID, form: UploadForm) -> UUID:
    """A dataset out of a file. Raises NotFound, and Refused with the line at fault."""
    await studio.there(actor, flow_id)  # before the file is read: what is not yours is not there, whatever you send
    return await _made(actor, flow_id, form.name, f"a {form.form.upper()} file", read(form.content, form.form))


async def put(actor: Actor, flow_id: UUID, form: RowsForm, source: str = "a program") -> UUID:
    """A dataset as a program or a file has it."""
    await studio.there(actor, flow_id)
    return await _made(actor, flow_id, form.name, source, checked(form.rows))


async def from_runs(actor: Actor, flow_id: UUID, form: FromRunsForm) -> UUID:
    """The last runs of visitors, triggers and programs that ended well. Drafts and tests do not count, unless rated.

    Raises Refused when there is none.
    """
    runs.may_run(actor)
    await studio.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        found = await tx.fetch(_RUNS, flow_id, form.count, form.rating, form.days)
        rows, sources = [], []
        for row in reversed(found):
            right = form.expected and row["good"] is not False
            output = await runs.whole_output(tx, row["id"], row["output"]) if right else None
            rows.append(Row(_asked(row), _text(output)))
            sources.append(row["id"])
    if not rows and form.rating:
        raise Refused(
            (NONE_IN_TIME if form.days else NONE)[form.rating],
            remedy="Visitors rate answers below them, you rate a run on its page.",
        )
    if not rows:
        raise Refused("No run of this flow has ended well yet.", remedy="Publish it and let it run, or upload a file.")
    count = f"{len(rows)} {'run' if len(rows) == 1 else 'runs'}"
    source = f"{count} {RATED[form.rating]}" if form.rating else count
    return await _made(actor, flow_id, form.name, source, checked(rows), sources)


def _asked(row: Any) -> Any:
    """A run's input, without for whom it was: a comparison is nobody's visit."""
    given = msgspec.json.decode(row["input"])
    if row["visitor"] and isinstance(given, dict) and given.get("visitor") == row["visitor"]:
        del given["visitor"]
    return given


def _text(output: object) -> object:
    """A result that is only a text counts as that text."""
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        rest = {key: value for key, value in output.items() if key != "text" and value not in (None, "", [], {})}
        return output if rest else output["text"]
    return output


async def remove(actor: Actor, flow_id: UUID, dataset_id: UUID) -> str:
    """Delete it; `bring_back` undoes that. Returns its name. Raises NotFound."""
    return await mark(actor, "dataset", flow_id, dataset_id, _changed(actor, flow_id, dataset_id), removed=True)


async def bring_back(actor: Actor, flow_id: UUID, dataset_id: UUID) -> str:
    return await mark(actor, "dataset", flow_id, dataset_id, _changed(actor, flow_id, dataset_id), removed=False)


async def _made(
    actor: Actor, flow_id: UUID, name: str, source: str, rows: Sequence[Row], sources: Sequence[UUID] = ()
) -> UUID:
    runs.may_run(actor)
    await studio.there(actor, flow_id)
    name = name.replace("\0", "").strip()
    if not name:
        raise Refused("A dataset needs a name.", field="name")
    async with tenant_tx(actor.workspace_id) as tx:
        there = await tx.fetchval("select count(*) from dataset where flow_id = $1 and removed_at is null", flow_id)
        if there >= MOST_DATASETS:
            raise Refused(f"A flow has at most {MOST_DATASETS} datasets.", remedy="Delete one.")
        made: UUID = await tx.fetchval(
            "insert into dataset (workspace_id, flow_id, name, source, rows, created_by)"
            " values ($1, $2, $3, $4, $5, $6) returning id",
            actor.workspace_id,
            flow_id,
            name,
            source,
            len(rows),
            actor.user_id,
        )
        await tx.executemany(
            "insert into dataset_row (workspace_id, dataset_id, place, input, expected, source_run)"
            " values ($1, $2, $3, $4, $5, $6)",
            [
                (
                    actor.workspace_id,
                    made,
                    place,
                    _json(row.input),
                    None if row.expected is None else _json(row.expected),
                    sources[place] if sources else None,
                )
                for place, row in enumerate(rows)
            ],
        )
        await _changed(actor, flow_id, made)(tx)
    return made


def _changed(actor: Actor, flow_id: UUID, dataset_id: UUID) -> Callable[[Tx], Awaitable[None]]:
    told = {"dataset": str(dataset_id)}
    return lambda tx: events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "dataset.changed", told)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode().replace("\\u0000", "")
