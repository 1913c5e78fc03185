"""The best of rows of scores: against sorting, with ties, gaps, everything excluded and numbers that are none."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from vsenumba.data import Vocabulary
from vsenumba.data.matches import best_matches
from vsenumba.kernels.top_k import EXCLUDED, exclude, top_k


def best_of(scores, n, floor=-np.inf):
    scores = np.ascontiguousarray(scores, np.float32)
    columns = np.full((len(scores), n), 7, np.int32)
    best = np.full(columns.shape, 7, np.float32)
    odd = np.full(len(scores), 7, np.int64)
    top_k(scores, np.float32(floor), columns, best, odd)
    return columns, best, odd


def sorted_out(row, n, floor=-np.inf):
    """Return the pairs of a column and its score, by sorting."""
    pairs = sorted(((-score, column) for column, score in enumerate(row) if score > floor))[:n]
    return [(column, -score) for score, column in pairs]


def listed(columns, best):
    return [(column, score) for column, score in zip(columns.tolist(), best.tolist(), strict=True) if column >= 0]


# Few different values, so that many are equal, beside any; and rows longer than what is looked at in one go.
SCORES = st.one_of(st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5]), st.floats(-(2.0**99), 2.0**99, width=32))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_best_are_those_of_sorting(data):
    width = data.draw(st.sampled_from([1, 2, 9, 63, 64, 65, 200]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    few = data.draw(st.lists(SCORES, min_size=1, max_size=12))
    n = data.draw(st.integers(1, width + 3))
    floor = data.draw(st.sampled_from([-np.inf, -1.0, 0.0, 2.0**99]))
    scores = np.random.default_rng(seed).choice(np.array(few, np.float32), (3, width))
    columns, best, odd = best_of(scores, n, floor)
    assert (odd == -1).all()
    for row, found, values in zip(scores, columns, best, strict=True):
        assert listed(found, values) == sorted_out(row.tolist(), n, floor)
        count = int((found >= 0).sum())
        assert (found[count:] == -1).all()
        assert np.isneginf(values[count:]).all()
        names = Vocabulary([str(column) for column in range(width)], "label")
        if floor == -np.inf:
            assert best_matches(row, n, names) == [(str(column), score) for column, score in listed(found, values)]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 5, 63, 64, 127, 130])
def test_a_score_that_is_none_is_told_of_wherever_it_stands(bad, place):
    scores = np.linspace(2, 1, 3 * 131, dtype=np.float32).reshape(3, 131).copy()
    scores[1, place] = bad
    for n, floor in ((1, -np.inf), (4, -np.inf), (131, -np.inf), (4, 1e30)):
        columns, _, odd = best_of(scores, n, floor)
        assert odd.tolist() == [-1, place, -1]
        assert columns[0].tolist() == (list(range(n)) if floor < 0 else [-1] * n)


def test_nothing_is_found_among_nothing():
    for shape in ((0, 5), (2, 0)):
        columns, _, odd = best_of(np.zeros(shape), 3)
        assert (columns == -1).all()
        assert (odd == -1).all()
    columns, _, _ = best_of(np.full((2, 70), -np.inf), 3)
    assert (columns == -1).all()


def excluded_from(scores, places, rows, indptr, labels):
    return exclude(
        scores,
        np.asarray(places, np.int32),
        np.asarray(rows, np.int64),
        np.asarray(indptr, np.int64),
        np.asarray(labels, np.int32),
    )


def test_labels_are_excluded_where_they_have_a_column():
    scores = np.zeros((3, 2), np.float32)
    # Of four labels, 3 and 1 have columns.
    outcome = excluded_from(scores, [-1, 1, -1, 0], [2, 0, 1], [0, 1, 1, 4], [3, 0, 1, 2])
    assert outcome == EXCLUDED
    assert np.isneginf(scores).tolist() == [[False, True], [True, False], [False, False]]


@pytest.mark.parametrize(
    ("rows", "indptr", "labels"),
    [
        ([0, 2], [0, 1, 1], [0]),
        ([0, -1], [0, 1, 1], [0]),
        ([0, 1], [0, 1, 5], [0]),
        ([0, 1], [0, 1, 0], [0]),
        ([0, 1], [0, 1, 2], [0, 9]),
        ([0, 1], [0, 1, 2], [0, -2]),
    ],
)
def test_what_leads_out_of_the_arrays_is_told_of(rows, indptr, labels):
    assert excluded_from(np.zeros((2, 2), np.float32), [0, 1], rows, indptr, labels) == 1
