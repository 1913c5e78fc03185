"""The loop over epochs, one for all models: rates, progress, validation, the best epoch, stopping, callbacks."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import numpy as np

from vsenumba.errors import InputError
from vsenumba.training.best import Best
from vsenumba.training.callbacks import Callback, Callbacks, EarlyStopping, as_callbacks, following
from vsenumba.training.history import History
from vsenumba.training.schedules import scheduled_rate


class Trainer(ABC):
    """What trains a model's tables, one epoch after the other.

    Attributes
    ----------
    steps : int
        Steps taken so far.
    seconds : float
        Training time so far, callbacks and evaluation left out.
    """

    steps: int
    seconds: float

    @abstractmethod
    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]
    ) -> dict[str, float]:
        """Train one epoch; return its record, see `History`.

        Parameters
        ----------
        epoch : int
            Counted from 1; it seeds what the epoch draws.
        rate_at : callable
            The learning rate when a share of the epoch, in 0..1, is done.
        progress : callable
            Told that share now and then.

        Raises
        ------
        TrainingDivergedError
            If a table is not finite afterwards.
        """

    def bring_back(self) -> None:  # noqa: B027 - most trainers have nothing to bring
        """Bring what was trained elsewhere to the model's tables, before anybody looks at them, and in the end.

        A trainer whose tables are always as they were trained has nothing to bring.
        """

    @property
    def unseen(self) -> Collection[int]:
        """The epochs that were trained elsewhere, and that the model's tables have not seen."""
        return ()


class Trained(Protocol):
    """What the loop needs of a model: the learnt tables by name, the history, and the best epoch if one is kept."""

    tables_: dict[str, np.ndarray]
    history_: History
    best_: Best | None


def run(
    model: Trained,
    trainer: Trainer,
    *,
    schedule: str,
    learning_rate: float,
    n_epochs: int,
    done: int = 0,
    validate: Callable[[], Mapping[str, float]] | None = None,
    keep: str | None = None,
    callbacks: Callbacks = (),
) -> None:
    """Train a model for the epochs of a schedule that are not done yet, and add their records to its history.

    Parameters
    ----------
    model : Trained
        Changed: its history, its tables, its best epoch.
    trainer : Trainer
        What trains its tables.
    schedule, learning_rate : str, float
        How the rate changes over the `n_epochs` epochs, and the rate of the first.
    n_epochs, done : int, int
        The epochs of the schedule, and how many of them were trained before.
    validate : callable, optional
        Gives the validation metrics of the model as it is, outside the clock.
    keep : str, optional
        The metric by which the best epoch's tables are put back in the end, where there is validation; an
        `EarlyStopping` names its own.
    callbacks : Callback or callable, or iterable of them
        Told of every epoch; see `vsenumba.training.callbacks`.

    Raises
    ------
    InputError
        If two callbacks ask for the best epoch by different metrics, or a metric is not recorded.
    TrainingDivergedError
        If a table becomes NaN or infinite.
    """
    followers = as_callbacks(callbacks)
    first = len(model.history_)
    _choose_best(model, followers, keep, validated=validate is not None)
    if first:
        last = model.history_[-1]
        trainer.steps, trainer.seconds = int(last.get("steps", 0)), float(last.get("seconds", 0))

    def progress(share: float) -> None:
        started = time.perf_counter()
        for follower in followers:
            follower.during_epoch(model, share)
        # The trainer's clock is running.
        trainer.seconds -= time.perf_counter() - started

    try:
        with following(followers, model, n_epochs - done):
            over = any(isinstance(one, EarlyStopping) and one.is_over(first) for one in followers)
            for turn in range(n_epochs if over else done, n_epochs):

                def rate_at(share: float, turn: int = turn) -> float:
                    return scheduled_rate(schedule, learning_rate, turn + share, n_epochs)

                epoch = first + turn - done + 1
                record = trainer.run_epoch(epoch, rate_at, progress)
                if validate is not None or any(one.looks_at_model(epoch) for one in followers):
                    trainer.bring_back()
                if validate is not None:
                    record |= validate()
                model.history_.append(record)
                if model.best_ is not None:
                    model.best_.note(record, model.tables_)
                # All must see it, also those behind one that wants to stop.
                if any([follower.after_epoch(model, record) for follower in followers]):  # noqa: C419
                    break
    finally:
        try:
            trainer.bring_back()
        finally:
            model.history_.forget(trainer.unseen)
            if model.best_ is not None:
                model.best_.put_back(model.tables_)


def _choose_best(model: Trained, followers: Iterable[Callback], keep: str | None, *, validated: bool) -> None:
    """Have the model keep the best epoch by what an `EarlyStopping` or `keep` says, or go on with what it keeps."""
    stopping = [follower for follower in followers if isinstance(follower, EarlyStopping)]
    asked = {(follower.metric, follower.min_delta) for follower in stopping}
    if keep and validated and not asked:
        asked = {(keep, 0.0)}
    if model.best_ is not None and not validated:
        raise InputError(f"a best epoch by {model.best_.metric!r} is kept: give the validation set again")
    if len(asked) > 1:
        names = " and ".join(sorted(f"{metric} (min_delta={min_delta:g})" for metric, min_delta in asked))
        raise InputError(f"one epoch can be kept as the best, not by {names}; give one EarlyStopping")
    for metric, min_delta in asked:
        if model.best_ is None or model.best_.metric != metric:
            model.best_ = Best(metric)
        model.best_.min_delta = min_delta
