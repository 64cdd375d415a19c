"""Which process may call which model: web must not import litellm (5 s, 190 MB), so it hands those runs to a worker."""

import re
from collections.abc import Iterable
from uuid import UUID

from app.gateway import running
from app.gateway.faults import Fault
from app.gateway.providers import PROVIDERS


def runs_here(model: str) -> bool:
    """Whether this process can call `model` ("connection/model") itself. True for "": ask `workspace_runs_here` then.

    Without a look into the workspace: the part before the slash is the provider, with a number if there are several.
    """
    if running.is_worker() or not model:
        return True
    slug = model.partition("/")[0]
    provider = PROVIDERS.get(re.sub(r"-\d+$", "", slug))
    return provider is None or provider.lane == "direct"


async def workspace_runs_here(workspace_id: UUID, models: Iterable[str]) -> bool:
    """The same for what a flow uses, "" (the workspace's default model) included. Usually from memory.

    A model that does not exist counts as running here: its error is told soonest where the run is.
    """
    if running.is_worker():
        return True
    directory = await running.pipeline().directories.current(workspace_id)
    for model in models:
        try:
            if directory.target(model or directory.default()).lane != "direct":
                return False
        except Fault:
            continue
    return True


async def default_model(workspace_id: UUID) -> str:
    """The model a step calls that names none. Usually from memory. Raises Fault when there is none."""
    return (await running.pipeline().directories.current(workspace_id)).default()
