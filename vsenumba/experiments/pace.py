"""Measure on a sample how fast this machine trains a model, as the basis of an estimate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from vsenumba.cluster.merge import merged
from vsenumba.cluster.turn import OF_IMAGES, of_all, of_images, part_to_arrays, settings_of, train_turn
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.models import ImageAnnotator

# Pairs in the two samples. The time of an epoch apart from its pairs follows from the difference between them.
FEW, MANY = 100_000, 1_000_000

# A part with so few pairs that its training takes no measurable time.
_HARDLY_ANY = 500

_EPOCHS, _REPEATS = 4, 3


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The measured speed of this machine, and the sizes that determine the traffic on a cluster.

    Attributes
    ----------
    seconds_an_epoch : float
        The fixed time of an epoch, which does not depend on the number of pairs.
    seconds_a_pair : float
        The training time of one pair.
    seconds_a_turn : float
        The time of a worker's turn (training on one part) apart from the training itself.
    seconds_a_merge : float
        The fixed time of a merge of the workers' changes.
    seconds_a_change : float
        The additional time of a merge for the changes of each worker.
    table_bytes : int
        The bytes of the tables that all parts train, with the optimiser's sums.
    change_bytes : int
        The bytes of the changes that one turn makes to these tables.
    image_bytes : int
        The bytes that are learnt for one image, with the optimiser's sums.
    """

    seconds_an_epoch: float
    seconds_a_pair: float
    seconds_a_turn: float
    seconds_a_merge: float
    seconds_a_change: float
    table_bytes: int
    change_bytes: int
    image_bytes: int


def pace_of(model: ImageAnnotator, data: AnnotationSet, pairs_a_turn: int) -> Pace:
    """Measure training, turns and merges on a sample of a data set.

    Parameters
    ----------
    model : ImageAnnotator
        The model, whose parameters are used. It is not changed.
    data : AnnotationSet
        The data set, or a smaller one that resembles it and has all of its labels.
    pairs_a_turn : int
        The number of pairs in a worker's turn.

    Returns
    -------
    Pace
        The measured times and sizes.
    """
    some = sample(data, MANY)
    fitted = _trained(model, some)
    many, long_ = some.n_pairs, _seconds_an_epoch(fitted)
    a_pair = long_ / many
    if many > 2 * FEW:
        less = sample(data, FEW)
        few, short = less.n_pairs, _seconds_an_epoch(_trained(model, less))
        # If other programs were running, either measurement may be too long.
        a_pair = float(np.clip((long_ - short) / (many - few), 0.5 * a_pair, a_pair))
    tables, sums = fitted.tables_, fitted._memory or {}
    own = [name for name in OF_IMAGES if name in tables]
    shared, settings = of_all(tables, sums, own), settings_of(fitted._task(some))

    def turn_of(n_pairs: int) -> Callable[[], dict[str, Any]]:
        """Return a function that does a worker's turn on a part that the worker already has."""
        rows = _rows_with(some, n_pairs)
        part, of_part = part_to_arrays(some, rows), of_images(tables, sums, own, rows)
        seed: dict[str, Any] = {"entropy": 0, "key": []}
        return lambda: train_turn(
            part, of_part, shared, settings, some.label_counts, seed, _EPOCHS, 0.01, fitted._threads
        )

    moved = turn_of(pairs_a_turn)()["moved"]
    one, two = _seconds(lambda: merged(shared, [moved])), _seconds(lambda: merged(shared, [moved, moved]))
    return Pace(
        seconds_an_epoch=max(long_ - a_pair * many, 0.0),
        seconds_a_pair=a_pair,
        seconds_a_turn=_seconds(turn_of(_HARDLY_ANY)),
        seconds_a_merge=max(2 * one - two, 0.0),
        seconds_a_change=max(two - one, 0.0),
        table_bytes=_bytes_of(shared),
        change_bytes=_bytes_of(moved["changes"]),
        image_bytes=sum(group[name][:1].nbytes for group in (tables, sums) for name in own),
    )


def seconds_an_epoch(model: ImageAnnotator, data: AnnotationSet) -> tuple[int, float]:
    """Return the number of pairs in a sample of a set, and the seconds of an epoch on it with the model's device."""
    some = sample(data, MANY)
    return some.n_pairs, _seconds_an_epoch(_trained(model, some))


def _trained(model: ImageAnnotator, data: AnnotationSet) -> ImageAnnotator:
    return clone(model).set_params(n_epochs=_EPOCHS, max_neighbours=0, random_state=0).fit(data)


def _seconds_an_epoch(model: ImageAnnotator) -> float:
    # `diff` leaves out the first epoch, which also brings the tables into memory.
    return float(np.median(np.diff(model.history_["seconds"])))


def sample(data: AnnotationSet, n_pairs: int) -> AnnotationSet:
    """Return a random sample of the images with about `n_pairs` pairs; all labels are kept."""
    if data.n_pairs <= n_pairs:
        return data
    return data.select_images(_rows_with(data, n_pairs))


def _rows_with(data: AnnotationSet, n_pairs: int) -> np.ndarray:
    """Return the row numbers of random images that have about `n_pairs` pairs together."""
    order = np.random.default_rng(0).permutation(data.n_images)
    n_images = int(np.searchsorted(np.cumsum(data.labels_per_image[order]), n_pairs)) + 1
    return np.sort(order[:n_images])


def _seconds(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def _bytes_of(arrays: Any) -> int:
    """Return the total bytes of the arrays in nested dictionaries."""
    if isinstance(arrays, dict):
        return sum(map(_bytes_of, arrays.values()))
    return int(arrays.nbytes)
