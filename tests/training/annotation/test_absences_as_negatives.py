"""Verified absences as negatives: the law of the draw, what training moves, and that sets without any are as ever."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data import AnnotationSet
from vsenumba.experiments import goodness_of_fit
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.random import shard_states
from vsenumba.samplers import PopularitySampler, UniformSampler, WarpSampler
from vsenumba.training.annotation.absences import (
    AbsencesState,
    NoAbsences,
    absences_state,
    draw_negative,
    note_absences,
)
from vsenumba.training.annotation.layout import BEGIN, BLOCK, END, POSITIVE, SLOT, STEP_ROWS
from vsenumba.training.annotation.task import ABSENT_SHARE

N_LABELS = 7
OWN, ABSENT = [0, 3], [1, 5, 6]


@kernel
def draw_many(absences, sampler, states, vectors, labels, indices, steps, drawn, trials):
    for i in range(drawn.shape[0]):
        drawn[i], trials[i] = draw_negative(absences, sampler, states, 0, vectors, labels, indices, steps, 0)


def drawn_by(absences, sampler, n=20_000):
    rng = np.random.default_rng(0)
    labels = rng.standard_normal((N_LABELS, 3)).astype(np.float32)
    vectors = rng.standard_normal((1, 3)).astype(np.float32)
    counts = np.array([3, 1, 4, 1, 5, 9, 2])
    steps = np.zeros((STEP_ROWS, BLOCK), np.int64)
    steps[[SLOT, POSITIVE, BEGIN, END], 0] = 0, OWN[0], 0, len(OWN)
    note_absences(absences, steps, 1, 0, 1)
    states = shard_states(np.random.SeedSequence(0), 1)
    drawn, trials = np.zeros(n, np.int64), np.zeros(n, np.int64)
    draw_many(
        absences, sampler.state(counts, 3, 1), states, vectors, labels, np.array(OWN, np.int32), steps, drawn, trials
    )
    return drawn, trials, sampler.law(vectors, labels, [OWN], label_counts=counts)[0]


@pytest.mark.parametrize("share", [0.25, ABSENT_SHARE, 1.0])
@pytest.mark.parametrize("sampler", [UniformSampler(), PopularitySampler()], ids=lambda sampler: sampler.name)
def test_the_law_is_a_mixture_of_the_absences_and_the_sampler(sampler, share):
    absences = AbsencesState(np.array([0, 0, 3]), np.array(ABSENT, np.int32), share)
    drawn, trials, law = drawn_by(absences, sampler)
    mixture = (1 - share) * law
    mixture[ABSENT] += share / len(ABSENT)
    assert mixture.sum() == pytest.approx(1)
    assert goodness_of_fit(np.bincount(drawn, minlength=N_LABELS), mixture) > 1e-6
    assert (trials >= 1).all()
    if share == 1:
        assert (trials == 1).all()


@pytest.mark.parametrize("sampler", [UniformSampler(), WarpSampler()], ids=lambda sampler: sampler.name)
def test_an_image_without_any_has_the_samplers_very_draws(sampler):
    of_others = AbsencesState(np.array([0, 3, 3]), np.array(ABSENT, np.int32), 1.0)
    for one, other in zip(drawn_by(of_others, sampler)[:2], drawn_by(NoAbsences(0.0), sampler)[:2], strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_state_is_nothing_where_there_are_none():
    data = AnnotationSet.from_lists([["x", "y"], ["z"]])
    assert isinstance(absences_state(data, 0.5), NoAbsences)
    with_some = data.with_absent(np.array([[0, 0, 1], [0, 0, 0]]))
    assert isinstance(absences_state(with_some, 0), NoAbsences)
    state = absences_state(with_some, 0.5)
    assert (state.indptr.tolist(), state.indices.tolist(), state.share) == ([0, 1, 1], [2], 0.5)


class Always(vse.ImageAnnotator):
    """Takes no negative but absences."""

    def _task(self, data, *, frozen_labels=False):
        task = super()._task(data, frozen_labels=frozen_labels)
        object.__setattr__(task, "absent_share", 1.0)
        return task


@pytest.mark.parametrize("inputs", ["ids", "labels"])
def test_training_pushes_absences_down_and_nothing_else(inputs):
    data = AnnotationSet.from_lists([["x", "y"]] * 8 + [["a", "b", "c"]])
    absent = np.zeros(data.shape)
    absent[:8, data.label_names.index(["b"])[0]] = 1
    absent[8, 0] = 1
    data = data.with_absent(absent)
    settings = {"n_factors": 4, "random_state": 0, "l2": 0.0, "schedule": "constant", "deterministic": True}
    before = Always(inputs, n_epochs=1, learning_rate=1e-30, **settings).fit(data)
    after = Always(inputs, n_epochs=3, learning_rate=0.1, **settings).fit(data.select_images(np.arange(9)))
    moved = np.abs(after.label_factors_ - before.label_factors_).max(axis=1) > 1e-6
    assert dict(zip(data.label_names, moved.tolist(), strict=True)) == {
        "x": True, "y": True, "a": True, "b": True, "c": True,
    }  # fmt: skip
    only = data[:8]
    before = Always(inputs, n_epochs=1, learning_rate=1e-30, **settings).fit(only)
    after = Always(inputs, n_epochs=3, learning_rate=0.1, **settings).fit(only)
    moved = np.abs(after.label_factors_ - before.label_factors_).max(axis=1) > 1e-6
    assert dict(zip(only.label_names, moved.tolist(), strict=True)) == {
        "x": True, "y": True, "a": False, "b": True, "c": False,
    }  # fmt: skip
    known = np.arange(8)
    scores = after.score_block(only, known)
    assert (scores[:, 0] > scores[:, 3]).all()


def test_absences_of_other_labels_do_not_change_an_epoch_of_a_set_without_any():
    """The same bits, whatever kinds of sets were trained on before."""
    data = vse.synthetic(60, 12, 240, rng=0)
    settings = {"n_factors": 8, "n_epochs": 2, "random_state": 0, "deterministic": True}
    plain = vse.ImageAnnotator(**settings).fit(data)
    absent = np.zeros(data.shape)
    absent[0, np.setdiff1d(np.arange(12), data.indices[: data.indptr[1]])[0]] = 1
    with_one = vse.ImageAnnotator(**settings).fit(data.with_absent(absent))
    again = vse.ImageAnnotator(**settings).fit(data.with_absent(absent).with_absent(None))
    np.testing.assert_array_equal(plain.label_factors_, again.label_factors_)
    assert not np.array_equal(plain.label_factors_, with_one.label_factors_)


def test_absences_that_do_not_fit_are_refused_before_compiled_code_sees_them():
    data = vse.synthetic(60, 12, 240, rng=0)
    absent = 1 - data.to_csr().toarray()
    data = data.with_absent(absent)
    data.absent._indices[:] = 10**6
    with pytest.raises(vse.InputError, match="the indices of the data's absences must lie in"):
        vse.ImageAnnotator(n_epochs=1).fit(data)
