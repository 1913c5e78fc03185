"""Training of models: seeds, going on, early stopping, checkpoints, budgets, divergence."""

from __future__ import annotations

import numpy as np
import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse


@pytest.mark.parametrize("inputs", ["ids", "labels"])
def test_the_same_seed_gives_bit_equal_factors_when_deterministic(inputs):
    data = checkerboard()
    a, b, c = (model_of(inputs, deterministic=True, random_state=seed).fit(data) for seed in (1, 1, 2))
    assert np.array_equal(a.label_factors_, b.label_factors_)
    assert not np.array_equal(a.label_factors_, c.label_factors_)


def test_fit_starts_afresh_and_partial_fit_goes_on():
    data = checkerboard()
    once = model_of(deterministic=True).fit(data)
    again = model_of(deterministic=True).fit(data).fit(data)
    assert np.array_equal(once.label_factors_, again.label_factors_)
    whole = model_of(deterministic=True, n_epochs=5).fit(data)
    parts = model_of(deterministic=True, n_epochs=3).fit(data).partial_fit(data, n_epochs=2)
    assert np.array_equal(whole.label_factors_, parts.label_factors_)
    assert parts.history_["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert parts.history_[-1]["steps"] == whole.history_[-1]["steps"]


def test_training_that_is_taken_up_from_a_checkpoint_goes_the_same_way(tmp_path):
    data = checkerboard()
    whole = model_of(deterministic=True, n_epochs=5).fit(data)
    path = tmp_path / "checkpoint.h5"

    def stop_at_two(model, record):
        return record["epoch"] == 2

    model_of(deterministic=True, n_epochs=5).fit(data, callbacks=[vse.Checkpoint(path), stop_at_two])
    resumed = vse.load_model(path).partial_fit(data, n_epochs=3)
    assert np.array_equal(whole.label_factors_, resumed.label_factors_)


def test_partial_fit_on_nothing_fitted_begins():
    assert model_of().partial_fit(checkerboard()).history_[-1]["epoch"] == 1


def test_early_stopping_puts_the_best_epoch_back():
    train, test = vse.leave_one_out(checkerboard(), rng=0)
    stopping = vse.EarlyStopping("mrr", patience=2)
    model = model_of(n_epochs=50, deterministic=True).fit(train, validation=test, callbacks=[stopping])
    assert len(model.history_) == min(stopping.best_epoch_ + 2, 50)
    assert vse.evaluate(model, test, exclude=train).mean["mrr"] == pytest.approx(stopping.best_value_)
    assert stopping.best_value_ == model.history_["mrr"].max()
    with pytest.raises(vse.InputError, match="pass fit a validation set"):
        model_of().fit(train, callbacks=[vse.EarlyStopping()])
    with pytest.raises(vse.InputError, match="patience must be"):
        vse.EarlyStopping(patience=0)


def test_pairs_of_the_validation_whose_label_is_unknown_are_left_out_once():
    """They were refused, where the command line's `evaluate` leaves them out."""
    train, test = vse.leave_one_out(checkerboard(), rng=0)
    more = test.union(vse.AnnotationSet.from_pairs(["image 0"], ["lable 3"]))
    expected = r"^skipped 1 of \d+ pair\(s\) in validation.*'lable 3' \(did you mean 'label 3'\?\)"
    with pytest.warns(UserWarning, match=expected) as caught:
        model = model_of(n_epochs=3, deterministic=True).fit(train, validation=more)
    assert [one.filename for one in caught] == [__file__]
    without = model_of(n_epochs=3, deterministic=True).fit(train, validation=test)
    assert model.history_["mrr"].tolist() == without.history_["mrr"].tolist()


def test_a_checkpoint_that_cannot_be_written_is_found_before_training(tmp_path):
    epochs = []
    with pytest.raises(vse.VsenumbaError, match="missing"):
        model_of().fit(
            checkerboard(),
            callbacks=[vse.Checkpoint(tmp_path / "missing" / "m.h5"), lambda m, r: epochs.append(1)],
        )
    assert epochs == []


def test_a_time_budget_ends_training():
    model = model_of(n_epochs=10_000).fit(checkerboard(), callbacks=[vse.TimeBudget(0.01)])
    assert model.history_[-1]["seconds"] >= 0.01
    assert len(model.history_) < 10_000


def test_divergence_keeps_the_last_finite_checkpoint(tmp_path):
    path = tmp_path / "m.h5"
    # Every step turns a row over and doubles it: finite for an epoch or two, and then no more.
    model = model_of("ids", optimiser="sgd", learning_rate=1.0, l2=3.0, n_epochs=60)
    with (
        np.errstate(all="ignore"),
        pytest.raises(vse.TrainingDivergedError, match="is not finite after epoch") as caught,
    ):
        model.fit(checkerboard(), callbacks=[vse.Checkpoint(path)])
    saved = vse.load_model(path)
    assert len(saved.history_) == caught.value.epoch - 1 > 0
    assert all(np.isfinite(table).all() for table in saved.tables_.values())


def test_threads_reduced_for_determinism_are_said():
    with pytest.warns(UserWarning, match="deterministic=True reduces n_threads=2 to 1"):
        model_of(deterministic=True, n_threads=2).fit(checkerboard())
