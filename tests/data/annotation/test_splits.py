"""Splits divide the pairs, lose none, and are the same for one seed; pruning leaves what is common enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import annotation_sets, seeds

from vsenumba.data import (
    AnnotationSet,
    holdout,
    kfold,
    leave_one_out,
    prune,
)
from vsenumba.errors import InputError


def assert_divides(data, train, test):
    for part in (train, test):
        assert part.shape == data.shape
        assert part.image_ids == data.image_ids
        assert part.label_names == data.label_names
    total = train.to_csr() + test.to_csr()
    assert (total != data.to_csr()).nnz == 0


@given(annotation_sets(), seeds)
def test_leave_one_out(data, seed):
    train, test = leave_one_out(data, rng=seed)
    assert_divides(data, train, test)
    np.testing.assert_array_equal(test.labels_per_image, data.labels_per_image >= 2)


def test_leave_one_out_takes_every_label_alike():
    data = AnnotationSet.from_csr(np.ones((3000, 3)))
    _, test = leave_one_out(data, rng=0)
    # Binomial(3000, 1/3): a standard deviation is 26, and 4 of them are left out of once in 10,000 seeds.
    assert (abs(test.label_counts - 1000) < 104).all()


@given(annotation_sets(min_pairs=1), st.floats(0.05, 0.95), seeds)
def test_holdout(data, fraction, seed):
    n_test = round(fraction * data.n_pairs)
    spare = data.n_pairs - (data.labels_per_image > 0).sum()
    if n_test > spare:
        with pytest.raises(InputError, match=f"only {spare} can be held out"):
            holdout(data, fraction, rng=seed)
        return
    train, test = holdout(data, fraction, rng=seed)
    assert_divides(data, train, test)
    assert test.n_pairs == n_test
    np.testing.assert_array_equal(train.labels_per_image > 0, data.labels_per_image > 0)


@given(annotation_sets(min_pairs=2), st.integers(2, 6), seeds)
def test_kfold(data, n_folds, seed):
    assume(n_folds <= data.n_pairs)
    folds = list(kfold(data, n_folds, rng=seed))
    assert len(folds) == n_folds
    for train, test in folds:
        assert_divides(data, train, test)
        assert data.n_pairs // n_folds <= test.n_pairs <= -(-data.n_pairs // n_folds)
    total = sum(test.to_csr() for _, test in folds)
    assert (total != data.to_csr()).nnz == 0


@pytest.mark.parametrize("split", [leave_one_out, holdout, lambda data, rng: next(kfold(data, rng=rng))])
def test_same_seed_same_split(split):
    data = AnnotationSet.from_csr(np.ones((20, 6)))
    as_int, as_generator, other = (split(data, rng=rng)[1] for rng in (5, np.random.default_rng(5), 6))
    as_sequence = split(data, rng=np.random.SeedSequence(5))[1]
    assert as_int.digest() == as_generator.digest() == as_sequence.digest()
    assert as_int.digest() != other.digest()


def test_features_and_titles_stay(tmp_path):
    data = AnnotationSet(np.array([0, 2]), np.array([0, 1]), 2, features=np.ones((1, 2)), titles=["a cat"])
    for part in leave_one_out(data, rng=0):
        assert part.features is not None
        assert part.titles.tolist() == ["a cat"]


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5, float("nan")])
def test_odd_fractions_are_refused(fraction):
    with pytest.raises(InputError, match="fraction must lie between 0 and 1"):
        holdout(AnnotationSet.from_csr(np.ones((4, 4))), fraction)


@pytest.mark.parametrize("n_folds", [0, 1, 17])
def test_odd_numbers_of_folds_are_refused_at_once(n_folds):
    with pytest.raises(InputError, match="n_folds must lie between 2 and the number of pairs"):
        kfold(AnnotationSet.from_csr(np.ones((4, 4))), n_folds)


@given(annotation_sets(extras=True), st.integers(0, 3), st.integers(0, 3))
def test_prune_leaves_the_largest_part_that_is_common_enough(data, images_per_label, labels_per_image):
    matrix = data.to_csr().toarray() > 0
    rows, columns = np.arange(data.n_images), np.arange(data.n_labels)
    while True:
        part = matrix[np.ix_(rows, columns)]
        keep_rows, keep_columns = part.sum(axis=1) >= labels_per_image, part.sum(axis=0) >= images_per_label
        if keep_rows.all() and keep_columns.all():
            break
        rows, columns = rows[keep_rows], columns[keep_columns]
    if not len(rows) or not len(columns):
        with pytest.raises(InputError, match="nothing is left"):
            prune(data, images_per_label, labels_per_image)
        return
    pruned = prune(data, images_per_label, labels_per_image)
    np.testing.assert_array_equal(pruned.to_csr().toarray() > 0, part)
    assert list(pruned.image_ids) == [data.image_ids[i] for i in rows]
    assert list(pruned.label_names) == [data.label_names[j] for j in columns]
    if data.titles is not None:
        assert pruned.titles.tolist() == data.titles[rows].tolist()
