"""How fast this machine trains a model on a set: measured on a sample, in seconds, for predictions."""

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

# Pairs of the two samples that are trained on: what an epoch takes beside its pairs is told by the smaller one.
FEW, MANY = 100_000, 1_000_000

# Pairs of a part that is small enough for its training to take no time.
_HARDLY_ANY = 500

_EPOCHS, _REPEATS = 4, 3


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What training takes here.

    Attributes
    ----------
    seconds_an_epoch, seconds_a_pair : float
        Of training, beside the pairs and for each.
    seconds_a_turn : float
        Of a worker's turn, beside its training.
    seconds_a_merge, seconds_a_change : float
        Of a merge, and for each of the turns whose changes are merged.
    table_bytes, change_bytes : int
        What all parts train, with the optimiser's sums, and what a turn changes of it.
    image_bytes : int
        What is learnt of an image, with the optimiser's sums.
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
    """Train on a sample, take some turns as a worker does, and merge them; return how long each takes.

    Parameters
    ----------
    model : ImageAnnotator
        Its parameters count.
    data : AnnotationSet
        The set, or one like it with all of its labels.
    pairs_a_turn : int
        How many pairs a turn will have.
    """
    some = sample(data, MANY)
    fitted = _trained(model, some)
    many, long_ = some.n_pairs, _seconds_an_epoch(fitted)
    a_pair = long_ / many
    if many > 2 * FEW:
        less = sample(data, FEW)
        few, short = less.n_pairs, _seconds_an_epoch(_trained(model, less))
        # Beside other work either may take longer than it should.
        a_pair = float(np.clip((long_ - short) / (many - few), 0.5 * a_pair, a_pair))
    tables, sums = fitted.tables_, fitted._memory or {}
    own = [name for name in OF_IMAGES if name in tables]
    shared, settings = of_all(tables, sums, own), settings_of(fitted._task(some))

    def turn_of(n_pairs: int) -> Callable[[], dict[str, Any]]:
        """Return a worker's turn, which has its part already."""
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
    """Return how many pairs a sample of a set has, and how long an epoch of it takes on the model's device."""
    some = sample(data, MANY)
    return some.n_pairs, _seconds_an_epoch(_trained(model, some))


def _trained(model: ImageAnnotator, data: AnnotationSet) -> ImageAnnotator:
    return clone(model).set_params(n_epochs=_EPOCHS, max_neighbours=0, random_state=0).fit(data)


def _seconds_an_epoch(model: ImageAnnotator) -> float:
    # The first one draws in pages of memory.
    return float(np.median(np.diff(model.history_["seconds"])))


def sample(data: AnnotationSet, n_pairs: int) -> AnnotationSet:
    """Return some of the images, drawn at random, with about so many pairs; all labels stay."""
    if data.n_pairs <= n_pairs:
        return data
    return data.select_images(_rows_with(data, n_pairs))


def _rows_with(data: AnnotationSet, n_pairs: int) -> np.ndarray:
    """Return some rows, drawn at random, that have about so many pairs together."""
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
    """Return the bytes of all arrays in dictionaries."""
    if isinstance(arrays, dict):
        return sum(map(_bytes_of, arrays.values()))
    return int(arrays.nbytes)
