"""Callbacks: what runs beside training, between two epochs and outside the clock."""

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
    """Base of the callbacks; by itself it does nothing."""

    def start(self, model: Any, n_epochs: int) -> None:
        """Run before the first of `n_epochs` epochs."""

    def during_epoch(self, model: Any, done: float) -> None:
        """Run now and then during a long epoch, of which the share `done`, in 0..1, is trained."""

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Run after an epoch with its record, see `History`; return whether training should stop."""
        return False

    def looks_at_model(self, epoch: int) -> bool:
        """Tell whether `after_epoch` will look at what the model has learnt, not at the record alone.

        Tables that are trained elsewhere are brought to the model only then.
        """
        return True

    def finish(self, model: Any) -> None:
        """Run after the last epoch, also when training ended with an error."""


class RecordCallback(Callback):
    """Base of the callbacks that look at nothing but the record."""

    def looks_at_model(self, epoch: int) -> bool:
        """Never."""
        return False


class FunctionCallback(Callback):
    """A plain function of the model and the record, called after every epoch; true stops training."""

    def __init__(self, function: Callable[[Any, Mapping[str, float]], object]) -> None:
        self._function = function

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Call the function."""
        return bool(self._function(model, record))


class EarlyStopping(RecordCallback):
    """Stop when a validation metric has not risen for a while, and put the best epoch's factors back.

    Parameters
    ----------
    metric : str
        A metric of the record, as ``"mrr"``; higher is better.
    patience : int
        Epochs without a new best before training stops.
    min_delta : float
        By how much the metric must rise to count as a new best.

    Attributes
    ----------
    best_epoch_, best_value_ : int, float
        When the metric was best, and how good.
    """

    def __init__(self, metric: str = "mrr", patience: int = 5, min_delta: float = 0.0) -> None:
        if not is_whole(patience):
            raise InputError(f"patience must be a whole number of at least 1, not {patience!r}")
        if not is_number(min_delta) or not 0 <= min_delta < np.inf:
            raise InputError(f"min_delta must be finite and not negative, not {min_delta!r}")
        if metric == "loss":
            raise InputError("the metric 'loss' falls where training goes well; name one of which higher is better")
        self.metric = metric
        self.patience = int(patience)
        self.min_delta = min_delta

    def start(self, model: Any, n_epochs: int) -> None:
        """Follow the best epoch that the model keeps; with a checkpoint it goes on where it was."""
        self._best, self._first = model.best_, len(model.history_)

    @property
    def best_epoch_(self) -> int:
        """When the metric was best."""
        return int(self._best.epoch)

    @property
    def best_value_(self) -> float:
        """How good it was then."""
        return float(self._best.value)

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Count the epochs since the best."""
        # Where there is none yet, those of this run.
        since = self._best.epoch or self._first
        return int(record["epoch"]) - since >= self.patience

    def is_over(self, n_epochs: int) -> bool:
        """Return whether so many epochs were enough, of a training that goes on from a checkpoint."""
        return self._best is not None and self._best.epoch > 0 and n_epochs - self._best.epoch >= self.patience


class TimeBudget(RecordCallback):
    """Stop once training has taken so many seconds, evaluation left out.

    Parameters
    ----------
    seconds : float
        Above 0; the epoch that is running is finished.
    """

    def __init__(self, seconds: float) -> None:
        if not (is_number(seconds) and seconds > 0):
            raise InputError(f"the time budget must be above 0 seconds, not {seconds!r}")
        self.seconds = seconds

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Compare the clock."""
        return record["seconds"] >= self.seconds


class Checkpoint(Callback):
    """Save the model, with its optimiser's memory, after every so many epochs; the file is always whole.

    Training goes on from the file with ``load_model(path).resume(...)``. An epoch that diverges is not saved.

    Parameters
    ----------
    path : str or path
        The file; replaced each time.
    every : int
        Epochs between two saves; the last epoch is always saved.

    Attributes
    ----------
    saved_epoch_ : int
        The epoch that was saved last; 0 for none.
    """

    def __init__(self, path: str | PathLike[str], every: int = 1) -> None:
        if not is_whole(every):
            raise InputError(f"every must be a whole number of at least 1, not {every!r}")
        self.path = path
        self.every = int(every)
        self.saved_epoch_ = 0

    def start(self, model: Any, n_epochs: int) -> None:
        """Refuse a path that cannot be written before any work is done."""
        check_writable(self.path)
        self._last = len(model.history_) + n_epochs

    def looks_at_model(self, epoch: int) -> bool:
        """When it is time to save."""
        return epoch % self.every == 0 or epoch == self._last

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Save when it is time."""
        if self.looks_at_model(int(record["epoch"])):
            model.save(self.path, include_optimiser=True)
            self.saved_epoch_ = int(record["epoch"])
        return False


def as_callback(callback: Callback | Callable[[Any, Mapping[str, float]], object]) -> Callback:
    """Return a callback as it is, or make one of a function of the model and the record."""
    if isinstance(callback, Callback):
        return callback
    if not callable(callback) or isinstance(callback, type):
        raise InputError(f"a callback must be a Callback or a function of the model and the record, not {callback!r}")
    return FunctionCallback(callback)


#: What `fit` takes: callbacks and functions of the model and the record, or one of them by itself.
Callbacks = Callback | Callable[..., object] | Iterable[Callback | Callable[..., object]]


def as_callbacks(callbacks: Callbacks) -> list[Callback]:
    """Return callbacks as a list; one by itself will do."""
    if isinstance(callbacks, Callback) or callable(callbacks):
        return [as_callback(callbacks)]
    return [as_callback(callback) for callback in callbacks]


@contextmanager
def following(callbacks: Iterable[Callback], model: Any, n_epochs: int) -> Iterator[None]:
    """Start callbacks, and finish them however the training in the block ends."""
    for callback in callbacks:
        callback.start(model, n_epochs)
    try:
        yield
    finally:
        for callback in callbacks:
            callback.finish(model)
