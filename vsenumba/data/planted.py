"""Planted annotation sets: made by a known law, of any size, with something in them to be learnt."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.data.pairs import pairs_to_csr, sorted_distinct
from vsenumba.data.splits import Rng
from vsenumba.errors import InputError

# What an image is short of, because draws repeated labels it had, is drawn again in so many rounds from its
# topics, then in so many from all labels; what is wanting even then is filled in from what it does
# not have.
TOPIC_ROUNDS = 8
ALL_ROUNDS = 16
FIRST_TOPIC_SHARE = 0.75


def synthetic(
    n_images: int,
    n_labels: int,
    n_pairs: int,
    *,
    n_topics: int | None = None,
    exponent: float = 1.0,
    noise: float = 0.1,
    rng: Rng = None,
) -> AnnotationSet:
    """Make an annotation set in which images and labels belong to topics and labels have a long tail.

    Label ``j`` has the popularity ``(j + 1) ** -exponent`` and belongs to one topic, drawn at random. An
    image has a first and a second topic, each drawn by the popularity of its labels, and at least one
    label; the other pairs are spread over the images by weights that are gamma distributed with shape 2, so
    that some have many. A label of an image is drawn by popularity: with probability `noise` from all
    labels, and otherwise from those of its first topic (3 times out of 4) or its second. A label that the
    image has already is drawn again, up to 8 times so, and then from all labels.

    Parameters
    ----------
    n_images, n_labels : int
        The shape of the set. Labels of the tail may have no image.
    n_pairs : int
        The exact number of distinct pairs, from `n_images` to ``n_images * n_labels``.
    n_topics : int, optional
        The number of topics; the square root of `n_labels`, rounded, where left out.
    exponent : float
        How long-tailed the popularity of labels is: 0 makes all alike, 1 is Zipf's law.
    noise : float
        The share of labels that do not depend on the topics, from 0 to 1.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same set.

    Returns
    -------
    AnnotationSet
        With the ids ``image-0, ...`` and the names ``label-0, ...``, the most popular first.

    Raises
    ------
    InputError
        If there is no such set.

    Examples
    --------
    >>> synthetic(1000, 100, 5000, rng=0)
    <AnnotationSet: 1,000 images, 100 labels, 5,000 pairs>
    """
    if n_topics is None:
        n_topics = max(1, round(math.sqrt(max(n_labels, 1))))
    _check(n_images, n_labels, n_pairs, n_topics, exponent, noise)
    rng = np.random.default_rng(rng)
    law = _TopicLaw(n_labels, n_topics, exponent, rng)
    first, second = law.draw_topics(n_images, rng), law.draw_topics(n_images, rng)
    wanted = _labels_per_image(n_images, n_labels, n_pairs, rng)

    keys = np.empty(0, dtype=np.int64)  # image * n_labels + label, sorted, of the pairs found so far
    short = wanted
    for attempt in range(TOPIC_ROUNDS + ALL_ROUNDS):
        rows = np.repeat(np.arange(n_images), short)
        topics = np.where(rng.random(len(rows)) < FIRST_TOPIC_SHARE, first[rows], second[rows])
        topics[rng.random(len(rows)) < (noise if attempt < TOPIC_ROUNDS else 1.0)] = n_topics
        # A round draws no more than is wanting, so that no image ever gets too many.
        drawn = rows * n_labels + law.draw_labels(topics, rng)
        keys = sorted_distinct(np.concatenate((keys, drawn)))
        short = wanted - np.bincount(keys // n_labels, minlength=n_images)
        if not short.any():
            break
    rows, columns = np.divmod(keys, n_labels)
    fillers = _fill(rows, columns, short, n_labels, rng)
    indptr, indices = pairs_to_csr(
        np.concatenate((rows, np.repeat(np.arange(n_images), short))),
        np.concatenate((columns, fillers)),
        n_images,
        n_labels,
    )
    image_ids = [f"image-{i}" for i in range(n_images)]
    return AnnotationSet(indptr, indices, n_labels, image_ids, [f"label-{j}" for j in range(n_labels)])


class _TopicLaw:
    """Labels sorted by topic with their cumulative popularity: a draw in a topic is one binary search."""

    def __init__(self, n_labels: int, n_topics: int, exponent: float, rng: np.random.Generator) -> None:
        # Dealt out in random order, so that no topic is empty.
        topic = rng.permutation(np.arange(n_labels) % n_topics)
        self._labels = np.argsort(topic, kind="stable")
        popularity = np.arange(1, n_labels + 1, dtype=np.float64) ** -exponent
        self._cumulative = np.concatenate(([0.0], np.cumsum(popularity[self._labels])))
        bounds = np.concatenate(([0], np.cumsum(np.bincount(topic, minlength=n_topics))))
        # One more "topic" after the others is all labels.
        self._start = np.append(bounds[:-1], 0)
        self._stop = np.append(bounds[1:], n_labels)

    def draw_topics(self, size: int, rng: np.random.Generator) -> np.ndarray:
        edges = self._cumulative[self._stop[:-1]]
        topics = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
        return np.asarray(np.minimum(topics, len(edges) - 1))

    def draw_labels(self, topics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = self._cumulative[self._start[topics]], self._cumulative[self._stop[topics]]
        at = np.searchsorted(self._cumulative, low + rng.random(len(topics)) * (high - low), side="right") - 1
        # Rounding can land a draw on the edge to the next topic.
        return np.asarray(self._labels[np.clip(at, self._start[topics], self._stop[topics] - 1)])


def _labels_per_image(n_images: int, n_labels: int, n_pairs: int, rng: np.random.Generator) -> np.ndarray:
    counts = np.ones(n_images, dtype=np.int64)
    weights = rng.gamma(2.0, size=n_images)
    while (rest := n_pairs - int(counts.sum())) > 0:
        open_weights = np.where(counts < n_labels, weights, 0.0)
        counts = np.minimum(counts + rng.multinomial(rest, open_weights / open_weights.sum()), n_labels)
    return counts


def _fill(
    rows: np.ndarray, columns: np.ndarray, short: np.ndarray, n_labels: int, rng: np.random.Generator
) -> np.ndarray:
    """Return, image after image, as many random labels as it is short of, out of those it does not have."""
    starts = np.searchsorted(rows, np.arange(len(short) + 1))
    fillers = [np.empty(0, dtype=np.int64)]
    for row in np.flatnonzero(short):
        has_not = np.delete(np.arange(n_labels), columns[starts[row] : starts[row + 1]])
        fillers.append(rng.choice(has_not, short[row], replace=False))
    return np.concatenate(fillers)


def _check(n_images: int, n_labels: int, n_pairs: int, n_topics: int, exponent: float, noise: float) -> None:
    for name, value in (("n_images", n_images), ("n_labels", n_labels)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    if not n_images <= n_pairs <= n_images * n_labels:
        raise InputError(
            f"n_pairs must lie between n_images ({n_images:,}: every image has a label) and "
            f"n_images * n_labels ({n_images * n_labels:,}), not {n_pairs:,}"
        )
    if not 1 <= n_topics <= n_labels:
        raise InputError(f"n_topics must lie between 1 and n_labels ({n_labels:,}), not {n_topics}")
    if not (math.isfinite(exponent) and exponent >= 0):
        raise InputError(f"exponent must be finite and not negative, not {exponent}")
    if not 0 <= noise <= 1:
        raise InputError(f"noise must lie between 0 and 1, not {noise}")
