from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp.statistics import Counts, auc, benjamini_hochberg, fisher_p, log_odds, phi, wilson


def counts(best_with: int, best: int, worst_with: int, worst: int) -> Counts:
    return Counts(best_with, best - best_with, worst_with, worst - worst_with)


@pytest.mark.parametrize(
    ("table", "effect", "lower"),
    [
        (counts(12, 12, 0, 12), 5.13, 3.25),
        (counts(14, 20, 4, 20), 1.99, 1.11),
        (counts(8, 12, 2, 12), 1.89, 0.79),
        (counts(1, 12, 0, 12), 0.77, -0.88),
    ],
)
def test_log_odds_as_worked_out(table, effect, lower):
    found = log_odds(table)

    assert found.value == pytest.approx(effect, abs=0.005)
    assert found.lower == pytest.approx(lower, abs=0.005)


@pytest.mark.parametrize(
    ("table", "p"),
    [
        (counts(8, 12, 2, 12), 0.0361),
        (counts(14, 20, 4, 20), 0.0036),
        (counts(3, 3, 0, 3), 0.1),
        (counts(5, 10, 5, 10), 1.0),
        (counts(0, 0, 3, 5), 1.0),
    ],
)
def test_fisher_exact_two_sided(table, p):
    assert fisher_p(table) == pytest.approx(p, abs=0.00005)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_fisher_is_a_probability_and_does_not_care_for_direction(a, b, c, d):
    p = fisher_p(Counts(a, b, c, d))

    assert 0 < p <= 1
    assert math.isclose(p, fisher_p(Counts(c, d, a, b)), rel_tol=1e-6)
    assert math.isclose(p, fisher_p(Counts(a, b, c, d).inverted()), rel_tol=1e-6)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(15, 20, 53, 89), (77, 100, 68, 84), (150, 200, 69, 80), (154, 200, 71, 82)],
)
def test_wilson_interval_in_percent(hits, n, low, high):
    assert tuple(round(100 * bound) for bound in wilson(hits, n)) == (low, high)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


def test_q_values_keep_the_order_of_p_and_the_callers_positions():
    assert benjamini_hochberg([0.04, 0.001, 0.5, 0.03]) == pytest.approx([0.16 / 3, 0.004, 0.5, 0.16 / 3])
    assert benjamini_hochberg([]) == []


@pytest.mark.parametrize(
    ("best", "worst", "expected"),
    [([2, 3], [0, 1], 1.0), ([0], [1], 0.0), ([1], [1], 0.5), ([], [1], None), ([1], [], None)],
)
def test_auc(best, worst, expected):
    assert auc(best, worst) == expected


def test_phi_looks_only_where_both_are_known():
    assert phi([True, False, None, True], [True, False, True, None]) == 1.0
    assert phi([True, False], [False, True]) == -1.0
    assert phi([True, True], [True, False]) == 0.0
