"""The built-in descriptors: the same bytes as the formulas in ``docs/reference/data.md``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import oracle_pictures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsenumba.errors import InputError
from vsenumba.pictures.backbones.descriptors import DescriptorBackbone, describe

SHARED = Path(__file__).parents[3] / "shared" / "data"


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(8), st.just(8), st.just(3))))
def test_any_picture_has_the_bytes_of_the_formula(pictures):
    assert np.array_equal(describe(pictures), oracle_pictures.describe(pictures))


def patterns():
    """Return pictures whose shares lie exactly between two bytes, or would with one rounding more."""
    rng = np.random.default_rng(0)
    flat = np.full((64, 64, 3), 255, np.uint8)
    found = [flat, flat * 0]
    for slope in (0, 1, 2, 3):
        ramp = np.add.outer(np.arange(64) * slope, np.arange(64)) % 256
        found += [np.repeat(ramp[..., None], 3, axis=2), np.repeat(ramp.T[..., None], 3, axis=2)]
    for size in (1, 2, 4, 16):
        board = np.kron(np.indices((64 // size, 64 // size)).sum(axis=0) % 2, np.ones((size, size)))
        found.append(np.repeat(board[..., None] * 255, 3, axis=2))
    dot = flat.copy()
    dot[20:24, 30:40, 1] = 0
    found += [dot, rng.integers(0, 256, (64, 64, 3)), np.repeat(rng.integers(0, 3, (64, 64, 1)), 3, axis=2)]
    return np.stack(found).astype(np.uint8)


def test_patterns_have_the_bytes_of_the_formula():
    assert np.array_equal(describe(patterns()), oracle_pictures.describe(patterns()))


def test_pictures_do_not_depend_on_each_other():
    pictures = np.random.default_rng(1).integers(0, 256, (70, 16, 16, 3)).astype(np.uint8)
    together = describe(pictures)
    assert (together.shape, together.dtype) == ((70, 256), np.uint8)
    for i in (0, 31, 32, 69):
        assert np.array_equal(together[i : i + 1], describe(pictures[i : i + 1]))
    assert describe(pictures[:0]).shape == (0, 256)


@pytest.mark.parametrize("name", ["openclipart", "emoji"])
def test_real_pictures_have_the_bytes_of_the_formula(name):
    path = SHARED / name / "thumbs64.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with np.load(path) as file:
        pictures = file["images"][::40]
    assert np.array_equal(describe(pictures), oracle_pictures.describe(pictures))


def test_the_identity_stays():
    """It goes into files: another one says that the numbers have changed."""
    assert DescriptorBackbone().id == DescriptorBackbone().id
    assert DescriptorBackbone().id.name == "descriptors"
    assert DescriptorBackbone().id.digest == "311a8291b0c4ef047970e892301b5514f3a1b0a4315b41252256fa0cc3d210eb"


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((1, 6, 6, 3), np.uint8),
        np.zeros((1, 8, 8), np.uint8),
        np.zeros((1, 8, 8, 3)),
        np.zeros((1, 0, 0, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(pictures):
    with pytest.raises(InputError, match="thumbnails must be"):
        describe(pictures)
