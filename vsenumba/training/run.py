"""The loop over epochs that all models share: learning rates, progress, validation, the best epoch and callbacks."""

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
    """Base class of trainers, which train the tables of a model one epoch at a time.

    Attributes
    ----------
    steps : int
        The number of steps so far.
    seconds : float
        The training time so far, in seconds, without callbacks and evaluation.
    """

    steps: int
    seconds: float

    @abstractmethod
    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]
    ) -> dict[str, float]:
        """Train for one epoch.

        Parameters
        ----------
        epoch : int
            The number of the epoch, from 1. It determines the random numbers of the epoch.
        rate_at : callable
            A function that returns the learning rate at a given share of the epoch, from 0 to 1.
        progress : callable
            A function that is called several times with the share of the epoch that is finished.

        Returns
        -------
        dict
            The record of the epoch; see `History`.

        Raises
        ------
        TrainingDivergedError
            If a table is not finite after the epoch.
        """

    def bring_back(self) -> None:  # noqa: B027 - most trainers have nothing to bring
        """Copy what was trained elsewhere into the model's tables.

        The loop calls this method before validation, before a callback reads the model, and after the last epoch. A
        trainer that changes the model's tables directly does nothing here.
        """

    @property
    def unseen(self) -> Collection[int]:
        """The epochs that were trained elsewhere and are not in the model's tables yet."""
        return ()


class Trained(Protocol):
    """The part of a model that the loop uses: the tables by name, the history, and the best epoch if one is kept."""

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
    """Train a model for the remaining epochs of its schedule, and add their records to its history.

    Parameters
    ----------
    model : Trained
        The model. Its history, its tables and its best epoch are changed.
    trainer : Trainer
        The trainer of the model's tables.
    schedule : str
        The schedule of the learning rate over the `n_epochs` epochs; see `scheduled_rate`.
    learning_rate : float
        The learning rate of the first epoch.
    n_epochs : int
        The number of epochs in the schedule.
    done : int
        The number of these epochs that were trained before.
    validate : callable, optional
        A function that returns the validation metrics of the model. Its time does not count as training time.
    keep : str, optional
        The metric of the best epoch, whose tables are restored after training. It is used only with validation, and
        only if no `EarlyStopping` gives another metric.
    callbacks : Callback or callable, or iterable of them
        The callbacks; see `vsenumba.training.callbacks`.

    Raises
    ------
    InputError
        If two callbacks need the best epoch by different metrics, or the metric is not recorded.
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
        # The trainer's clock runs during this call, so the time of callbacks is subtracted.
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
                # A list, so that every callback sees the record even if an earlier one stops the training.
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
    """Choose the metric of the best epoch: that of an `EarlyStopping`, else `keep`, else the one already in use."""
    stopping = [follower for follower in followers if isinstance(follower, EarlyStopping)]
    asked = {(follower.metric, follower.min_delta) for follower in stopping}
    if keep and validated and not asked:
        asked = {(keep, 0.0)}
    if model.best_ is not None and not validated:
        raise InputError(
            f"the model keeps its best epoch by {model.best_.metric!r}: pass the validation set again to continue"
        )
    if len(asked) > 1:
        names = " and ".join(sorted(f"{metric} (min_delta={min_delta:g})" for metric, min_delta in asked))
        raise InputError(f"the best epoch can be chosen by one metric, not by {names}; use a single EarlyStopping")
    for metric, min_delta in asked:
        if model.best_ is None or model.best_.metric != metric:
            model.best_ = Best(metric)
        model.best_.min_delta = min_delta
