"""Training by the softmax loss of drawn negatives: the loop against the oracle, and what its estimate is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numba
import numpy as np
import oracle
import oracle_softmax
import pytest
from annotation_training import SOME_INPUTS_AND_OPTIMISERS, small_sets, tables_for, trainer_for
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import situations

import vsenumba as vse
from vsenumba import AdaptiveSampler, AnnotationSet, InputError, RowAdagrad, Sgd, load_model
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.membership import contains
from vsenumba.losses import SoftmaxLoss
from vsenumba.samplers import SAMPLERS, PopularitySampler, Sampler, UniformSampler, draw, trial_probability

JIT = not numba.config.DISABLE_JIT


class TurnsState(NamedTuple):
    """How far each shard has come, and the law that is told."""

    positions: np.ndarray
    told: np.ndarray


@dataclass(frozen=True, kw_only=True)
class TurnsSampler(Sampler):
    """Go through all labels in turns, so that an oracle knows what is drawn; say that the draws have another law."""

    name: ClassVar[str] = "turns"

    @property
    def knows_probabilities(self):
        return True

    def state(self, label_counts, n_factors, n_shards):
        return TurnsState(np.zeros(n_shards, np.int64), told_law(len(label_counts)))

    def _weights(self, image_factors, label_factors, own, label_counts):
        raise NotImplementedError


def told_law(n_labels):
    weights = 1.0 + np.arange(n_labels) % 3
    return weights / weights.sum()


@draw.implement(TurnsState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    for trial in range(sampler.told.shape[0]):
        label = sampler.positions[shard] % sampler.told.shape[0]
        sampler.positions[shard] += 1
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.told.shape[0]


@trial_probability.implement(TurnsState)
def _trial_probability(sampler, image, label):
    return sampler.told[label]


@pytest.mark.parametrize(("inputs", "optimiser"), SOME_INPUTS_AND_OPTIMISERS, ids=str)
@settings(max_examples=25)
@given(data=small_sets(), n_factors=st.integers(1, 5), n=st.integers(1, 7), seed=st.integers(0, 99))
def test_an_epoch_is_the_oracles(inputs, optimiser, data, n_factors, n, seed):
    tables = tables_for(inputs, data, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    trainer, sums = trainer_for(
        data, tables, inputs, optimiser, sampler=TurnsSampler(), loss=SoftmaxLoss(n_negatives=n), n_shards=1
    )
    exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
    order, _ = trainer.plan.visiting_order(1)
    record = trainer.run_epoch(1, lambda done: 0.1)
    lists = [data.indices[data.indptr[i] : data.indptr[i + 1]].tolist() for i in range(data.n_images)]
    expected = oracle_softmax.train_by_softmax(
        order, lists, exact, exact_sums, inputs=inputs, rate=0.1, l2=0.01, adagrad=isinstance(optimiser, RowAdagrad),
        negatives=oracle_softmax.Drawn(told_law(data.n_labels), n),
    )  # fmt: skip
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert record["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert record["violations"] == pytest.approx(expected["violations"], abs=1.5 / max(expected["steps"], 1))


@kernel
def tell(sampler, images, probabilities):
    for i in range(images.shape[0]):
        for label in range(probabilities.shape[1]):
            probabilities[i, label] = trial_probability(sampler, images[i], label)


def told(sampler, images, labels, counts):
    """Return the probabilities that kernels read, (n, L)."""
    images, labels = (np.ascontiguousarray(table, np.float32) for table in (images, labels))
    state = sampler.with_probabilities(sampler.state(np.asarray(counts), labels.shape[1], 1))
    sampler.refresh(state, labels)
    probabilities = np.zeros((len(images), len(labels)))
    tell(state, images, probabilities)
    return probabilities


@settings(max_examples=60 if JIT else 10)
@given(
    situation=situations(), power=st.sampled_from([0, 0.75, 2]), lam=st.sampled_from([0.05, 0.5]),
    kind=st.sampled_from(["geometric", "staircase"]), spread=st.sampled_from(["deviation", "variance"]),
)  # fmt: skip
def test_what_kernels_are_told_is_the_law(situation, power, lam, kind, spread):
    images, labels, _ = situation
    counts = np.arange(len(labels)) % 4 + 1
    assert told(UniformSampler(), images, labels, counts) == pytest.approx(1 / len(labels))
    popularity = told(PopularitySampler(power=power), images, labels, counts)
    adaptive = told(AdaptiveSampler(lam=lam, rank_law=kind, spread=spread), images, labels, counts)
    for i, image in enumerate(np.asarray(images, np.float32)):
        assert popularity[i] == pytest.approx(oracle.popularity_law(counts, power, []), rel=1e-12)
        exponent = {"deviation": 1, "variance": 2}[spread]
        expected = oracle.adaptive_law(image, np.asarray(labels, np.float32), lam, [], exponent, kind)
        assert adaptive[i] == pytest.approx(expected, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, one in SAMPLERS.items() if one().knows_probabilities])
def test_the_mean_of_the_estimate_is_the_sum_over_all_labels(name):
    """Z is ``e^s / q`` of the one label that is drawn, with q as often as it is drawn: on average, the sum of e^s."""
    # The first image lacks six labels, and the second none, so that it teaches nothing.
    data = AnnotationSet.from_csr(np.array([[True] * 3 + [False] * 6, [True] * 9]))
    tables = tables_for("ids", data, 4, seed=2, scale=1.0)
    image, labels = tables["image_factors"][0].astype(float), tables["label_factors"].astype(float)
    law = SAMPLERS[name]().law(image[None], labels, [[0, 1, 2]], label_counts=data.label_counts)[0, 3:]
    assert law.min() > 0
    estimates = np.exp(labels[3:] @ image) / law
    possible = [np.mean([np.log1p(z * np.exp(-labels[p] @ image)) for p in range(3)]) for z in estimates]
    seen = set()
    for seed in range(30):
        fresh = {key: table.copy() for key, table in tables.items()}
        trainer, _ = trainer_for(data, fresh, "ids", Sgd(), sampler=name, loss=SoftmaxLoss(n_negatives=1), n_shards=1)
        loss = trainer.run_epoch(1 + seed, lambda done: 0.0)["loss"]
        nearest = int(np.argmin(np.abs(np.subtract(possible, loss))))
        assert loss == pytest.approx(possible[nearest], rel=1e-4)
        seen.add(nearest)
    assert len(seen) > 1


def test_an_image_that_has_every_label_teaches_nothing():
    data = AnnotationSet.from_csr(np.ones((3, 4), dtype=bool))
    tables = tables_for("ids", data, 3, seed=0)
    trainer, _ = trainer_for(data, tables, "ids", RowAdagrad(), loss=SoftmaxLoss(n_negatives=5))
    before = {name: table.copy() for name, table in tables.items()}
    record = trainer.run_epoch(1, lambda done: 0.1)
    assert (record["steps"], record["skipped"], record["loss"]) == (0, 12, 0)
    for name in tables:
        np.testing.assert_array_equal(tables[name], before[name])


@pytest.mark.parametrize("scale", [30.0, 3000.0])
def test_scores_of_any_size_stay_finite(scale):
    data = AnnotationSet.from_csr(np.eye(6, 8, dtype=bool) + np.eye(6, 8, 1, dtype=bool))
    tables = tables_for("ids", data, 4, seed=0, scale=scale)
    trainer, _ = trainer_for(data, tables, "ids", Sgd(), loss=SoftmaxLoss(n_negatives=6), sampler="adaptive", l2=0.0)
    record = trainer.run_epoch(1, lambda done: 1e-6)
    assert np.isfinite(record["loss"])
    assert record["steps"] == data.n_pairs


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"n_negatives": 3}, "leave out n_negatives=3 of the model"),
        ({"sampler": "warp"}, 'warp does not provide: use "uniform", "popularity", or "adaptive" with n_candidates=1'),
        ({"sampler": "dynamic"}, "does not provide"),
        ({"sampler": AdaptiveSampler(n_candidates=4)}, "n_candidates=4"),
        ({"sampler": AdaptiveSampler(n_candidates=None)}, "n_candidates=None"),
    ],
    ids=str,
)
def test_what_does_not_go_with_drawn_negatives_is_refused(chosen, message):
    model = vse.ImageAnnotator(loss=SoftmaxLoss(n_negatives=8), **chosen)
    with pytest.raises(InputError, match=message):
        model.fit(vse.synthetic(20, 8, 60, rng=0))


@pytest.mark.parametrize("n", [0, -1, 1.5, True, 10_001, "8"])
def test_a_number_of_negatives_that_cannot_be_drawn_is_refused(n):
    with pytest.raises(InputError, match="n_negatives must be a whole number from 1 to 10,000, or None"):
        SoftmaxLoss(n_negatives=n)


@pytest.mark.parametrize("inputs", ["ids", "labels", "features", ("features", "labels")])
def test_a_model_learns_by_it_and_comes_back_from_its_file(tmp_path, inputs):
    data = vse.synthetic(60, 12, 240, rng=0)
    if "features" in inputs:
        data = data.with_features(np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32))
    model = vse.ImageAnnotator(inputs=inputs, loss=SoftmaxLoss(n_negatives=6), n_factors=4, random_state=0)
    model.fit(data)
    losses = [record["loss"] for record in model.history_]
    assert losses[-1] < losses[0]
    assert model.chosen("n_negatives") == 6
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    assert again.loss == SoftmaxLoss(n_negatives=6)
    again.partial_fit(data)
    assert len(again.history_) == len(losses) + 1
