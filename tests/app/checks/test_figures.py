"""Figures of a matrix: intervals and tests against values worked out elsewhere; honesty about few rows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checks.figures import Cell, bootstrap, comparisons, figures, holm, sign_test, wilson


def cell(passed, score=None, ms=10.0, cost=5, broken=False):
    return Cell(passed, float(passed) if score is None else score, ms, cost, broken)


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (8, 2, 0.109375), (15, 5, 0.04138946533203125)],
)
def test_the_sign_test_is_the_exact_one(better, worse, p):
    assert sign_test(better, worse) == sign_test(worse, better) == pytest.approx(p)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_p_value_is_one_and_more_onesided_is_never_larger(better, worse):
    p = sign_test(better, worse)
    assert 0 < p <= 1
    if worse and worse <= better:
        assert sign_test(better + 1, worse - 1) <= p + 1e-12


def test_wilsons_interval_is_that_of_the_textbook():
    assert wilson(8, 10) == pytest.approx((0.4901, 0.9433), abs=1e-4)
    low, high = wilson(0, 10)
    assert low == 0 and high == pytest.approx(0.2775, abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_several_comparisons_are_corrected():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_a_bootstrap_covers_the_mean_and_is_the_same_each_time():
    diffs = [0.1 * (i % 5 - 1) for i in range(40)]
    low, high = bootstrap(diffs)
    assert low < sum(diffs) / 40 < high and bootstrap(diffs) == (low, high)
    assert bootstrap([0.0] * 9) == (0.0, 0.0)


def test_few_rows_prove_nothing_and_that_is_said():
    base = {str(i): cell(False) for i in range(5)}
    better = {str(i): cell(True) for i in range(5)}
    [none, compared] = comparisons([base, better])
    assert none is None and not compared.sure and "Too few rows to tell: the two differ on 5 of 5" in compared.said
    base |= {str(i): cell(False) for i in range(5, 12)}
    better |= {str(i): cell(True) for i in range(5, 12)}
    [_, compared] = comparisons([base, better])
    assert compared.sure and compared.said.startswith("Better") and compared.difference == 1.0


def test_only_rows_that_both_have_are_compared():
    [_, compared] = comparisons([{"a": cell(True), "b": cell(False)}, {"b": cell(True), "c": cell(False)}])
    assert (compared.n, compared.better, compared.worse) == (1, 1, 0)
    assert comparisons([{}, {}])[1].said == "No row has both results yet."


def test_figures_of_a_variant():
    found = figures(
        [cell(True, ms=10), cell(True, ms=30, score=0.8), cell(False, ms=20), cell(False, ms=9_000, broken=True)]
    )
    assert (found.n, found.passed, found.share, found.broken, found.cost_micros) == (4, 2, 0.5, 1, 20)
    assert found.median_ms == 20 and math.isclose(found.score, 0.45)
    assert figures([]).high == 1
