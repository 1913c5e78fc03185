"""The epoch loop against the oracle, gradients against finite differences, and what surrounds the loop."""

from __future__ import annotations

import warnings

import numba
import numpy as np
import oracle
import pytest
from annotation_training import ALL_INPUTS, INPUTS_AND_OPTIMISERS, tables_for, trainer_for
from hypothesis import given, settings
from hypothesis import strategies as st

from vsenumba import AnnotationSet, History, RowAdagrad, Sgd, TimeBudget, TrainingDivergedError, WarpSampler
from vsenumba.errors import InputError, UnknownNameError
from vsenumba.samplers import SAMPLERS
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.layout import BLOCK
from vsenumba.training.callbacks import Callback, as_callback
from vsenumba.training.optimisers import OPTIMISERS, as_optimiser
from vsenumba.training.schedules import scheduled_rate

N_LABELS = 4


def set_with_one_negative_each(missing, n_labels=N_LABELS):
    """Return a set in which image i has every label but ``missing[i]``, or every label where that is None."""
    return AnnotationSet.from_csr([[a != gone for a in range(n_labels)] for gone in missing])


@st.composite
def sets_with_one_negative_each(draw):
    """Many images of few labels, which share blocks, or few of many, which are visited in parts."""
    n_labels, most = draw(st.sampled_from([(N_LABELS, 24), (BLOCK + 9, 3)]))
    missing = draw(st.lists(st.none() | st.integers(0, n_labels - 1), min_size=1, max_size=most))
    return set_with_one_negative_each(missing, n_labels)


@pytest.mark.parametrize(("inputs", "optimiser"), INPUTS_AND_OPTIMISERS, ids=str)
@settings(max_examples=25)
@given(
    data=sets_with_one_negative_each(),
    n_factors=st.integers(1, 5),
    n_negatives=st.integers(1, 2),
    seed=st.integers(0, 99),
)
def test_an_epoch_is_the_oracles(inputs, optimiser, data, n_factors, n_negatives, seed):
    tables = tables_for(inputs, data, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    # It tries all labels in their order, and so finds the one that the image does not have.
    sampler = WarpSampler(search="in order", max_trials=None, margin=1e6)
    trainer, sums = trainer_for(data, tables, inputs, optimiser, sampler=sampler, n_negatives=n_negatives, n_shards=1)
    exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
    order, _ = trainer.plan.visiting_order(1)
    record = trainer.run_epoch(1, lambda done: 0.1)
    lists = [data.indices[data.indptr[i] : data.indptr[i + 1]].tolist() for i in range(data.n_images)]
    expected = oracle.train(
        order, lists, exact, exact_sums, oracle.logistic, inputs=inputs, rate=0.1, l2=0.01,
        adagrad=isinstance(optimiser, RowAdagrad), n_negatives=n_negatives,
    )  # fmt: skip
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert expected["steps"] + expected["skipped"] == n_negatives * data.n_pairs
    assert record["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert record["trials"] == pytest.approx(expected["trials"], rel=1e-12)
    # Two scores can be so near that float32 orders them otherwise.
    assert record["violations"] == pytest.approx(expected["violations"], abs=1.5 / max(expected["steps"], 1))
    assert (record["epoch"], record["refreshes"], record["learning_rate"]) == (1, 0, 0.1)
    assert record["seconds"] == trainer.seconds


# Each combination is compiled for itself.
@pytest.mark.parametrize(
    ("inputs", "loss"), [("ids", "hinge"), ("labels", "hinge"), (("ids", "labels"), "logistic")], ids=str
)
def test_an_update_is_the_gradient_by_finite_differences(inputs, loss):
    data = set_with_one_negative_each([2])
    tables = tables_for(inputs, data, 3, seed=1)
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    rate = 1e-3
    trainer, _ = trainer_for(data, tables, inputs, Sgd(), loss=loss, l2=0.0)
    trainer.run_epoch(1, lambda done: rate)

    def objective(tables):
        total = 0.0
        mine = [0, 1, 3]
        for p in mine:
            v = np.zeros(3)
            if "ids" in inputs:
                v += tables["image_factors"][0]
            if "labels" in inputs:
                v += oracle.image_vector(tables["context_factors"], mine, p)
            total += getattr(oracle, loss)(float(v @ (tables["label_factors"][p] - tables["label_factors"][2])))[0]
        return total

    for name, table in before.items():
        for cell in np.ndindex(table.shape):
            step = np.zeros_like(table)
            step[cell] = 1e-6
            slope = (objective(before | {name: table + step}) - objective(before | {name: table - step})) / 2e-6
            assert (table[cell] - tables[name][cell]) / rate == pytest.approx(slope, rel=0.02, abs=0.01)


def test_an_image_with_more_labels_than_a_block():
    """Its pairs are trained in parts; the label that is left out of the sum is still the pair's own."""
    for inputs in ALL_INPUTS:
        for n_others in (0, 300):
            data = AnnotationSet.from_csr(np.array([[True] * 600 + [False] * n_others]))
            tables = tables_for(inputs, data, 2, seed=0, scale=0.1)
            trainer, _ = trainer_for(data, tables, inputs, RowAdagrad())
            record = trainer.run_epoch(1, lambda done: 0.1)
            # Where it has every label, all of its pairs are skipped, and none is lost.
            assert (record["steps"], record["skipped"]) == ((0, 600) if n_others == 0 else (600, 0))


@pytest.mark.parametrize("inputs", ALL_INPUTS, ids=str)
def test_more_images_than_are_asked_for_ahead(inputs):
    """Rows far down the order are prefetched, up to the last."""
    data = set_with_one_negative_each([i % N_LABELS for i in range(60)])
    trainer, _ = trainer_for(data, tables_for(inputs, data, 3, seed=0), inputs, RowAdagrad(), n_shards=1)
    assert trainer.run_epoch(1, lambda done: 0.1)["steps"] == data.n_pairs


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_trains_and_counts(name):
    rng = np.random.default_rng(0)
    data = AnnotationSet.from_csr(rng.random((30, 12)) < 0.3)
    tables = tables_for("labels", data, 4, seed=0, scale=0.1)
    loss = "warp" if name == "warp" else "logistic"
    trainer, _ = trainer_for(data, tables, "labels", RowAdagrad(), sampler=name, loss=loss)
    records = [trainer.run_epoch(epoch, lambda done: 0.1) for epoch in range(1, 9)]
    assert records[-1]["steps"] + sum(record["skipped"] for record in records) == 8 * data.n_pairs
    assert records[-1]["loss"] < records[0]["loss"]
    assert all(0 <= record["violations"] <= 1 and record["trials"] >= 1 for record in records)
    assert all((record["refreshes"] > 0) == (name == "adaptive") for record in records)


@pytest.mark.parametrize("max_trials", [1, 10])
def test_draws_that_find_nothing_are_draws_in_the_mean_of_trials(max_trials):
    """All trials were divided by the steps taken: 162 "a draw" of 10 at most, and millions where nearly all skip."""
    data = AnnotationSet.from_csr(np.eye(40, 50) + np.eye(40, 50, 1))
    tables = tables_for("ids", data, 2, seed=0, scale=0.0)
    sampler = WarpSampler(max_trials=max_trials, margin=0.0)  # all scores are 0: no label is above the margin
    trainer, _ = trainer_for(data, tables, "ids", Sgd(), sampler=sampler, loss="warp")
    record = trainer.run_epoch(1, lambda done: 0.0)
    assert (record["steps"], record["skipped"]) == (0, data.n_pairs)
    assert (record["trials"], record["loss"], record["violations"]) == (max_trials, 0, 0)


def test_pairs_without_a_vector_are_no_draws():
    data = AnnotationSet.from_csr(np.eye(30, 40) + np.eye(30, 40, 1) * (np.arange(30) < 3)[:, None])
    trainer, _ = trainer_for(data, tables_for("labels", data, 2, seed=0), "labels", Sgd())
    record = trainer.run_epoch(1, lambda done: 0.0)
    assert (record["steps"], record["skipped"]) == (6, 27)
    assert 1 <= record["trials"] < 2


def test_the_adaptive_sampler_is_refreshed_after_so_many_draws():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((200, 10)) < 0.3)
    tables = tables_for("ids", data, 3, seed=0)
    interval = 24
    sampler = SAMPLERS["adaptive"](refresh_every=interval)
    trainer, _ = trainer_for(data, tables, "ids", RowAdagrad(), sampler=sampler)
    record = trainer.run_epoch(1, lambda done: 0.1)
    # Launches end with whole images, so an interval is exceeded by less than one image's labels.
    assert data.n_pairs / (interval + 10) <= record["refreshes"] <= data.n_pairs / interval + 1


@pytest.mark.parametrize("inputs", ["ids", "labels"])
def test_the_draws_do_not_depend_on_the_number_of_threads(inputs):
    """With a learning rate of 0 nothing moves, so that all that could differ is the draws."""
    # Enough for a second thread to get work; without the compiler there are no threads.
    n_images = 300 if numba.config.DISABLE_JIT else 9000
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((n_images, 8)) < 0.3)
    records = []
    for n_threads in (1, 2):
        tables = tables_for(inputs, data, 2, seed=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a machine may have one core
            trainer, _ = trainer_for(data, tables, inputs, Sgd(), sampler="adaptive", l2=0.0, n_threads=n_threads)
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({name: value for name, value in record.items() if name != "seconds"})
    assert records[0]["loss"] == pytest.approx(records[1].pop("loss"), rel=1e-12)
    del records[0]["loss"]
    assert records[0] == records[1]


def test_divergence_names_epoch_rate_and_table():
    data = set_with_one_negative_each([0, 1, 2, 3])
    tables = tables_for("ids", data, 3, seed=0)
    tables["image_factors"][1, 2] = np.inf
    trainer, _ = trainer_for(data, tables, "ids", Sgd())
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError) as caught:
        trainer.run_epoch(7, lambda done: 0.5)
    assert (caught.value.epoch, caught.value.learning_rate) == (7, 0.5)
    assert "after epoch 7 at learning rate 0.5" in str(caught.value)


def test_schedules():
    assert [scheduled_rate("constant", 0.2, e, 4) for e in range(4)] == [0.2] * 4
    assert [scheduled_rate("linear", 0.2, e, 4) for e in range(4)] == pytest.approx([0.2, 0.15, 0.1, 0.05])
    assert [scheduled_rate("cosine", 0.2, e, 2) for e in range(2)] == pytest.approx([0.2, 0.1])
    with pytest.raises(UnknownNameError, match="unknown schedule 'linaer'; did you mean 'linear'"):
        scheduled_rate("linaer", 0.2, 0, 4)


def test_members_by_name():
    assert as_optimiser("sgd") == Sgd()
    assert as_optimiser("adagrad") == RowAdagrad()
    assert set(OPTIMISERS) == {"adagrad", "sgd"}
    with pytest.raises(UnknownNameError, match="unknown inputs 'label'; did you mean 'labels'"):
        as_inputs("label")
    with pytest.raises(InputError, match="initial must be positive"):
        RowAdagrad(initial=0)


def test_history_columns_and_records():
    history = History()
    history.append({"epoch": 1, "loss": 0.5})
    history.append({"epoch": 2, "loss": 0.25, "mrr": 0.1})
    assert history.columns == ["epoch", "loss", "mrr"]
    assert np.array_equal(history["mrr"], [np.nan, 0.1], equal_nan=True)
    assert History.from_columns(history.to_columns()) == history
    assert [record["epoch"] for record in history] == [1, 2]
    with pytest.raises(KeyError):
        history["recall"]


def test_callbacks_are_checked():
    assert isinstance(as_callback(lambda model, record: None), Callback)
    with pytest.raises(InputError, match="a callback must be"):
        as_callback(3)
    with pytest.raises(InputError, match="time budget must be above 0"):
        TimeBudget(0)
