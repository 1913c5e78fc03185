"""The planted sets have the size that was asked for, and the structure that is documented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from vsenumba.data import AnnotationSet, load_dataset, save_synthetic, synthetic, synthetic_captions
from vsenumba.data.captions.planted import _FILLERS
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


@given(sizes(), seeds, st.integers(1, 20))
def test_blocks_give_sets_of_the_size_asked_for(size, seed, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsenumba.data.annotation.pairs.BLOCK", block)
        data = synthetic(*size, rng=seed)
        assert (*data.shape, data.n_pairs) == size
        assert (data.labels_per_image >= 1).all()


@pytest.mark.parametrize("block", [100, 10_000])
def test_the_file_and_the_set_in_memory_are_the_same(tmp_path, monkeypatch, block):
    monkeypatch.setattr("vsenumba.data.annotation.pairs.BLOCK", block)
    progress = []
    save_synthetic(tmp_path / "a.h5", 300, 20, 2_000, noise=0.3, rng=5, after_block=progress.append)
    data = synthetic(300, 20, 2_000, noise=0.3, rng=5)
    data.save(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert load_dataset(tmp_path / "a.h5").digest() == data.digest()
    assert progress == sorted(set(progress))
    assert progress[-1] == 2_000
    assert len(progress) >= 2_000 // block


def test_names_are_counted_from_0():
    data = synthetic(3, 2, 4, rng=0)
    assert list(data.image_ids) == ["image-0", "image-1", "image-2"]
    assert list(data.label_names) == ["label-0", "label-1"]
    kept = AnnotationSet(data.indptr, data.indices, 2, list(data.image_ids), list(data.label_names))
    assert kept.digest() == data.digest()


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
        ((0, 5, 5), {}, "n_images must be a whole number of at least 1, not 0"),
        ((5, 0, 5), {}, "n_labels must be a whole number of at least 1, not 0"),
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


def test_planted_captions_name_what_images_show():
    data = synthetic_captions(60, n_regions=24, captions_per_image=3, noise=0, rng=0)
    assert (data.n_images, data.n_captions, data.images.width) == (60, 180, 64)
    again = synthetic_captions(60, n_regions=24, captions_per_image=3, noise=0, rng=0)
    assert data.captions.tolist() == again.captions.tolist()
    rows, offsets = data.images.take(np.arange(60))
    assert (np.diff(offsets) == 24).all()
    # Without noise regions repeat: a name goes with a region that no image without it shows.
    kinds = np.unique(rows, axis=0, return_inverse=True)[1].reshape(60, 24)
    shown = [set(of_image.tolist()) for of_image in kinds]
    words = [set(" ".join(data.captions[3 * i : 3 * i + 3]).split()) for i in range(60)]
    names = set().union(*words) - set(_FILLERS)
    for name in names:
        with_it = set.intersection(*(shown[i] for i in range(60) if name in words[i]))
        assert with_it, f"images whose captions say {name!r} have no region in common"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_images": 0}, "n_images must be a whole number"),
        ({"n_images": 5, "n_regions": 23}, "n_regions must be a whole number of at least 24"),
        ({"n_images": 5, "noise": -1}, "noise must be finite"),
    ],
)
def test_planted_captions_that_cannot_be(settings, message):
    with pytest.raises(InputError, match=message):
        synthetic_captions(**settings)
