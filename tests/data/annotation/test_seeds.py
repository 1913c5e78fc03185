"""Whatever takes `rng` takes the same, and refuses the rest."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.checks import generator
from vsenumba.data import save_synthetic, synthetic_captions
from vsenumba.objectives import as_objective

DATA = vse.synthetic(20, 6, 60, rng=0)


def ways(tmp_path):
    train, test = vse.leave_one_out(DATA, rng=0)
    model = vse.PopularityAnnotator().fit(train)
    return [
        lambda rng: vse.leave_one_out(DATA, rng=rng),
        lambda rng: vse.holdout(DATA, rng=rng),
        lambda rng: vse.kfold(DATA, rng=rng),
        lambda rng: vse.synthetic(20, 6, 60, rng=rng),
        lambda rng: save_synthetic(tmp_path / "set.h5", 20, 6, 60, rng=rng),
        lambda rng: vse.evaluate(model, test, exclude=train, max_images=3, rng=rng),
        lambda rng: synthetic_captions(4, rng=rng),
        lambda rng: synthetic_captions(4, rng=0).split(train=0.5, test=0.5, rng=rng),
        lambda rng: as_objective("random-k").batch_loss(np.eye(3, dtype=np.float32), rng=rng),
    ]


@pytest.mark.parametrize("rng", [-1, 1.5, 2.0, "0", True, [1, 2], np.float64(1), object, np.array(1)])
def test_seeds_that_are_none_are_refused(rng, tmp_path):
    """Found 2026-11: ValueError and TypeError, as NumPy has them."""
    for way in ways(tmp_path):
        with pytest.raises(
            vse.InputError, match=r"^rng must be a whole number >= 0, a Generator, a SeedSequence or None"
        ):
            way(rng)


@pytest.mark.parametrize(
    "make", [lambda: 7, lambda: np.int64(7), lambda: np.random.SeedSequence(7), lambda: np.random.default_rng(7)]
)
def test_a_seed_is_numpys(make):
    assert generator(make()).random() == np.random.default_rng(7).random()


def test_a_generator_goes_on_and_nothing_is_fresh():
    rng = np.random.default_rng(0)
    assert generator(rng) is rng
    assert generator(None).random() != generator(None).random()
    legacy = np.random.RandomState(0)
    assert generator(legacy).random() != generator(legacy).random()
