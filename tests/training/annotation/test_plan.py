"""The order in which an epoch visits the images: all that have labels, each once, in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from vsenumba import AnnotationSet, ImageAnnotator
from vsenumba.losses import LogisticLoss
from vsenumba.samplers import UniformSampler
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.plan import Plan
from vsenumba.training.annotation.task import Task
from vsenumba.training.optimisers import RowAdagrad


def plan_for(counts, n_negatives=1, sampler=None):
    indptr = np.concatenate(([0], np.cumsum(counts)))
    n_labels = int(np.max(counts)) + 1
    indices = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
    task = Task(
        data=AnnotationSet(indptr, indices, n_labels), inputs=as_inputs("labels"), sampler=sampler or UniformSampler(),
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


class EveryNow(UniformSampler):
    """A sampler that asks to be refreshed after so many draws."""

    def refresh_interval(self, n_labels, epoch):
        return 5 * epoch


def test_launches_cover_the_order_and_say_when_to_refresh(monkeypatch):
    monkeypatch.setattr("vsenumba.training.annotation.plan._DRAWS_PER_LAUNCH", 3)
    counts = np.array([2, 0, 1, 3, 0, 0, 1, 4, 1, 2, 2])
    for sampler, epoch in ((UniformSampler(), 1), (EveryNow(), 1), (EveryNow(), 2)):
        plan = plan_for(counts, sampler=sampler)
        order, _ = plan.visiting_order(epoch)
        launches = list(plan.launches(epoch))
        assert np.concatenate([launch.order for launch in launches]).tolist() == order.tolist()
        draws = [int(counts[launch.order].sum()) for launch in launches]
        assert [launch.done for launch in launches] == pytest.approx((np.cumsum(draws) / counts.sum()).tolist())
        # Whole images, at least one: a launch exceeds its budget by less than an image.
        assert all(n < 3 + counts.max() for n in draws)
        interval, since = sampler.refresh_interval(4, epoch), 0
        for i, (launch, n) in enumerate(zip(launches, draws, strict=True)):
            due = i == 0 or (interval is not None and since >= interval)
            assert launch.refresh == due
            since = n if due else since + n
            assert launch.bounds[0] == 0
            assert launch.bounds[-1] == len(launch.order)
            assert (np.diff(launch.bounds) >= 0).all()


def test_a_set_without_pairs_has_no_launch():
    assert list(plan_for(np.array([0, 0])).launches(1)) == []


def test_an_epoch_of_several_launches_trains_on_every_pair(monkeypatch):
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((40, 8)) < 0.4)
    records = []
    for budget in (10**6, 7):
        monkeypatch.setattr("vsenumba.training.annotation.plan._DRAWS_PER_LAUNCH", budget)
        model = ImageAnnotator(n_factors=4, n_epochs=1, sampler="uniform", random_state=0).fit(data)
        records.append(model.history_[0])
    assert [record["steps"] + record["skipped"] for record in records] == [data.n_pairs] * 2
    assert [record["refreshes"] for record in records] == [0, 0]
