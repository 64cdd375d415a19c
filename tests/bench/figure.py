"""One measured figure."""

from msgspec import Struct


class Figure(Struct, frozen=True):
    """`baseline` is what to compare with, in the same unit: a goal of the project, or the same work done without us
    (the model called directly, the bare server). None when there is nothing to compare with; `ratio` is then null, too.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None

    def line(self) -> dict[str, object]:
        ratio = round(self.value / self.baseline, 3) if self.baseline else None
        value = round(self.value, 3)
        return {"name": self.name, "value": value, "unit": self.unit, "baseline": self.baseline, "ratio": ratio}
