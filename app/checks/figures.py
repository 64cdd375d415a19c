"""What the results of a matrix say, and how surely. Pure.

Variants are compared on the same rows. Shares have Wilson's interval; whether one variant is better is an exact sign
test over the rows on which the two differ (McNemar's test in its exact form), with Holm's correction when there are
several; the difference of scores has a bootstrap interval over rows. With few rows nothing can be shown, and that is
said.
"""

import math
import random
from collections.abc import Mapping, Sequence

from msgspec import Struct

LEVEL = 0.05
RESAMPLES = 2_000
FEWEST = 6
"""Rows that have to differ before any result could be significant: two-sided, 2 · 0.5⁶ = 0.03."""


class Cell(Struct, frozen=True):
    """One row with one variant, ended. `score`: 0 to 1. `broken`: the run itself failed."""

    passed: bool
    score: float
    ms: float
    cost_micros: int
    broken: bool = False


class Figures(Struct, frozen=True):
    """One variant. `low`, `high`: between these the share that passes lies, 95 of 100 times. Milliseconds of runs."""

    n: int
    passed: int
    share: float
    low: float
    high: float
    score: float
    broken: int
    median_ms: float
    p95_ms: float
    cost_micros: int
    each_micros: float


class Comparison(Struct, frozen=True):
    """A variant beside the first one, on rows that both have. `better`, `worse`: rows on which only one passed.

    `p`: corrected. `low`, `high`: of the difference of mean scores. `said`: what it means, in a sentence.
    """

    n: int
    better: int
    worse: int
    p: float
    difference: float
    low: float
    high: float
    sure: bool
    said: str


def figures(cells: Sequence[Cell]) -> Figures:
    n = len(cells)
    if not n:
        return Figures(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    passed = sum(cell.passed for cell in cells)
    times = sorted(cell.ms for cell in cells if not cell.broken)
    cost = sum(cell.cost_micros for cell in cells)
    low, high = wilson(passed, n)
    return Figures(
        n,
        passed,
        passed / n,
        low,
        high,
        sum(cell.score for cell in cells) / n,
        sum(cell.broken for cell in cells),
        _at(times, 0.5),
        _at(times, 0.95),
        cost,
        cost / n,
    )


def comparisons(variants: Sequence[Mapping[str, Cell]]) -> list[Comparison | None]:
    """Each variant beside the first; None for the first itself. A variant: row -> cell."""
    if not variants:
        return []
    raw = [_paired(variants[0], variant) for variant in variants[1:]]
    corrected = holm([sign_test(better, worse) for _, better, worse, _ in raw])
    return [None, *(_said(pairs, b, w, p, diffs) for (pairs, b, w, diffs), p in zip(raw, corrected, strict=True))]


def _paired(base: Mapping[str, Cell], other: Mapping[str, Cell]) -> tuple[int, int, int, list[float]]:
    rows = [row for row in base if row in other]
    better = sum(other[row].passed and not base[row].passed for row in rows)
    worse = sum(base[row].passed and not other[row].passed for row in rows)
    return len(rows), better, worse, [other[row].score - base[row].score for row in rows]


def _said(n: int, better: int, worse: int, p: float, diffs: list[float]) -> Comparison:
    low, high = bootstrap(diffs)
    mean = sum(diffs) / n if n else 0.0
    differ = better + worse
    sure = p < LEVEL
    if not n:
        said = "No row has both results yet."
    elif sure:
        said = f"{'Better' if better > worse else 'Worse'}: p = {p:.3f}."
    elif differ < FEWEST:
        said = f"Too few rows to tell: the two differ on {differ} of {n}; at least {FEWEST} are needed for any proof."
    else:
        said = f"No proof of a difference (p = {p:.2f})."
    return Comparison(n, better, worse, p, mean, low, high, sure, said)


def sign_test(better: int, worse: int) -> float:
    """Exact, two-sided: how often a fair coin is at least this one-sided in `better + worse` throws. 1 for none."""
    n, k = better + worse, min(better, worse)
    if not n:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k + 1)) / (1 << n)
    return min(1.0, 2.0 * tail)


def holm(ps: Sequence[float]) -> list[float]:
    """p values corrected for being several, in their order (Holm 1979)."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    found, most = [0.0] * len(ps), 0.0
    for rank, i in enumerate(order):
        most = max(most, min(1.0, ps[i] * (len(ps) - rank)))
        found[i] = most
    return found


def wilson(passed: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a share (Wilson 1927): right for few rows, and for none or all."""
    if not n:
        return 0.0, 1.0
    share = passed / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(diffs: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval of the mean over resampled rows. The same rows always give the same interval."""
    n = len(diffs)
    if n < 2 or not any(diffs):
        mean = sum(diffs) / n if n else 0.0
        return mean, mean
    rng = random.Random(n)  # noqa: S311 -- a resampling, no secret
    means = sorted(sum(rng.choices(diffs, k=n)) / n for _ in range(RESAMPLES))
    return means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975)]


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
