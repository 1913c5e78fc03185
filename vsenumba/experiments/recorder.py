"""Split a data set for a comparison, and record the metrics of each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from vsenumba.checks import generator
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.splits import leave_one_out
from vsenumba.errors import InputError
from vsenumba.evaluation import GroupScores, Scores, evaluate
from vsenumba.experiments.delivery import Delivery, measurement
from vsenumba.models import Annotator, ImageAnnotator
from vsenumba.training.callbacks import Callback
from vsenumba.training.history import History


class Split(NamedTuple):
    """A data set split for a comparison.

    Attributes
    ----------
    train : AnnotationSet
        The training pairs.
    held_out : AnnotationSet
        The held-out pairs, of all images.
    chooses : (n_images,) bool array
        True for the images of the validation half, whose held-out pairs choose the best epoch. The other images form
        the test half, whose held-out pairs give the reported values.
    """

    train: AnnotationSet
    held_out: AnnotationSet
    chooses: np.ndarray

    def half(self, *, chooses: bool) -> AnnotationSet:
        """Return the held-out pairs of one half; the set still has all images."""
        return self.held_out.with_pairs(self.chooses[self.held_out.pairs()[0]] == chooses)


def split_for_comparison(data: AnnotationSet, rng: int) -> Split:
    """Hold out one label of every image, and assign the images to two random halves; see `Split`."""
    train, held_out = leave_one_out(data, rng=rng)
    return Split(train, held_out, generator(rng).random(data.n_images) < 0.5)


class Recorder(Callback):
    """Evaluate both halves after every epoch, and keep the best model of all runs.

    Parameters
    ----------
    split : Split
        The split data set.
    metric : str
        The metric that chooses the best epoch.
    metrics : sequence of str
        All metrics to record, including `metric`.
    by : str or None
        The grouping of labels for `groups`; see `vsenumba.evaluate`.
    n_threads : int or None
        The number of threads for evaluation; see `vsenumba.evaluate`.

    Attributes
    ----------
    history : History
        The records of the current run.
    groups : GroupScores or None
        The group scores on the test half, at the epoch of the current run that is best on the validation half.
    """

    def __init__(
        self, split: Split, metric: str, metrics: Sequence[str], by: str | None, n_threads: int | None
    ) -> None:
        self._train = split.train
        self._choosing, self._reporting = split.half(chooses=True), split.half(chooses=False)
        self.metric = metric
        self._metrics = metrics
        self._by = by
        self._n_threads = n_threads
        self._best: tuple[ImageAnnotator, Mapping[str, float]] | None = None

    def start(self, model: Any, n_epochs: int) -> None:
        """Start the records of a new run."""
        self.history = History()
        self.groups: GroupScores | None = None
        self._best_of_run = -np.inf

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Evaluate the model and record the epoch."""
        choosing, reporting = self.scores(model)
        validation = f"validation_{self.metric}"
        point = {**record, **reporting.mean, validation: choosing.mean[self.metric]}
        self.history.append(point)
        if self.groups is None or point[validation] > self._best_of_run:
            self.groups, self._best_of_run = reporting.groups, point[validation]
        self.keep_best(model, point)
        return False

    def keep_best(self, model: ImageAnnotator, point: Mapping[str, float]) -> None:
        """Keep the model and its record if it is the best of all runs on the validation half."""
        validation = f"validation_{self.metric}"
        if self._best is None or point[validation] > self._best[1][validation]:
            self._best = model, point

    def scores(self, model: Annotator) -> tuple[Scores, Scores]:
        """Return the scores on the validation half and on the test half."""
        how: dict[str, Any] = {"exclude": self._train, "metrics": self._metrics, "n_threads": self._n_threads}
        return evaluate(model, self._choosing, **how), evaluate(model, self._reporting, by=self._by, **how)

    def deliver(self, data: AnnotationSet) -> ImageAnnotator:
        """Train the best model of all runs from scratch on all pairs, and return it."""
        if self._best is None:
            raise InputError("no run could be evaluated")
        best, point = self._best
        values = {name: point[name] for name in self._metrics}
        n_images = int((self._reporting.labels_per_image > 0).sum())
        measured = measurement(data, n_images, self._reporting.n_pairs, values, n_epochs=int(point["epoch"]))
        return clone(best).fit(data, callbacks=Delivery(measured["n_epochs"], measured))
