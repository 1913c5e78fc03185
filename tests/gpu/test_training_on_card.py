"""Annotation's training on a card against the oracle, and against the processor; simulated where there is no card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple
from unittest import mock

import numpy as np
import oracle
import pytest
from annotation_training import ALL_INPUTS, tables_for
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_groups import ByPairs, BySoftmax, train_by_groups
from oracle_softmax import Drawn, all_lacking

from vsenumba import (
    AdaptiveSampler,
    AnnotationSet,
    ImageAnnotator,
    RowAdagrad,
    Sgd,
    WarpSampler,
    load_model,
)
from vsenumba.gpu import device as device_module
from vsenumba.gpu import layout as layout_module
from vsenumba.gpu.device import CudaDevice
from vsenumba.gpu.group import LANES
from vsenumba.gpu.inputs import add_base, move_inputs, shared_rate
from vsenumba.gpu.layout import ROOM_ROWS, blocks_for, groups_per_block
from vsenumba.gpu.sampling import candidate, draw_by_group, falling_key
from vsenumba.gpu.words import close_window, open_window
from vsenumba.kernels.membership import contains
from vsenumba.losses import SoftmaxLoss, as_loss
from vsenumba.samplers import SAMPLERS, Sampler, as_sampler, trial_probability
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import FeatureInputs, as_inputs
from vsenumba.training.annotation.layout import BLOCK
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer

pytestmark = pytest.mark.on_card

# It tries all labels in their order, and so finds the first that the image does not have.
FIRST = WarpSampler(search="in order", max_trials=None, margin=1e6)


def trainer_on(device, data, tables, inputs, optimiser, *, sampler=FIRST, loss="logistic", **arguments):
    sums = {name: optimiser.fresh_sums(len(table)) for name, table in tables.items()}
    task = Task(
        data=data, inputs=as_inputs(inputs), sampler=as_sampler(sampler), loss=as_loss(loss), optimiser=optimiser,
        **{"l2": 0.01, "n_negatives": 1} | arguments,
    )  # fmt: skip
    return AnnotationTrainer(task, device(task, 1), tables, sums, np.random.SeedSequence(3)), sums


def lists_of(data):
    return [data.indices[data.indptr[i] : data.indptr[i + 1]].tolist() for i in range(data.n_images)]


def order_of_visits(trainer, n_groups):
    """Return the images in the order in which groups that work one after another visit them."""
    order, _ = trainer.plan.visiting_order(1)
    return [image for group in range(n_groups) for image in order[group::n_groups]]


@st.composite
def few_images(draw):
    """Some images of few labels, or one of more than are visited at once; with one label, and with all."""
    n_labels, most = draw(st.sampled_from([(5, 7), (BLOCK + 3, 1)]))
    seed, n_images = draw(st.integers(0, 999)), draw(st.integers(1, most))
    rng = np.random.default_rng(seed)
    return AnnotationSet.from_csr(rng.random((n_images, n_labels)) < rng.choice([0.2, 0.6, 1.0], (n_images, 1)))


def check_epoch(data, inputs, optimiser, n_factors, seed, steps, n_groups=2, **arguments):
    tables = tables_for(inputs, data, n_factors, seed)
    exact = {name: table.astype(np.float64) for name, table in tables.items()}
    with mock.patch.object(device_module, "_MOST_GROUPS", n_groups):
        trainer, sums = trainer_on(CudaDevice, data, tables, inputs, optimiser, **arguments)
        exact_sums = {name: memory.astype(np.float64) for name, memory in sums.items()}
        record = trainer.run_epoch(1, lambda done: 0.1)
    expected = train_by_groups(
        order_of_visits(trainer, n_groups), lists_of(data), exact, exact_sums, steps, inputs=inputs, rate=0.1, l2=0.01,
        adagrad=isinstance(optimiser, RowAdagrad),
    )  # fmt: skip
    for name in tables:
        assert tables[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-4)
        assert sums[name] == pytest.approx(exact_sums[name], rel=1e-3)
    assert (record["steps"], record["skipped"]) == (expected["steps"], expected["skipped"])
    assert record["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    if (
        not isinstance(steps, BySoftmax) or steps.negatives is all_lacking
    ):  # of drawn labels the oracle counts otherwise
        assert record["trials"] == pytest.approx(expected["trials"], rel=1e-12)
    assert record["violations"] == pytest.approx(expected["violations"], abs=1.5 / max(expected["steps"], 1))


@pytest.mark.parametrize("optimiser", [RowAdagrad(initial=0.1), Sgd()])
@pytest.mark.parametrize("inputs", ALL_INPUTS, ids=str)
@settings(max_examples=5)
@given(
    data=few_images(),
    n_factors=st.integers(1, 5),
    n_negatives=st.integers(1, 2),
    n_groups=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_an_epoch_is_the_oracles(inputs, optimiser, data, n_factors, n_negatives, n_groups, seed):
    steps = ByPairs(oracle.logistic, n_negatives)
    check_epoch(data, inputs, optimiser, n_factors, seed, steps, n_groups, n_negatives=n_negatives)


@pytest.mark.parametrize(("loss", "of_oracle"), [("hinge", oracle.hinge), ("warp", None)])
def test_losses_are_the_oracles(loss, of_oracle):
    data = AnnotationSet.from_csr(np.random.default_rng(1).random((6, 5)) < 0.5)
    if of_oracle is None:  # the trials are those of the first label that is lacking: here always as many
        data = AnnotationSet.from_csr(np.tile([True, True, False, False, True], (4, 1)))
        of_oracle = lambda difference: oracle.warp(difference, 3, 5)  # noqa: E731
    check_epoch(data, "ids", Sgd(), 3, 0, ByPairs(of_oracle), loss=loss)


@pytest.mark.parametrize("inputs", ALL_INPUTS, ids=str)
@settings(max_examples=5)
@given(data=few_images(), n_factors=st.integers(1, 5), seed=st.integers(0, 99))
def test_softmax_of_all_labels_is_the_oracles(inputs, data, n_factors, seed):
    check_epoch(data, inputs, RowAdagrad(), n_factors, seed, BySoftmax(), sampler="uniform", loss="softmax")


class TurnsState(NamedTuple):
    """How far each lane has come, and the law that is told."""

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
        weights = 1.0 + np.arange(len(label_counts)) % 3
        return TurnsState(np.zeros(LANES, np.int64), weights / weights.sum())

    def _weights(self, image_factors, label_factors, own, label_counts):
        raise NotImplementedError


@draw_by_group.implement(TurnsState)
def _draw(sampler, states, group, room, labels, indices, begin, end, positive):
    for trial in range(sampler.told.shape[0]):
        label = sampler.positions[room.lane] % sampler.told.shape[0]
        sampler.positions[room.lane] += 1
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.told.shape[0]


@trial_probability.implement(TurnsState)
def _trial_probability(sampler, image, label):
    return sampler.told[label]


@pytest.mark.parametrize("inputs", ALL_INPUTS, ids=str)
@settings(max_examples=5)
@given(data=few_images(), n_factors=st.integers(1, 5), n=st.integers(1, 6), seed=st.integers(0, 99))
def test_softmax_of_drawn_labels_is_the_oracles(inputs, data, n_factors, n, seed):
    law = TurnsSampler().state(np.ones(data.n_labels), n_factors, 1).told
    check_epoch(
        data, inputs, RowAdagrad(), n_factors, seed, BySoftmax(Drawn(law, n)), 1, sampler=TurnsSampler(),
        loss=SoftmaxLoss(n_negatives=n),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "inputs"),
    [(name, "ids") for name in SAMPLERS]
    + [("uniform", "labels"), ("adaptive", ("labels", "ids")), (AdaptiveSampler(n_candidates=3), "ids")],
    ids=str,
)
def test_the_very_same_negatives_are_drawn_as_on_the_processor(name, inputs):
    """Nothing moves at a rate of 0, and of such factors products are exact, whatever the order of their sum."""
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((7, 9)) < 0.4)
    records = []
    for device in (HostDevice, CudaDevice):
        tables = tables_for(inputs, data, 5, 0)
        tables = {key: np.round(8 * table) / 8 for key, table in tables.items()}
        trainer, _ = trainer_on(device, data, tables, inputs, Sgd(), sampler=name, l2=0.0, n_negatives=2)
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({key: record[key] for key in ("steps", "skipped", "trials", "violations", "loss")})
    assert records[1] == pytest.approx(records[0], rel=1e-6)
    assert records[0]["steps"] > 10


def test_absences_are_drawn_as_on_the_processor():
    rng = np.random.default_rng(0)
    data = AnnotationSet.from_csr(rng.random((8, 9)) < 0.3)
    absent = AnnotationSet.from_csr((rng.random((8, 9)) < 0.5) & ~(data.to_csr().toarray() > 0))
    data = data.with_absent(absent)
    records = []
    for device in (HostDevice, CudaDevice):
        tables = tables_for("ids", data, 4, 0)
        trainer, _ = trainer_on(device, data, tables, "ids", Sgd(), sampler="uniform", l2=0.0, absent_share=0.5)
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({key: record[key] for key in ("steps", "skipped", "trials", "violations", "loss")})
    assert records[1] == pytest.approx(records[0], rel=1e-6)


@pytest.mark.parametrize("name", ["adaptive", "rank", "dynamic"])
def test_an_image_with_every_label_is_given_up_as_on_the_processor(name):
    data = AnnotationSet.from_csr(np.ones((1, 2)))
    records = []
    for device in (HostDevice, CudaDevice):
        trainer, _ = trainer_on(device, data, tables_for("ids", data, 2, 0), "ids", Sgd(), sampler=name)
        records.append(trainer.run_epoch(1, lambda done: 0.1))
    assert [record["skipped"] for record in records] == [2, 2]
    assert records[0]["trials"] == records[1]["trials"]


def test_drawn_softmax_by_the_adaptive_sampler_counts_as_on_the_processor():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((5, 7)) < 0.4)
    records = []
    for device in (HostDevice, CudaDevice):
        tables = {name: np.round(8 * table) / 8 for name, table in tables_for("ids", data, 3, 0).items()}
        trainer, _ = trainer_on(
            device, data, tables, "ids", Sgd(), sampler="adaptive", loss=SoftmaxLoss(n_negatives=3), l2=0.0
        )
        record = trainer.run_epoch(1, lambda done: 0.0)
        records.append({key: record[key] for key in ("steps", "skipped", "trials", "violations", "loss")})
    assert records[1] == pytest.approx(records[0], rel=1e-5)


def test_a_sum_of_three_inputs_trains_and_parts_of_it_stand_alone():
    rng = np.random.default_rng(0)
    data = AnnotationSet.from_csr(rng.random((40, 5)) < 0.5, features=rng.random((40, 3)))
    model = ImageAnnotator(
        ("features", "labels", "ids"), n_factors=2, n_epochs=1, loss="logistic", sampler="uniform", max_neighbours=0,
        device="cuda", random_state=0,
    ).fit(data)  # fmt: skip
    expected = ImageAnnotator(**model.get_params(deep=False) | {"device": "cpu", "n_threads": 1}).fit(data)
    assert model.history_["steps"][0] == expected.history_["steps"][0]
    assert model.history_["loss"][0] == pytest.approx(expected.history_["loss"][0], rel=0.05)


class UnknownState(NamedTuple):
    """A state of nobody's."""

    size: int


def test_what_no_card_knows_is_refused_by_name():
    state = UnknownState(0)
    for ask in (
        lambda: draw_by_group(state, None, 0, None, None, None, 0, 0, 0),
        lambda: candidate(state, None, None),
        lambda: add_base(state, None, None, None),
        lambda: move_inputs(state, None, 0, 0, 1, None, None, None, None, 0, 0),
        lambda: shared_rate(state, 0.1, None, 0, 0.0),
        lambda: open_window(state, None, None, 0, 0, 1, None, None),
        lambda: close_window(state, None, None, 0, 0, 1, None),
    ):
        with pytest.raises(TypeError, match="UnknownState"):
            ask()


def test_scores_are_ordered_by_keys_and_both_zeros_have_one():
    scores = np.array([np.inf, 2.0, 1e-30, 0.0, -0.0, -1e-30, -2.0, -np.inf], np.float32)
    keys = [int(falling_key(score)) for score in scores]
    assert keys == sorted(keys)
    assert keys[3] == keys[4]
    assert len(set(keys)) == 7


@pytest.mark.parametrize("inputs", ALL_INPUTS, ids=str)
def test_pairs_that_take_too_much_of_the_card_come_launch_by_launch(inputs):
    """And train the very same: a pair's draws are counted by its number in the whole set."""
    data = AnnotationSet.from_csr(np.random.default_rng(3).random((9, 7)) < 0.5)
    found = []
    for by_launch in (False, True):
        tables = tables_for(inputs, data, 3, 0)
        with mock.patch.object(device_module, "free_bytes", return_value=1 if by_launch else 1 << 40):
            trainer, _ = trainer_on(CudaDevice, data, tables, inputs, RowAdagrad(), sampler="uniform")
        with mock.patch("vsenumba.training.annotation.plan._DRAWS_PER_LAUNCH", 10):
            record = trainer.run_epoch(1, lambda done: 0.1)
        found.append((tables, {name: value for name, value in record.items() if name != "seconds"}))
    assert found[0][1] == found[1][1]
    for name, table in found[0][0].items():
        assert np.array_equal(found[1][0][name], table)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_features_train_as_on_the_processor(loss):
    """With one image a launch the network moves as often, and all pairs of an image have one vector."""
    rng = np.random.default_rng(0)
    labels = np.eye(6) if loss == "logistic" else rng.random((6, 6)) < 0.4
    data = AnnotationSet.from_csr(labels, features=rng.random((6, 4)))
    models = []
    for device in ("cpu", "cuda"):
        with mock.patch.object(FeatureInputs, "images_per_launch", 1):
            models.append(
                ImageAnnotator(
                    "features", n_factors=3, n_epochs=2, loss=loss, sampler=None if loss == "softmax" else FIRST,
                    max_neighbours=0, device=device, random_state=0,
                ).fit(data)
            )  # fmt: skip
    for name, table in models[0].tables_.items():
        assert models[1].tables_[name] == pytest.approx(table, rel=1e-3, abs=1e-4), name
    assert list(models[1].history_["steps"]) == list(models[0].history_["steps"])


def test_a_model_trains_on_a_card_and_its_file_is_any_models(tmp_path):
    data = AnnotationSet.from_lists([["cat", "animal"], ["dog", "animal"], ["rose", "plant"], ["oak", "plant"]])
    model = ImageAnnotator("ids", n_factors=3, n_epochs=2, device="cuda", random_state=0).fit(data)
    assert np.isfinite(model.label_factors_).all()
    assert (model.history_["steps"] > 0).all()
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    assert again.device == "cpu"
    assert np.array_equal(again.label_factors_, model.label_factors_)
    # New images are folded in on the card too.
    assert model.fold_in([["cat"], ["plant", "oak"]]).shape == (2, 3)


def test_a_block_of_groups_never_takes_more_shared_memory_than_there_is():
    """The tally was left out: with 768 factors four groups would have taken 256 bytes too many."""
    with mock.patch.object(layout_module, "_MOST_PER_BLOCK", 4):
        for width in range(32, 4_096, 32):
            n = groups_per_block(width, ROOM_ROWS)
            assert n * (4 * 4 * width + 64) <= 49_152
            assert n == 4 or (n + 1) * (4 * 4 * width + 64) > 49_152
        assert (groups_per_block(736, 4), groups_per_block(768, 4)) == (4, 3)
        assert (groups_per_block(3_040, 4), groups_per_block(3_072, 4)) == (1, 0)


def test_no_more_groups_are_launched_than_have_work_space():
    """With three groups a block there were 2,049 of them, and the last wrote beyond its arrays."""
    for per_block in (1, 2, 3, 4):
        for n_images in (1, 2, 3, 5, 2_047, 2_048, 2_049, 10**6):
            n_groups = per_block * blocks_for(n_images, per_block, 2_048)
            assert 1 <= n_groups <= 2_048
            assert n_groups > 2_044 or n_groups > min(n_images, 2_048) - per_block


def test_a_label_that_is_the_images_only_one_is_not_worn_out():
    """Its context vector says nothing of the image; on the processor it decayed at every visit, down to 0."""
    data = AnnotationSet.from_lists([["a"]] * 30 + [["b", "c"]])
    for device in (HostDevice, CudaDevice):
        tables = tables_for("labels", data, 3, 0)
        before = tables["context_factors"].copy()
        trainer, _ = trainer_on(device, data, tables, "labels", Sgd(), sampler="uniform", l2=0.3)
        trainer.run_epoch(1, lambda done: 0.1)
        assert np.array_equal(tables["context_factors"][0], before[0])
        assert (tables["context_factors"][1:] != before[1:]).all()


def test_a_positive_far_above_all_negatives_stays_where_it_is():
    """Its gradient is 0 in float32; the card let it decay, and the processor did not."""
    data = AnnotationSet.from_csr(np.array([[1, 0, 0]]))
    found = []
    for device in (HostDevice, CudaDevice):
        tables = {
            "label_factors": np.array([[60, 1], [-60, 1], [-60, 1]], np.float32),
            "image_factors": np.full((1, 2), 10, np.float32),
        }
        trainer, _ = trainer_on(device, data, tables, "ids", Sgd(), sampler="uniform", loss="softmax", l2=0.1)
        trainer.run_epoch(1, lambda done: 0.5)
        found.append(tables)
    assert found[0]["label_factors"][0].tolist() == [60, 1]
    for name, table in found[0].items():
        assert found[1][name] == pytest.approx(table)
