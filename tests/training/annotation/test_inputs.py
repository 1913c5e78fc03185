"""The seam for inputs: a kind from outside the package, by itself and in sums; what is refused."""

from __future__ import annotations

import numba
import numpy as np
import oracle
import pytest
from projected_inputs import ProjectedInputs

import vsenumba as vse
from vsenumba.losses import LogisticLoss
from vsenumba.samplers import UniformSampler
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import IdInputs, Inputs, LabelInputs, as_inputs
from vsenumba.training.annotation.inputs.kind import Sizes
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.optimisers import Sgd

RATE = 1e-3


def pictures(n_images=1):
    """Return images with three numbers each, that have every label but the last."""
    features = np.random.default_rng(4).normal(size=(n_images, 3)).astype(np.float32)
    matrix = np.array([[True, True, True, False]] * n_images)
    return vse.AnnotationSet.from_csr(matrix, features=features)


# Each is compiled for itself; the last has all that the others have.
@pytest.mark.parametrize(
    "parts",
    [(ProjectedInputs(),), (LabelInputs(), ProjectedInputs()), (IdInputs(), ProjectedInputs(), LabelInputs())][
        0 if numba.config.DISABLE_JIT else -1 :
    ],
)
def test_what_is_computed_for_a_launch_at_once_gets_its_gradient_back(parts):
    data, inputs = pictures(), Inputs(parts)
    rng = np.random.default_rng(0)
    wanted = inputs.tables(Sizes(*data.shape, n_factors=2))
    tables = {name: rng.normal(size=(one.n_rows, 2)).astype(np.float32) for name, one in wanted.items()}
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    task = Task(
        data=data, inputs=inputs, sampler=UniformSampler(), loss=LogisticLoss(), optimiser=Sgd(), l2=0.0, n_negatives=1
    )
    sums = {name: np.zeros(0, np.float32) for name in tables}
    AnnotationTrainer(task, HostDevice(task, 1), tables, sums, np.random.SeedSequence(0)).run_epoch(1, lambda _: RATE)

    def objective(tables):
        total = 0.0
        for p in range(3):
            v = data.features[0] @ tables["projection"]
            if "image_factors" in tables:
                v = v + tables["image_factors"][0]
            if "context_factors" in tables:
                v = v + oracle.image_vector(tables["context_factors"], [0, 1, 2], p)
            total += oracle.logistic(float(v @ (tables["label_factors"][p] - tables["label_factors"][3])))[0]
        return total

    for name, table in before.items():
        for cell in np.ndindex(table.shape):
            step = np.zeros_like(table)
            step[cell] = 1e-6
            gradient = (objective(before | {name: table + step}) - objective(before | {name: table - step})) / 2e-6
            assert (table[cell] - tables[name][cell]) / RATE == pytest.approx(gradient, rel=0.02, abs=0.01), name


def test_the_vectors_of_a_sum_are_added_up():
    train = vse.AnnotationSet.from_lists([["a", "b"], ["b", "c"], ["a", "c", "d"]], ["x", "y", "z"])
    model = vse.ImageAnnotator(inputs=("labels", "ids"), n_factors=3, n_epochs=2, sampler="uniform", random_state=0)
    model.fit(train)
    rows = np.arange(3)
    parts = [as_inputs(name).vectors(model.tables_, rows, train, rows) for name in model.inputs]
    assert model.embed(train) == pytest.approx(parts[0] + parts[1])
    # An image that is new is known by its labels, and one without labels by its row.
    new = vse.AnnotationSet.from_csr(np.array([[1, 1, 0, 0], [0, 0, 0, 0]]), ["w", "x"], train.label_names)
    assert model.embed(new)[0] == pytest.approx(
        as_inputs("labels").vectors(model.tables_, -np.ones(1, int), new, np.zeros(1, int))[0]
    )
    assert model.embed(new)[1] == pytest.approx(model.image_factors_[0])
    assert model.fold_in([["a", "b"]])[0] == pytest.approx(model.embed(new)[0])


def test_one_name_in_a_tuple_is_the_name():
    train = vse.AnnotationSet.from_lists([["a", "b"], ["b", "c"], ["a", "c", "d"]])
    settings = {"n_factors": 3, "n_epochs": 2, "sampler": "uniform", "random_state": 0, "deterministic": True}
    factors = [vse.ImageAnnotator(inputs=inputs, **settings).fit(train).label_factors_ for inputs in ("ids", ("ids",))]
    assert np.array_equal(*factors)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "inputs must be one to 3 different names"),
        (None, "inputs must be a name, or several names such as"),
        (("ids", "ids"), "inputs must be one to 3 different names"),
        (("labels", "pixels"), "unknown inputs 'pixels'"),
        (("labels", 3), "inputs must be a name or an instance of InputKind, not 3"),
    ],
)
def test_bad_inputs_are_refused(inputs, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        vse.ImageAnnotator(inputs=inputs).fit(vse.AnnotationSet.from_lists([["a", "b"], ["b", "c"]]))
