"""One measured figure."""

from pathlib import Path

import msgspec
from msgspec import Struct

GOALS: dict[str, float] = msgspec.json.decode(Path(__file__).with_name("baselines.json").read_bytes())


class Figure(Struct, frozen=True):
    """`baseline` is what to compare with, in the same unit: a goal of the project, or the same work done without us
    (the model called directly, the bare server). None: the goal in baselines.json, if there is one; else no `ratio`.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None

    def line(self) -> dict[str, object]:
        baseline = self.baseline if self.baseline is not None else GOALS.get(self.name)
        ratio = round(self.value / baseline, 3) if baseline else None
        value = round(self.value, 3)
        return {"name": self.name, "value": value, "unit": self.unit, "baseline": baseline, "ratio": ratio}
