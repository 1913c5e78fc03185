"""The loop over epochs: rates, the clock, validation, stopping, and what happens when something fails."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.training.best import Best
from vsenumba.training.callbacks import Checkpoint, RecordCallback, TimeBudget
from vsenumba.training.run import Trainer, run


class Walker(Trainer):
    """A trainer that adds 1 to a table in every epoch, in two parts, each a second of the clock, if there is one."""

    clock = None

    def __init__(self, tables, fails_at=None):
        self.tables, self.fails_at = tables, fails_at
        self.steps, self.seconds, self.rates = 0, 0.0, []

    def run_epoch(self, epoch, rate_at, progress):
        started = time.perf_counter()
        if epoch == self.fails_at:
            raise vse.TrainingDivergedError(epoch, rate_at(0.0), "table")
        for part in (0.0, 0.5):
            self.rates.append(rate_at(part))
            self.tables["table"] += 0.5
            self.steps += 1
            if self.clock is not None:
                self.clock.now += 1
            progress(part + 0.5)
        self.seconds += time.perf_counter() - started
        return {"epoch": epoch, "seconds": self.seconds, "steps": self.steps, "learning_rate": self.rates[-1]}


def model_with_a_table():
    return SimpleNamespace(tables_={"table": np.zeros(1)}, history_=vse.History(), best_=None)


def train(model, trainer=None, **arguments):
    trainer = trainer or Walker(model.tables_)
    run(model, trainer, **{"schedule": "linear", "learning_rate": 1.0, "n_epochs": 4} | arguments)
    return trainer


def test_tables_are_brought_back_where_somebody_looks_and_in_the_end(tmp_path):
    class Abroad(Walker):
        unseen = ()

        def bring_back(self):
            brought.append(self.steps // 2)

    class Every2(RecordCallback):
        def looks_at_model(self, epoch):
            return epoch % 2 == 0

    for settings, expected in (
        ({}, [4]),
        ({"callbacks": TimeBudget(1e9)}, [4]),
        ({"callbacks": Every2()}, [2, 4, 4]),
        ({"callbacks": lambda model, record: None}, [1, 2, 3, 4, 4]),
        ({"validate": lambda: {"mrr": 0.5}}, [1, 2, 3, 4, 4]),
    ):
        brought: list[int] = []
        model = model_with_a_table()
        train(model, Abroad(model.tables_), **settings)
        assert brought == expected
        assert len(model.history_) == 4
    model, trainer = model_with_a_table(), Abroad({"table": np.zeros(1)}, fails_at=4)
    trainer.unseen = [2, 3]
    with pytest.raises(vse.TrainingDivergedError):
        train(model, trainer)
    assert model.history_["epoch"].tolist() == [1]


@pytest.mark.parametrize("looks", [True, False])
def test_the_history_knows_what_the_tables_have_seen_where_bringing_back_fails(looks):
    """Of an epoch that had no record yet, the record of the one before was dropped; or none was, in the end."""

    class Lost(Walker):
        unseen = [3]

        def bring_back(self):
            if self.steps == 6:
                raise vse.VsenumbaError("lost")

    model = model_with_a_table()
    with pytest.raises(vse.VsenumbaError, match="lost"):
        train(model, Lost(model.tables_), n_epochs=3, callbacks=[lambda model, record: None] if looks else [])
    assert model.history_["epoch"].tolist() == [1, 2]


def test_a_checkpoint_looks_at_the_model_when_it_saves(tmp_path):
    checkpoint = Checkpoint(tmp_path / "model.h5", every=3)
    checkpoint.start(model_with_a_table(), 7)
    assert [epoch for epoch in range(1, 8) if checkpoint.looks_at_model(epoch)] == [3, 6, 7]


def test_the_rate_falls_within_epochs_and_goes_on_where_epochs_are_done():
    model = model_with_a_table()
    assert train(model).rates == [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    assert model.history_["epoch"].tolist() == [1, 2, 3, 4]
    # Two of four epochs are done: it goes on in the middle of the schedule.
    other = model_with_a_table()
    train(other, n_epochs=4, callbacks=[lambda model, record: record["epoch"] == 2])
    trainer = Walker(other.tables_)
    train(other, trainer, done=2)
    assert trainer.rates == [0.5, 0.375, 0.25, 0.125]
    assert other.history_["epoch"].tolist() == [1, 2, 3, 4]
    assert other.history_["steps"].tolist() == model.history_["steps"].tolist()
    # Other epochs begin the schedule anew, and are counted on.
    trainer = Walker(other.tables_)
    train(other, trainer, n_epochs=1)
    assert trainer.rates == [1.0, 0.5]
    assert other.history_["epoch"].tolist() == [1, 2, 3, 4, 5]


def test_callbacks_hear_of_everything_outside_the_clock(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(Walker, "clock", clock)

    class Ears(vse.Callback):
        def __init__(self):
            self.heard = []

        def start(self, model, n_epochs):
            self.heard.append(("start", n_epochs))

        def during_epoch(self, model, done):
            self.heard.append(done)
            clock.now += 100

        def after_epoch(self, model, record):
            self.heard.append("after")
            clock.now += 100
            return True

        def finish(self, model):
            self.heard.append("finish")

    ears, model = Ears(), model_with_a_table()
    seen = []
    train(model, callbacks=[ears, lambda model, record: seen.append(record["epoch"])])
    assert ears.heard == [("start", 4), 0.5, 1.0, "after", "finish"]
    # Who stands behind one that wants to stop hears of the epoch too.
    assert seen == [1]
    assert model.history_["seconds"].tolist() == [2.0]


def test_the_best_epochs_tables_are_put_back():
    values = iter([0.1, 0.3, 0.2, 0.3])
    model = model_with_a_table()
    train(model, validate=lambda: {"mrr": next(values)}, keep="mrr")
    # Of equals the first.
    assert (model.best_.epoch, model.best_.value, model.tables_["table"].tolist()) == (2, 0.3, [2.0])
    assert model.history_["mrr"].tolist() == [0.1, 0.3, 0.2, 0.3]


def test_without_validation_nothing_is_kept():
    model = model_with_a_table()
    train(model, keep="mrr")
    assert model.best_ is None
    assert model.tables_["table"].tolist() == [4.0]


def test_patience_and_the_least_rise():
    for min_delta, epochs in ((0.0, 4), (0.15, 3)):
        values = iter([0.1, 0.2, 0.22, 0.2, 0.2, 0.2])
        stopping, model = vse.EarlyStopping("mrr", patience=2, min_delta=min_delta), model_with_a_table()
        train(model, n_epochs=6, validate=lambda values=values: {"mrr": next(values)}, callbacks=[stopping])
        assert len(model.history_) == epochs + (min_delta == 0.0)
    stopping = vse.EarlyStopping("mrr", patience=2)
    model = model_with_a_table()
    with np.errstate(all="ignore"):
        train(model, n_epochs=9, validate=lambda: {"mrr": np.nan}, callbacks=[stopping])
    assert len(model.history_) == 2


def test_what_fails_leaves_the_epochs_before_it_and_finishes_the_callbacks():
    finished = []

    class Last(vse.Callback):
        def finish(self, model):
            finished.append(model)

    model = model_with_a_table()
    values = iter([0.5, 0.1])
    with pytest.raises(vse.TrainingDivergedError):
        train(
            model, Walker(model.tables_, fails_at=3), validate=lambda: {"mrr": next(values)}, keep="mrr",
            callbacks=[Last()],
        )  # fmt: skip
    assert model.history_["epoch"].tolist() == [1, 2]
    assert finished == [model]
    # The best of what went well.
    assert model.tables_["table"].tolist() == [1.0]


def test_a_metric_that_is_not_recorded():
    with pytest.raises(vse.InputError, match="early stopping: unknown metric 'mr'; did you mean 'mrr'"):
        train(model_with_a_table(), validate=lambda: {"mrr": 0.1}, callbacks=[vse.EarlyStopping("mr")])


def test_best_copies_what_it_keeps():
    best, tables = Best("mrr"), {"table": np.ones(2)}
    assert best.note({"epoch": 1, "mrr": 0.5}, tables)
    tables["table"] += 1
    assert not best.note({"epoch": 2, "mrr": 0.5}, tables)
    best.put_back(tables)
    assert tables["table"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vse.EarlyStopping(patience=1.5), "patience must be a whole number"),
        (lambda: vse.EarlyStopping(patience="x"), "patience must be a whole number"),
        (lambda: vse.EarlyStopping(min_delta=-1), "min_delta must be finite and not negative"),
        (lambda: vse.Checkpoint("m.h5", every=0), "every must be a whole number"),
        (lambda: vse.Checkpoint("m.h5", every="x"), "every must be a whole number"),
        (lambda: vse.TimeBudget("x"), "time budget must be above 0"),
    ],
)
def test_callbacks_refuse_what_they_cannot_use(make, message):
    with pytest.raises(vse.InputError, match=message):
        make()
