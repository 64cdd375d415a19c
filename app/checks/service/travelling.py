"""The tests and datasets of a flow as texts that travel: into files beside the flow's own, and back from them.

One layout: by name, one row of a dataset a line. The same tests always give the same bytes, wherever they are.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.checks import dataset_files, datasets, files, queries
from app.checks.dataset_forms import RowsForm
from app.checks.service import cases
from app.checks.shapes import MOST_CASES, Case
from app.errors import Refused
from app.runs import service as runs
from app.web import Actor

T = TypeVar("T")
ENDINGS = (files.ENDING, dataset_files.ENDING)
"""What stands behind a flow's name in place of ".json"."""


async def as_files(actor: Actor, flow_id: UUID) -> dict[str, str]:
    """Texts by ending; one that is not there has nothing to say. Raises NotFound."""
    tests = (await queries.suite(actor, flow_id)).cases
    data = await dataset_files.rows_of(actor, flow_id)
    found = {}
    if tests:
        found[files.ENDING] = files.write(tests)
    if data:
        found[dataset_files.ENDING] = dataset_files.write(data)
    return found


def in_our_layout(ending: str, content: bytes) -> str:
    """A file's text as we would write it. Raises Refused, saying what is wrong."""
    if ending == files.ENDING:
        return files.written(files.read(content))
    return dataset_files.write(dataset_files.read(content))


async def take(actor: Actor, flow_id: UUID, ending: str, text: str | None) -> None:
    """Make the flow's tests, or its datasets, those of this text (None = there are none).

    What stays equal is left alone, what is not in the text is deleted, which can be taken back. Raises NotFound, and
    Refused before anything is done.
    """
    runs.may_run(actor)
    content = text.encode() if text is not None else b"[]"
    if ending == files.ENDING:
        await _take_tests(actor, flow_id, files.read(content))
    else:
        await _take_datasets(actor, flow_id, dataset_files.read(content))


async def _take_tests(actor: Actor, flow_id: UUID, wanted: Sequence[Case]) -> None:
    if len(wanted) > MOST_CASES:
        raise Refused(f"A flow has at most {MOST_CASES} tests; these are {len(wanted)}.")
    for case in wanted:
        cases.fitting(case)
    there = _by_name(files.in_order((await queries.suite(actor, flow_id)).cases), lambda pair: pair[0].name)
    meant = _by_name(wanted, lambda case: case.name)
    for name, (_, view) in there.items():
        if name not in meant:
            await cases.remove(actor, flow_id, view.id)
    changed = [case for name, case in meant.items() if name not in there or there[name][0] != case]
    ids = {name: view.id for name, (_, view) in there.items()}
    await cases.put(actor, flow_id, changed, ids)


async def _take_datasets(actor: Actor, flow_id: UUID, wanted: Sequence[RowsForm]) -> None:
    there = {each.name: (id, each) for id, each in await dataset_files.rows_of(actor, flow_id)}
    meant = {each.name: each for each in wanted}
    if len(meant) > datasets.MOST_DATASETS:
        raise Refused(f"A flow has at most {datasets.MOST_DATASETS} datasets; these are {len(meant)}.")
    for name, (id, each) in there.items():
        if name not in meant or not _same(each, meant[name]):
            await datasets.remove(actor, flow_id, id)  # comparisons over it keep their rows
    for name, form in meant.items():
        if name not in there or not _same(there[name][1], form):
            await datasets.put(actor, flow_id, form, source="a file")


def _same(one: RowsForm, other: RowsForm) -> bool:
    return msgspec.json.encode(one.rows) == msgspec.json.encode(other.rows)


def _by_name(items: Iterable[T], name: Callable[[T], Any]) -> dict[str, T]:
    return {name(item): item for item in items}
