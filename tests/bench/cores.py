"""One core for the server, the others for the load and the database: how the goals of the webhook were measured."""

import os
import sys

import psutil


def server_alone(*pids: int) -> bool:
    """Give these processes (of which one at a time works) a core of their own; this one and all else it has started
    share the rest. False where that can't be.

    Whoever starts threads or processes later inherits it: PostgreSQL's new connections, too.
    """
    cores = list(range(os.cpu_count() or 1)) if sys.platform == "linux" else []
    if len(cores) < 2:
        return False
    for pid in pids:
        _keep(psutil.Process(pid), {cores[0]})
    for other in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        if other.pid not in pids:
            _keep(other, set(cores[1:]))
    return True


def _keep(process: psutil.Process, cores: set[int]) -> None:
    """All threads of it: an affinity belongs to a thread."""
    try:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return
