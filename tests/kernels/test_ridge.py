"""Ridge regressions by conjugate gradients, against NumPy's solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsenumba.kernels.ridge import solve_ridge


def solved(square, l2, target):
    n = len(target)
    solution, work = np.full(n, np.nan, np.float32), np.full((3, n), np.nan, np.float32)
    found = solve_ridge(square.astype(np.float32), np.float32(l2), target.astype(np.float32), solution, work)
    return found, solution


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 30),
    n_rows=st.integers(1, 40),
    l2=st.sampled_from([0.3, 4.0, 100.0]),
    density=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_it_solves_what_numpy_solves(seed, n, n_rows, l2, density):
    rng = np.random.default_rng(seed)
    rows = (rng.random((n_rows, n)) < density).astype(float)
    rows[0] = 1  # so that no number on the diagonal is 0
    square, target = rows.T @ rows, rng.integers(0, 5, n).astype(float)
    found, solution = solved(square, l2, target)
    assert found
    expected = np.linalg.solve(square + l2 * np.eye(n), target)
    assert solution == pytest.approx(expected, rel=1e-3, abs=1e-4 * max(np.abs(expected).max(), 1e-6))


def test_numbers_of_a_thousand_and_of_one_stand_side_by_side():
    rng = np.random.default_rng(0)
    rows = (rng.random((4_000, 60)) < np.geomspace(0.9, 0.001, 60)).astype(float)
    rows[0] = 1
    square = rows.T @ rows
    found, solution = solved(square, 1.0, square[:, 0])
    assert found
    expected = np.linalg.solve(square + np.eye(60), square[:, 0])
    assert solution == pytest.approx(expected, abs=2e-4)


def test_of_nothing_the_solution_is_nothing():
    found, solution = solved(np.eye(3), 1.0, np.zeros(3))
    assert found
    np.testing.assert_array_equal(solution, np.zeros(3))
    assert solved(np.zeros((0, 0)), 1.0, np.zeros(0))[0]


def test_what_has_no_solution_is_told():
    found, _ = solved(np.full((2, 2), np.nan), 1.0, np.ones(2))
    assert not found
