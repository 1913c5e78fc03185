"""Choice of the strength and the weight decay of weights between labels, by trying values on held-out labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.evaluation import Scorer
from vsenumba.models.label_pairs import mean_labels
from vsenumba.training.annotation.label_weights import local_weights


class PairSettings(NamedTuple):
    """The weight decay, divided by the mean number of labels of an image, and the strength; see `LabelPairs`."""

    l2: float
    strength: float


# Values to try.
# Real sets were best with decays of 0.5 to 3 times the mean number of labels, synthetic sets with more.
_DECAYS = (0.5, 1.0, 4.0)
_STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
# Settings for sets with too few labels to hold out.
_PLAIN = PairSettings(1.0, 4.0)
_FEWEST_QUESTIONS = 100

# From larger sets, a sample of this many images is used.
_MOST_IMAGES = 100_000
# One label is held out for each of at most this many images, for at most an eighth of all pairs, and with at most this
# many scores in total.
_MOST_QUESTIONS, _MOST_SCORES = 5_000, 40_000_000
_AT_ONCE = 250


def chosen_settings(
    train: Callable[[AnnotationSet], Scorer],
    data: AnnotationSet,
    max_neighbours: int,
    rng: np.random.Generator,
    n_threads: int | None,
) -> PairSettings:
    """Return the weight decay and the strength with which held-out labels have the best MRR.

    Parameters
    ----------
    train : callable
        Trains a scorer without weights between labels on a set, and returns it.
    data : AnnotationSet
        The training set of the model.
    max_neighbours : int
        See `local_weights`.
    rng : Generator
        Random generator that chooses the held-out labels.
    n_threads : int or None
        Number of threads to solve on.
    """
    if data.n_images > _MOST_IMAGES:
        data = data.select_images(np.sort(rng.permutation(data.n_images)[:_MOST_IMAGES]))
    counts = data.labels_per_image
    can = rng.permutation(np.flatnonzero(counts >= 2))
    most = min(_MOST_QUESTIONS, data.n_pairs // 8, _MOST_SCORES // max(data.n_labels, 1))
    images = np.sort(can[:most])
    if len(images) < _FEWEST_QUESTIONS:
        return _PLAIN
    held_out = data.indptr[images] + rng.integers(0, counts[images])
    keep = np.ones(data.n_pairs, dtype=bool)
    keep[held_out] = False
    part, answers = data.with_pairs(keep), data.indices[held_out]
    scorer = train(part)
    weights = local_weights(part, [l2 * mean_labels(part) for l2 in _DECAYS], max_neighbours, n_threads)
    tried = np.empty((len(_STRENGTHS), len(_DECAYS), len(images)))
    for start in range(0, len(images), _AT_ONCE):
        rows, wanted = images[start : start + _AT_ONCE], answers[start : start + _AT_ONCE]
        own = part.rows_to_csr(rows)
        scores = scorer.score_block(part, rows)
        scores[own.toarray() > 0] = -np.inf  # known labels are not candidates
        for i, matrix in enumerate(weights):
            said = (own @ matrix).toarray()
            for j, strength in enumerate(_STRENGTHS):
                ranks = _reciprocal_ranks(scores + np.float32(strength) * said, wanted)
                tried[j, i, start : start + _AT_ONCE] = ranks
    return _most_cautious(tried)


def _most_cautious(tried: np.ndarray) -> PairSettings:
    """Return the smallest strength whose ranks are as good as the best ones, within one standard error.

    Parameters
    ----------
    tried : (strengths, decays, questions) array
        Reciprocal ranks.
    """
    means = tried.mean(axis=2)
    lost = tried[np.unravel_index(np.argmax(means), means.shape)] - tried
    fits = lost.mean(axis=2) <= lost.std(axis=2) / np.sqrt(tried.shape[2])
    strength = int(np.argmax(fits.any(axis=1)))
    decay = int(np.argmax(np.where(fits[strength], means[strength], -1)))
    return PairSettings(_DECAYS[decay], _STRENGTHS[strength])


def _reciprocal_ranks(scores: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return one over the rank of each answer; an answer gets the middle rank among labels with the same score."""
    own = scores[np.arange(len(answers)), answers][:, None]
    above, same = (np.count_nonzero(compared, axis=1) for compared in (scores > own, scores == own))
    return 1 / (1 + above + (same - 1) / 2)
