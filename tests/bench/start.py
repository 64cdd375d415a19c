"""How fast Agentbase starts and stops, and what it holds when nothing happens."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.embedded.local_model import missing
from tests.bench.figure import Figure
from tests.instance import Instance

WARM_GOAL_S = 3.0
IDLE_GOAL_MB = 350.0
STOP_GOAL_S = 5.0
WARM_STARTS = 5
SETTLE_S = 5.0
"""After the start memory still falls: caches of the import, connections of the first requests."""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="agentbase-bench-") as folder:
        data = Path(folder, "data")
        without = {"AGENTBASE_LOCAL_MODEL": "off"}
        with Instance(data, env=without) as first:
            yield Figure("start.cold", first.ready_s, "s")
            first.stop()

        warm, stops, idle = [], [], 0.0
        for _ in range(WARM_STARTS):
            with Instance(data, env=without) as instance:
                warm.append(instance.ready_s)
                if not idle:
                    time.sleep(SETTLE_S)
                    idle = instance.memory_mb()
                stops.append(instance.stop())
        yield Figure("start.warm", statistics.median(warm), "s", WARM_GOAL_S)
        yield Figure("stop", max(stops), "s", STOP_GOAL_S)
        yield Figure("idle.memory", idle, "MB", IDLE_GOAL_MB)

        if not missing():
            with Instance(data) as instance:
                time.sleep(SETTLE_S)
                yield Figure("idle.memory_with_model", instance.memory_mb(), "MB")
