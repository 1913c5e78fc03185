"""Training with all labels as negatives at once: the loop against the oracle, and what becomes of odd images."""

from __future__ import annotations

import numpy as np
import oracle_softmax
import pytest
from annotation_training import SOME_INPUTS_AND_OPTIMISERS, small_sets, tables_for, trainer_for
from hypothesis import given, settings
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba import AnnotationSet, InputError, RowAdagrad, Sgd


@pytest.mark.parametrize(("inputs", "optimiser"), SOME_INPUTS_AND_OPTIMISERS, ids=str)
@settings(max_examples=25)
@given(data=small_sets(), n_factors=st.integers(1, 5), seed=st.integers(0, 99))
def test_an_epoch_is_the_oracles(inputs, optimiser, data, n_factors, seed):
    tables = tables_for(inputs, data, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    trainer, sums = trainer_for(data, tables, inputs, optimiser, loss="softmax", n_shards=1)
    exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
    order, _ = trainer.plan.visiting_order(1)
    record = trainer.run_epoch(1, lambda done: 0.1)
    lists = [data.indices[data.indptr[i] : data.indptr[i + 1]].tolist() for i in range(data.n_images)]
    expected = oracle_softmax.train_by_softmax(
        order, lists, exact, exact_sums, inputs=inputs, rate=0.1, l2=0.01, adagrad=isinstance(optimiser, RowAdagrad)
    )
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert record["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert record["trials"] == pytest.approx(expected["trials"], rel=1e-12)
    # Two scores can be so near that float32 orders them otherwise.
    assert record["violations"] == pytest.approx(expected["violations"], abs=1.5 / max(expected["steps"], 1))


def test_an_update_is_the_gradient_of_the_cross_entropy():
    """By finite differences of the definition, -ln(e^p / (e^p + sum of e^n))."""
    data = AnnotationSet.from_csr([[True, True, False, True, False]])
    tables = tables_for("ids", data, 3, seed=1)
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    rate = 1e-3
    trainer, _ = trainer_for(data, tables, "ids", Sgd(), loss="softmax", l2=0.0)
    trainer.run_epoch(1, lambda done: rate)

    def cross_entropy(tables):
        powers = np.exp(tables["label_factors"] @ tables["image_factors"][0])
        return -sum(np.log(powers[p] / (powers[p] + powers[2] + powers[4])) for p in (0, 1, 3))

    for name, table in before.items():
        for cell in np.ndindex(table.shape):
            step = np.zeros_like(table)
            step[cell] = 1e-6
            slope = (cross_entropy(before | {name: table + step}) - cross_entropy(before | {name: table - step})) / 2e-6
            assert (table[cell] - tables[name][cell]) / rate == pytest.approx(slope, rel=0.02, abs=0.01)


@pytest.mark.parametrize("scale", [30.0, 3000.0])
def test_scores_of_any_size_stay_finite(scale):
    """The largest score is taken out before powers are: e^89 is more than float32 holds."""
    data = AnnotationSet.from_csr(np.eye(6, 8, dtype=bool) + np.eye(6, 8, 1, dtype=bool))
    tables = tables_for("ids", data, 4, seed=0, scale=scale)
    trainer, _ = trainer_for(data, tables, "ids", Sgd(), loss="softmax", l2=0.0)
    record = trainer.run_epoch(1, lambda done: 1e-6)
    assert np.isfinite(record["loss"])
    assert record["steps"] == data.n_pairs


def test_an_image_that_has_every_label_teaches_nothing():
    data = AnnotationSet.from_csr(np.ones((3, 4), dtype=bool))
    tables = tables_for("ids", data, 3, seed=0)
    trainer, _ = trainer_for(data, tables, "ids", RowAdagrad(), loss="softmax")
    before = {name: table.copy() for name, table in tables.items()}
    record = trainer.run_epoch(1, lambda done: 0.1)
    assert (record["steps"], record["skipped"], record["loss"]) == (0, 12, 0)
    for name in tables:
        np.testing.assert_array_equal(tables[name], before[name])


@pytest.mark.parametrize("chosen", [{"sampler": "uniform"}, {"n_negatives": 3}], ids=str)
def test_what_draws_is_refused_beside_a_loss_that_does_not(chosen):
    model = vse.ImageAnnotator(loss="softmax", **chosen)
    with pytest.raises(InputError, match="leave out sampler and n_negatives"):
        model.fit(vse.synthetic(20, 8, 60, rng=0))


def test_features_weigh_all_labels_unless_something_that_draws_is_chosen():
    def loss(n_labels=50, **chosen):
        model = vse.ImageAnnotator(**{"inputs": "features"} | chosen)
        model._remember(AnnotationSet.from_csr(np.ones((1, n_labels), bool)))
        return model.member("loss").name

    assert (
        loss() == loss(4096) == loss(inputs=("features", "labels")) == loss(inputs=("labels", "features")) == "softmax"
    )
    assert loss(4097) == loss(sampler="uniform") == loss(n_negatives=1) == loss(inputs="labels") == "logistic"
    assert loss(loss="hinge") == "hinge"


def test_the_weight_decay_of_features_alone_is_not_that_of_a_sum():
    assert vse.ImageAnnotator(inputs="features").chosen("l2") == 0.2
    assert vse.ImageAnnotator(inputs="features", sampler="uniform").chosen("l2") == 0.001
    for inputs in (("features", "labels"), ("labels", "features")):
        assert vse.ImageAnnotator(inputs=inputs).chosen("l2") == 0.001
    assert vse.ImageAnnotator(inputs=("ids", "labels"), loss="hinge").chosen("l2") == 0.02
