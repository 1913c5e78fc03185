"""The planted sets have the size that was asked for, and the structure that is documented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from vsenumba.data import synthetic
from vsenumba.errors import InputError


@st.composite
def sizes(draw):
    n_images, n_labels = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    return n_images, n_labels, draw(st.integers(n_images, n_images * n_labels))


@given(sizes(), seeds, st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from([0.0, 0.1, 1.0]))
def test_exact_size(size, seed, exponent, noise):
    data = synthetic(*size, exponent=exponent, noise=noise, rng=seed)
    assert (*data.shape, data.n_pairs) == size
    assert (data.labels_per_image >= 1).all()


def test_same_seed_same_set():
    one, again, other = (synthetic(50, 20, 200, rng=seed) for seed in (3, np.random.default_rng(3), 4))
    assert one.digest() == again.digest() != other.digest()


def test_popularity_has_a_long_tail():
    data = synthetic(5000, 200, 20_000, rng=0)
    counts = data.label_counts
    assert counts[:20].sum() > 0.4 * data.n_pairs
    assert counts[100:].sum() < 0.25 * data.n_pairs
    flat = synthetic(5000, 200, 20_000, exponent=0, rng=0).label_counts
    assert flat.max() < 2 * flat.mean()


def test_topics_can_be_learnt_and_noise_cannot():
    def structure(**options):
        matrix = synthetic(2000, 100, 12_000, exponent=0.5, n_topics=10, rng=0, **options).to_csr().toarray()
        values = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False)
        return values[5] / values[50]

    assert structure(noise=0.0) > 1.5 * structure(noise=1.0)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 5, 5), {}, "n_images must be at least 1, not 0"),
        ((5, 0, 5), {}, "n_labels must be at least 1, not 0"),
        ((5, 5, 4), {}, r"n_pairs must lie between n_images \(5"),
        ((5, 5, 26), {}, r"n_images \* n_labels \(25\), not 26"),
        ((5, 5, 9), {"n_topics": 6}, r"n_topics must lie between 1 and n_labels \(5\), not 6"),
        ((5, 5, 9), {"exponent": -1.0}, "exponent must be finite and not negative"),
        ((5, 5, 9), {"exponent": float("inf")}, "exponent must be finite"),
        ((5, 5, 9), {"noise": 1.5}, "noise must lie between 0 and 1"),
    ],
)
def test_impossible_sets_are_refused(arguments, options, message):
    with pytest.raises(InputError, match=message):
        synthetic(*arguments, **options)
