"""What lies beside a flow's file: its tests and its datasets, in files of their own.

support.json has support.tests.json and support.data.json. They are compared and decided like flows, each for itself;
they belong to the flow of the same name, and are left alone while that one is not here.
"""

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

from app.checks import service as checks
from app.db import tenant_tx
from app.errors import Refused
from app.gitsync.shapes import FileView
from app.studio import queries as studio
from app.web import Actor
from flows.files import FORMS

TESTS, DATASETS = checks.ENDINGS
WORDS: dict[str, Literal["tests", "datasets"]] = {TESTS: "tests", DATASETS: "datasets"}


def of(path: str) -> str:
    """The ending that makes it such a file, "" = it is a flow's."""
    return next((ending for ending in WORDS if path.lower().endswith(ending)), "")


def beside(flow_path: str) -> Iterable[str]:
    """The files that may lie beside a flow's."""
    stem = flow_path.rpartition(".")[0]
    return [f"{stem}{ending}" for ending in WORDS]


def owner(path: str, flows: Mapping[str, object]) -> str:
    """The path of the flow that it belongs to, among these; "" when none is there."""
    stem = path[: -len(of(path))]
    return next((f"{stem}{form}" for form in FORMS if f"{stem}{form}" in flows), "")


def read(path: str, content: bytes) -> tuple[str, str]:
    """(its text in our layout, "") or (the text as it is, why it can't be read)."""
    try:
        return checks.in_our_layout(of(path), content), ""
    except Refused as problem:
        return content.decode("utf-8", "replace").replace("\0", "\ufffd"), str(problem)


async def ours_of(actor: Actor, flow_id: UUID | None, path: str) -> str | None:
    """What would be written there; None when there is nothing, or the flow is not here (any more)."""
    if flow_id is None or (await studio.editor(actor, flow_id)).archived:
        return None
    return (await checks.as_files(actor, flow_id)).get(of(path))


async def give_way(actor: Actor, file: FileView) -> None:
    """Take git's side of a file that both sides changed. Raises what `checks.take` raises."""
    async with tenant_tx(actor.workspace_id) as tx:
        text = await tx.fetchval("select theirs from git_file where id = $1", file.id)
    if file.flow_id is not None:
        await checks.take(actor, file.flow_id, of(file.path), text)
    async with tenant_tx(actor.workspace_id) as tx:
        if text is None:
            await tx.execute("delete from git_file where id = $1", file.id)
        else:
            await tx.execute("update git_file set base = $2, state = 'same', said = '' where id = $1", file.id, text)
