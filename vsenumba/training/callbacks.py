"""Callbacks: code that runs during training, between epochs. Its time does not count as training time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from vsenumba.checks import is_number, is_whole
from vsenumba.errors import InputError
from vsenumba.storage import check_writable


class Callback:
    """Base class of callbacks. It does nothing by itself.

    Derive a class from it and override the methods you need. If you only need `after_epoch`, you can pass a function
    instead: `fit` accepts any function of the model and the record.

    Examples
    --------
    >>> import vsenumba as vse
    >>> class StopAtLoss(vse.Callback):
    ...     def after_epoch(self, model, record):
    ...         return record["loss"] < 10
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> model = vse.ImageAnnotator(n_factors=4, n_epochs=5).fit(data, callbacks=StopAtLoss())
    >>> len(model.history_)
    1
    """

    def start(self, model: Any, n_epochs: int) -> None:
        """Run once before the first epoch.

        Parameters
        ----------
        model : estimator
            The model in training.
        n_epochs : int
            The number of epochs that will be trained.
        """

    def during_epoch(self, model: Any, done: float) -> None:
        """Run several times during a long epoch.

        Parameters
        ----------
        model : estimator
            The model in training.
        done : float
            The share of the epoch that is finished, from 0 to 1.
        """

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Run after each epoch.

        Parameters
        ----------
        model : estimator
            The model in training.
        record : mapping of str to float
            The record of the epoch; see `History`.

        Returns
        -------
        bool
            True to stop training.
        """
        return False

    def looks_at_model(self, epoch: int) -> bool:
        """Return whether `after_epoch` reads the model, and not only the record.

        On a cluster, the tables are sent to the model before `after_epoch` only if a callback reads them.

        Parameters
        ----------
        epoch : int
            The epoch, from 1.

        Returns
        -------
        bool
            True in this base class.
        """
        return True

    def finish(self, model: Any) -> None:
        """Run once after the last epoch, even if training ended with an error."""


class RecordCallback(Callback):
    """Base class of callbacks that read only the record."""

    def looks_at_model(self, epoch: int) -> bool:
        """Return False, because the record is enough."""
        return False


class FunctionCallback(Callback):
    """Call a function of the model and the record after every epoch; training stops if it returns a true value."""

    def __init__(self, function: Callable[[Any, Mapping[str, float]], object]) -> None:
        self._function = function

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Call the function, and return its result as a truth value."""
        return bool(self._function(model, record))


class EarlyStopping(RecordCallback):
    """Stop training when a validation metric no longer improves, and restore the tables of the best epoch.

    The callback needs a validation set; pass one to `fit`.

    Parameters
    ----------
    metric : str
        A validation metric such as ``"mrr"``; higher is better.
    patience : int
        The number of epochs without a new best value after which training stops, at least 1.
    min_delta : float
        The least increase that counts as a new best value, at least 0.

    Attributes
    ----------
    best_epoch_ : int
        The best epoch, from 1; 0 if there is none yet.
    best_value_ : float
        The value of the metric at that epoch.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> import vsenumba as vse
    >>> data = vse.synthetic(200, 20, 800, rng=0)
    >>> train, validation = vse.leave_one_out(data, rng=0)
    >>> stopping = vse.EarlyStopping("mrr", patience=2)
    >>> model = vse.ImageAnnotator(n_factors=8, n_epochs=50, random_state=0)
    >>> model = model.fit(train, validation=validation, callbacks=stopping)
    >>> len(model.history_) == stopping.best_epoch_ + 2
    True
    """

    def __init__(self, metric: str = "mrr", patience: int = 5, min_delta: float = 0.0) -> None:
        if not is_whole(patience):
            raise InputError(f"patience must be a whole number of at least 1, not {patience!r}")
        if not is_number(min_delta) or not 0 <= min_delta < np.inf:
            raise InputError(f"min_delta must be finite and not negative, not {min_delta!r}")
        if metric == "loss":
            raise InputError("the metric 'loss' falls during training; choose a metric that is better when higher")
        self.metric = metric
        self.patience = int(patience)
        self.min_delta = min_delta

    def start(self, model: Any, n_epochs: int) -> None:
        """Follow the best epoch that the model keeps; after a checkpoint, continue from its best epoch."""
        self._best, self._first = model.best_, len(model.history_)

    @property
    def best_epoch_(self) -> int:
        """The best epoch, from 1."""
        return int(self._best.epoch)

    @property
    def best_value_(self) -> float:
        """The value of the metric at the best epoch."""
        return float(self._best.value)

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Return whether there was no new best value for `patience` epochs."""
        # Before there is a best epoch, count the epochs of this run.
        since = self._best.epoch or self._first
        return int(record["epoch"]) - since >= self.patience

    def is_over(self, n_epochs: int) -> bool:
        """Return whether a training that resumes after `n_epochs` epochs had run out of patience already."""
        return self._best is not None and self._best.epoch > 0 and n_epochs - self._best.epoch >= self.patience


class TimeBudget(RecordCallback):
    """Stop after a given training time, without the time of evaluation and callbacks.

    Parameters
    ----------
    seconds : float
        The training time in seconds, above 0. The current epoch is always finished.

    Raises
    ------
    InputError
        If `seconds` is not above 0.

    Examples
    --------
    >>> import vsenumba as vse
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> model = vse.ImageAnnotator(n_factors=4, n_epochs=1_000_000, schedule="constant")
    >>> model = model.fit(data, callbacks=vse.TimeBudget(0.01))
    >>> model.history_[-1]["seconds"] >= 0.01
    True
    """

    def __init__(self, seconds: float) -> None:
        if not (is_number(seconds) and seconds > 0):
            raise InputError(f"the time budget must be above 0 seconds, not {seconds!r}")
        self.seconds = seconds

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Return whether the training time is used up."""
        return record["seconds"] >= self.seconds


class Checkpoint(Callback):
    """Save the model and the state of its optimiser at regular intervals.

    Continue from the file with ``load_model(path).resume(...)``. The file is replaced in one step, so it is complete
    at any time. An epoch that diverges is not saved.

    Parameters
    ----------
    path : str or path-like
        The file. It is replaced each time.
    every : int
        The number of epochs between two saves, at least 1. The last epoch is always saved.

    Attributes
    ----------
    saved_epoch_ : int
        The epoch that was saved last; 0 if none was.

    Raises
    ------
    InputError
        If `every` is out of range; when training starts, if the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import vsenumba as vse
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saving = vse.Checkpoint(Path(folder) / "model.h5", every=2)
    ...     model = vse.ImageAnnotator(n_factors=4, n_epochs=3).fit(data, callbacks=saving)
    ...     vse.load_model(saving.path).history_["epoch"]
    array([1, 2, 3])
    >>> saving.saved_epoch_
    3
    """

    def __init__(self, path: str | PathLike[str], every: int = 1) -> None:
        if not is_whole(every):
            raise InputError(f"every must be a whole number of at least 1, not {every!r}")
        self.path = path
        self.every = int(every)
        self.saved_epoch_ = 0

    def start(self, model: Any, n_epochs: int) -> None:
        """Check that the file can be written, before any training."""
        check_writable(self.path)
        self._last = len(model.history_) + n_epochs

    def looks_at_model(self, epoch: int) -> bool:
        """Return whether the model is saved after this epoch."""
        return epoch % self.every == 0 or epoch == self._last

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Save the model if it is time."""
        if self.looks_at_model(int(record["epoch"])):
            model.save(self.path, include_optimiser=True)
            self.saved_epoch_ = int(record["epoch"])
        return False


def as_callback(callback: Callback | Callable[[Any, Mapping[str, float]], object]) -> Callback:
    """Return a callback unchanged, or make one from a function of the model and the record."""
    if isinstance(callback, Callback):
        return callback
    if not callable(callback) or isinstance(callback, type):
        raise InputError(f"a callback must be a Callback or a function of the model and the record, not {callback!r}")
    return FunctionCallback(callback)


#: What `fit` accepts as callbacks: a callback, a function of the model and the record, or an iterable of these.
Callbacks = Callback | Callable[..., object] | Iterable[Callback | Callable[..., object]]


def as_callbacks(callbacks: Callbacks) -> list[Callback]:
    """Return a list of callbacks from one callback or function, or from an iterable of them."""
    if isinstance(callbacks, Callback) or callable(callbacks):
        return [as_callback(callbacks)]
    return [as_callback(callback) for callback in callbacks]


@contextmanager
def following(callbacks: Iterable[Callback], model: Any, n_epochs: int) -> Iterator[None]:
    """Start the callbacks, and finish them after the block even if it raises an error."""
    for callback in callbacks:
        callback.start(model, n_epochs)
    try:
        yield
    finally:
        for callback in callbacks:
            callback.finish(model)
