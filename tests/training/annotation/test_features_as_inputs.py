"""Features as an input: the network's gradients, the dropping of parts, launches, and what is drawn when."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import vsenumba as vse
from vsenumba.errors import InputError
from vsenumba.losses import LogisticLoss
from vsenumba.samplers import UniformSampler
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import FeatureInputs, as_inputs, features
from vsenumba.training.annotation.inputs.kind import Sizes
from vsenumba.training.annotation.network import backward, forward, measured, standardised
from vsenumba.training.annotation.plan import Plan
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.optimisers import RowAdagrad


def layers(rng, n_features=3, n_hidden=5, n_factors=2):
    return {
        "feature_weights": rng.normal(size=(n_features + 1, n_hidden)).astype(np.float32),
        "feature_projection": rng.normal(size=(n_hidden + 1, n_factors)).astype(np.float32),
    }


def test_vectors_and_gradients_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    tables, batch = layers(rng), rng.normal(size=(4, 3)).astype(np.float32)
    towards = rng.normal(size=(4, 2)).astype(np.float32)

    def vectors(tables):
        w, u = (tables[name].astype(np.float64) for name in ("feature_weights", "feature_projection"))
        return np.maximum(batch @ w[:-1] + w[-1], 0) @ u[:-1] + u[-1]

    found, hidden = forward(batch, tables, np.matmul)
    assert found == pytest.approx(vectors(tables), rel=1e-5)
    gradients = backward(batch, hidden, towards, tables)
    for name, table in tables.items():
        for cell in np.ndindex(table.shape):
            step = np.zeros(table.shape)
            step[cell] = 1e-6
            up, down = (float((vectors(tables | {name: table + sign * step}) * towards).sum()) for sign in (1, -1))
            assert gradients[name][cell] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-4), (name, cell)


@pytest.mark.parametrize("sparse", [False, True])
def test_standardised_features_have_a_mean_of_0_and_together_a_spread_of_1(sparse):
    numbers = np.random.default_rng(0).integers(0, 9, (50, 4)).astype(np.float32)
    kept = sp.csr_array(numbers) if sparse else numbers
    tables = measured(kept, np.arange(50))
    result = standardised(kept[:50], tables)
    assert result.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert np.sqrt(result.var(axis=0).mean()) == pytest.approx(1, rel=1e-5)


def test_features_that_are_the_same_for_all_are_refused():
    with pytest.raises(InputError, match="features of all 4 images with labels are the same"):
        measured(np.ones((4, 2), np.float32), np.arange(4))
    with pytest.warns(UserWarning, match="2 of 3 features are the same for all images"):
        measured(np.array([[1, 1, 0], [1, 1, 3]], np.float32), np.arange(2))
    assert measured(np.ones((1, 2), np.float32), np.arange(1))["feature_spread"].tolist() == [1, 1]


def pictures(n_images=6, n_labels=5, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.random((n_images, n_labels)) < 0.5
    matrix[:, 0], matrix[:, -1] = True, False
    return vse.AnnotationSet.from_csr(matrix, features=rng.normal(size=(n_images, n_features)).astype(np.float32))


def trainer_for(data, inputs, n_threads=1, seed=3, n_shards=32):
    inputs = as_inputs(inputs)
    sizes = Sizes(*data.shape, 2, data.n_features)
    rng = np.random.default_rng(0)
    tables = {
        name: (0.3 * rng.normal(size=(one.n_rows, one.n_columns))).astype(np.float32)
        for name, one in inputs.tables(sizes).items()
    } | inputs.measure(data)
    sums = {name: one.fresh_memory(RowAdagrad()) for name, one in inputs.tables(sizes).items()}
    task = Task(
        data=data, inputs=inputs, sampler=UniformSampler(), loss=LogisticLoss(), optimiser=RowAdagrad(), l2=0.0,
        n_negatives=1, n_shards=n_shards,
    )  # fmt: skip
    trainer = AnnotationTrainer(task, HostDevice(task, n_threads), tables, sums, np.random.SeedSequence(seed))
    return trainer, tables, sums


def test_the_first_step_of_the_layers_goes_against_their_gradient(monkeypatch):
    monkeypatch.setattr(features, "_DROPPED", 0.0)
    monkeypatch.setattr(features, "_HIDDEN", 4)
    monkeypatch.setattr(features, "DECAY", 0.0)
    data = vse.AnnotationSet.from_csr([[True, True, False]], features=np.array([[1.0, -0.5]], np.float32))
    trainer, tables, sums = trainer_for(data, "features")
    tables["feature_mean"][:] = 0
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    trainer.run_epoch(1, lambda done: 1e-4)

    def objective(tables):
        w, u = tables["feature_weights"], tables["feature_projection"]
        x = np.array([1.0, -0.5]) / tables["feature_spread"]
        v = np.maximum(x @ w[:-1] + w[-1], 0) @ u[:-1] + u[-1]
        labels = before["label_factors"]
        return sum(np.log1p(np.exp(-float(v @ (labels[p] - labels[2])))) for p in (0, 1))

    for name in ("feature_weights", "feature_projection"):
        for cell in np.ndindex(before[name].shape):
            step = np.zeros(before[name].shape)
            step[cell] = 1e-5
            up, down = (objective(before | {name: before[name] + sign * step}) for sign in (1, -1))
            gradient = (up - down) / 2e-5
            # Adam's first step is as long for every weight that has a gradient.
            expected = -0.02 * 1e-4 * np.sign(gradient) if abs(gradient) > 1e-6 else 0
            assert tables[name][cell] - before[name][cell] == pytest.approx(expected, abs=2e-7), (name, cell)
        assert sums[name][-1] == 1


def test_parts_are_dropped_as_often_as_they_say():
    parts = as_inputs(("labels", "features")).drawn_parts(20_000, np.random.default_rng(0))
    shares = {int(bits): float((parts == bits).mean()) for bits in np.unique(parts)}
    alone, left_out = FeatureInputs.alone, FeatureInputs.left_out
    assert shares == pytest.approx({1: left_out, 2: alone, 3: 1 - alone - left_out}, abs=0.02)
    for inputs in ("features", ("labels", "ids")):
        assert len(as_inputs(inputs).drawn_parts(5, np.random.default_rng(0))) == 0


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_part_that_is_dropped_neither_stands_for_the_image_nor_moves(kept, monkeypatch):
    data = pictures()
    trainer, tables, _ = trainer_for(data, ("labels", "features"))
    monkeypatch.setattr(type(trainer.plan._task.inputs), "drawn_parts", lambda self, n, rng: np.full(n, kept, np.uint8))
    before = {name: table.copy() for name, table in tables.items()}
    trainer.run_epoch(1, lambda done: 0.1)
    moved = {name: not np.array_equal(table, before[name]) for name, table in tables.items()}
    assert moved["label_factors"]
    assert moved["context_factors"] == bool(kept & 1)
    # Weight decay alone shrinks a projection: what matters is that no gradient came.
    gradients = trainer._device._feeds[1].state.gradients
    assert gradients.any() == bool(kept & 2)


def test_launches_are_short_and_runs_stay_together(monkeypatch):
    monkeypatch.setattr(FeatureInputs, "images_per_launch", 4)
    data = pictures(n_images=30)
    trainer, *_ = trainer_for(data, "features")
    lengths = [len(launch.order) for launch in trainer.plan.launches(1)]
    assert max(lengths) == 4
    assert sum(lengths) == 30
    monkeypatch.setattr(FeatureInputs, "rows_together", lambda self, data: 5)
    order, ends = Plan(trainer.plan._task, np.random.SeedSequence(0)).visiting_order(1)
    assert sorted(order.tolist()) == list(range(30))
    assert all((np.diff(run) == 1).all() for run in order.reshape(6, 5))
    assert ends[-1] == data.n_pairs


def test_many_images_of_a_shard_are_trained_as_those_of_several():
    """Their labels are asked for ahead of time."""
    data = pictures(n_images=60)
    steps = [trainer_for(data, "features", n_shards=n)[0].run_epoch(1, lambda done: 0.01)["steps"] for n in (1, 32)]
    assert steps[0] == steps[1] == data.n_pairs
