"""Two versions beside each other in figures, with honest intervals. Pure.

Failures: Newcombe's interval for the difference of two proportions (Statistics in Medicine 17, 1998, method 10, from
two Wilson intervals). Time: the ratio of geometric means, because times are skewed, by Welch's t on logarithms. Cost:
the difference of means by Welch's t. All at 95 %. With fewer than LEAST runs on a side nothing is said.
"""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, Literal

from msgspec import Struct

LEAST = 10
"""Runs of each version below which a comparison would be guessing."""
Z = NormalDist().inv_cdf(0.975)


class Side(Struct, frozen=True):
    """Ended runs of one version since the rollout began. `ms`: median; `cost`: mean, in millionths of a US dollar."""

    runs: int = 0
    failed: int = 0
    ms: float | None = None
    cost: float | None = None
    done: int = 0
    timed: int = 0
    log_ms: float = 0.0
    log_ms_sd: float = 0.0
    cost_sd: float = 0.0

    @property
    def failures(self) -> float | None:
        """Percent."""
        return self.failed / self.runs * 100 if self.runs else None

    @property
    def failures_from_to(self) -> tuple[float, float] | None:
        """Wilson's interval, in percent."""
        return tuple(100 * each for each in wilson(self.failed, self.runs)) if self.runs else None  # type: ignore[return-value]


def side(row: Mapping[str, Any]) -> Side:
    def number(name: str) -> float:
        return float(row[name] or 0)

    return Side(
        row["runs"], row["failed"], float(row["ms"]) if row["ms"] is not None else None,
        float(row["cost"]) if row["cost"] is not None else None, row["done"], row["timed"],
        number("log_ms"), number("log_ms_sd"), number("cost_sd"),
    )  # fmt: skip


class Verdict(Struct, frozen=True):
    """The new version beside the old one in one respect. `low` to `high`: where the true difference lies, at 95 %.

    `which`: "better" and "worse" only when the interval leaves out no difference at all; "even" = it does not;
    "early" = too few runs. Failures in percentage points, time in percent, cost in millionths of a US dollar.
    """

    what: Literal["failures", "time", "cost"]
    which: Literal["better", "worse", "even", "early"]
    low: float = 0.0
    high: float = 0.0


def verdicts(new: Side, old: Side) -> list[Verdict]:
    """Failures, time, cost, in this order."""
    return [_failures(new, old), _time(new, old), _cost(new, old)]


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Shares, 0 to 1."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _failures(new: Side, old: Side) -> Verdict:
    if min(new.runs, old.runs) < LEAST:
        return Verdict("failures", "early")
    p, q = new.failed / new.runs, old.failed / old.runs
    (pl, pu), (ql, qu) = wilson(new.failed, new.runs), wilson(old.failed, old.runs)
    low = p - q - math.sqrt((p - pl) ** 2 + (qu - q) ** 2)
    high = p - q + math.sqrt((pu - p) ** 2 + (q - ql) ** 2)
    return _verdict("failures", low * 100, high * 100)


def _time(new: Side, old: Side) -> Verdict:
    if min(new.timed, old.timed) < LEAST:
        return Verdict("time", "early")
    low, high = _welch(new.log_ms, new.log_ms_sd, new.timed, old.log_ms, old.log_ms_sd, old.timed)
    return _verdict("time", math.expm1(low) * 100, math.expm1(high) * 100)


def _cost(new: Side, old: Side) -> Verdict:
    if min(new.done, old.done) < LEAST:
        return Verdict("cost", "early")
    return _verdict("cost", *_welch(new.cost or 0, new.cost_sd, new.done, old.cost or 0, old.cost_sd, old.done))


def _verdict(what: Literal["failures", "time", "cost"], low: float, high: float) -> Verdict:
    if low > 0:
        return Verdict(what, "worse", low, high)
    return Verdict(what, "better" if high < 0 else "even", low, high)


def _welch(a: float, sa: float, na: int, b: float, sb: float, nb: int) -> tuple[float, float]:
    """The interval of a - b from means, standard deviations and numbers."""
    va, vb = sa * sa / na, sb * sb / nb
    if va + vb == 0:
        return a - b, a - b
    freedom = (va + vb) ** 2 / (va * va / (na - 1) + vb * vb / (nb - 1))
    reach = t_quantile(freedom) * math.sqrt(va + vb)
    return a - b - reach, a - b + reach


def t_quantile(freedom: float) -> float:
    """The 97.5 % point of Student's t (Cornish-Fisher; Abramowitz and Stegun 26.7.5), within 0.1 % from 9 degrees."""
    z, n = Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
