"""The order in which an epoch visits the images: all that have labels, each once, in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from vsenumba.data import AnnotationSet
from vsenumba.losses import LogisticLoss
from vsenumba.samplers import UniformSampler
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.plan import Plan
from vsenumba.training.annotation.task import Task
from vsenumba.training.optimisers import RowAdagrad


def plan_for(counts, n_negatives=1):
    indptr = np.concatenate(([0], np.cumsum(counts)))
    n_labels = int(np.max(counts)) + 1
    indices = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
    task = Task(
        data=AnnotationSet(indptr, indices, n_labels), inputs=as_inputs("labels"), sampler=UniformSampler(),
        loss=LogisticLoss(), optimiser=RowAdagrad(), l2=0.0, n_negatives=n_negatives,
    )  # fmt: skip
    return Plan(task, np.random.SeedSequence(0))


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_every_image_with_labels_once(monkeypatch, at_once):
    monkeypatch.setattr("vsenumba.training.annotation.plan._IMAGES_AT_ONCE", at_once)
    counts = np.array([2, 0, 1, 3, 0, 0, 1, 4, 1])
    plan = plan_for(counts, n_negatives=2)
    orders = []
    for epoch in (1, 2):
        order, ends = plan.visiting_order(epoch)
        assert sorted(order) == np.flatnonzero(counts).tolist()
        np.testing.assert_array_equal(ends, np.cumsum(2 * counts[order]))
        orders.append(order.tolist())
    assert orders[0] != orders[1]
    assert plan.visiting_order(1)[0].tolist() == orders[0]


def test_takes_little_memory():
    n_images = 400_000
    plan = plan_for(np.ones(n_images, dtype=np.int64))
    tracemalloc.start()
    try:
        plan.visiting_order(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The order, what it is made from (or the ends), a mask, and a block of temporaries.
    assert peak < n_images * (4 + 8 + 1) + 3_000_000
