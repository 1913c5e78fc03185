"""Weights between labels, each on its neighbours: which these are, and that they solve the regressions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsenumba import AnnotationSet
from vsenumba.training.annotation.label_weights import local_weight_bytes, local_weights


def together(X, a, b):
    return int(sum(row[a] and row[b] for row in X))


def strengths(X, label, l2):
    """Return how strongly other labels recommend themselves: those that occur with it, and those two steps away."""
    n_labels = X.shape[1]
    first = {a: together(X, label, a) / (together(X, a, a) + l2) ** 0.5 for a in range(n_labels) if a != label}
    first = {a: value for a, value in first.items() if value > 0}
    second = {}
    for c in range(n_labels):
        steps = [together(X, label, b) * together(X, b, c) / (together(X, b, b) + l2) for b in first]
        if c != label and c not in first and sum(steps) > 0:
            second[c] = sum(steps) / (together(X, c, c) + l2) ** 0.5
    return first, second


def expected_number(X, label, n):
    often = [together(X, a, a) for a in range(X.shape[1])]
    return int(np.ceil(n * min(max(often[label] / max(np.mean(often), 1e-30), 0.25), 8)))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 14)),
    density=st.sampled_from([0.05, 0.2, 0.5]),
    max_neighbours=st.integers(1, 20),
    l2=st.sampled_from([0.5, 5.0]),
)
def test_neighbours_are_the_strongest_and_their_weights_a_ridge_regression(seed, shape, density, max_neighbours, l2):
    X = np.random.default_rng(seed).random(shape) < density
    found = local_weights(AnnotationSet.from_csr(X), [l2, 3 * l2], max_neighbours, 1)
    assert [weights.shape for weights in found] == 2 * [(shape[1], shape[1])]
    assert [weights.dtype for weights in found] == 2 * [np.float32]
    columns, more_decay = (weights.tocsc() for weights in found)
    gram = X.T.astype(float) @ X.astype(float)
    for label in range(shape[1]):
        chosen = columns.indices[columns.indptr[label] : columns.indptr[label + 1]]
        own = slice(columns.indptr[label], columns.indptr[label + 1])
        first, second = strengths(X, label, l2)
        most = expected_number(X, label, max_neighbours)
        # Of equal strengths any will do.
        direct = sorted((first[a] for a in chosen if a in first), reverse=True)
        assert direct == pytest.approx(sorted(first.values(), reverse=True)[:most])
        beyond = sorted((second[a] for a in chosen if a not in first), reverse=True)
        room = most - len(direct) if first else 0
        assert beyond == pytest.approx(sorted(second.values(), reverse=True)[:room])
        np.testing.assert_array_equal(more_decay.indices[own], chosen)
        for weights, decay in ((columns.data[own], l2), (more_decay.data[own], 3 * l2)):
            square = gram[np.ix_(chosen, chosen)] + decay * np.eye(len(chosen))
            expected = np.linalg.solve(square, gram[chosen, label])
            assert weights == pytest.approx(expected, abs=1e-3 * np.abs(expected).max(initial=1e-3))


def test_threads_change_nothing():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((200, 700)) < 0.02)
    (one,), (two,) = (local_weights(data, [2.0], 16, n_threads) for n_threads in (1, 2))
    np.testing.assert_array_equal(one.toarray(), two.toarray())


def test_a_set_without_pairs_has_no_weights():
    assert local_weights(AnnotationSet([0, 0, 0], [], 5), [1.0], 4)[0].nnz == 0
    assert local_weights(AnnotationSet([0, 0], [], 0), [1.0], 4)[0].shape == (0, 0)


def test_a_decay_that_vanishes_beside_the_counts_is_refused():
    with pytest.raises(ArithmeticError, match="reciprocal condition of the labels' matrix is 2e-21"):
        local_weights(AnnotationSet.from_csr(np.ones((20, 2), bool)), [1e-19], 4)


def test_weights_that_cannot_be_solved_for_are_refused(monkeypatch):
    monkeypatch.setattr("vsenumba.training.annotation.label_weights.solve_ridge", lambda *arguments: False)
    with pytest.raises(ArithmeticError, match="reciprocal condition of the labels' matrix is 0.02"):
        local_weights(AnnotationSet.from_csr(np.ones((20, 2), bool)), [1.0], 4)


def test_bytes_grow_with_what_occurs_together():
    data = AnnotationSet.from_lists([["a", "b", "c"], ["a"], []])
    assert local_weight_bytes(data, 2) == 20 * 9 + 40 * 3 * 2
    assert local_weight_bytes(data, 128) == 20 * 9 + 40 * 3 * 3
