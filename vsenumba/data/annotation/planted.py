"""Synthetic annotation sets: of any size, drawn from a known distribution that models can learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from os import PathLike

import numpy as np

from vsenumba import storage
from vsenumba.checks import RandomLike, generator, is_whole
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr, row_blocks, sorted_distinct
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.memory import check_memory

# If draws repeat labels, an image is short of labels. It draws again for TOPIC_ROUNDS rounds from its topics, then for
# ALL_ROUNDS rounds from all labels. The rest is filled with labels that it does not have.
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
    rng: RandomLike = None,
) -> AnnotationSet:
    """Make a synthetic annotation set with topics and a long tail of labels.

    Label ``j`` has the popularity ``(j + 1) ** -exponent`` and belongs to one random topic. An image has a first and a
    second topic, each drawn with a probability proportional to the popularity of its labels. Every image has at least
    one label. The other pairs are distributed over the images with gamma-distributed weights (shape 2), so that some
    images have many labels.

    Each label of an image is drawn by popularity. With probability `noise`, it is drawn from all labels. Otherwise it
    is drawn from the first topic (3 times out of 4) or the second. If the image already has the label, it is drawn
    again: up to 8 times in the same way, and then from all labels.

    Parameters
    ----------
    n_images, n_labels : int
        The shape of the set. Labels in the tail may have no images.
    n_pairs : int
        The exact number of distinct pairs, from `n_images` to ``n_images * n_labels``.
    n_topics : int, optional
        The number of topics. The default is the rounded square root of `n_labels`.
    exponent : float
        The exponent of the label popularity: 0 makes all labels equally popular, and 1 is Zipf's law.
    noise : float
        The share of labels that do not depend on the topics, from 0 to 1.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same set.

    Returns
    -------
    AnnotationSet
        A set with the ids ``image-0, ...`` and the names ``label-0, ...``, most popular first.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> synthetic(1000, 100, 5000, rng=0)
    <AnnotationSet: 1,000 images, 100 labels, 5,000 pairs>
    """
    planted = _Planted(n_images, n_labels, n_pairs, n_topics, exponent, noise, rng)
    check_memory(4 * n_pairs, f"a set of {n_pairs:,} pairs", "make it smaller, or use save_synthetic")
    indices = np.empty(n_pairs, dtype=np.int32)
    done = 0
    for block in planted.blocks():
        indices[done : done + len(block)] = block
        done += len(block)
    return AnnotationSet(planted.indptr, indices, n_labels, planted.image_ids, planted.label_names)


def save_synthetic(
    path: str | PathLike[str],
    n_images: int,
    n_labels: int,
    n_pairs: int,
    *,
    n_topics: int | None = None,
    exponent: float = 1.0,
    noise: float = 0.1,
    rng: RandomLike = None,
    after_block: Callable[[int], object] = lambda n_done: None,
) -> None:
    """Write the set that `synthetic` makes to a native ``.h5`` file, without holding its pairs in memory.

    Parameters
    ----------
    path : str or path-like
        The file to write. An existing file is replaced.
    n_images, n_labels, n_pairs, n_topics, exponent, noise, rng
        As in `synthetic`.
    after_block : callable
        Called with the number of pairs written so far, after every few million pairs.

    Raises
    ------
    InputError
        If a parameter is out of range, or the file cannot be written.
    """
    planted = _Planted(n_images, n_labels, n_pairs, n_topics, exponent, noise, rng)

    def blocks() -> Iterator[np.ndarray]:
        done = 0
        for block in planted.blocks():
            yield block
            done += len(block)
            after_block(done)

    elements = {
        "indptr": planted.indptr,
        "indices": storage.Stream("<i4", n_pairs, blocks()),
        "image_ids": planted.image_ids.to_element(),
        "label_names": planted.label_names.to_element(),
    }
    storage.write_file(path, "annotation-set", elements)


class _Planted:
    """A synthetic set whose topics and label counts are drawn, but not yet its labels."""

    def __init__(
        self,
        n_images: int,
        n_labels: int,
        n_pairs: int,
        n_topics: int | None,
        exponent: float,
        noise: float,
        rng: RandomLike,
    ) -> None:
        if n_topics is None:
            n_topics = max(1, round(math.sqrt(max(n_labels, 1))))
        _check(n_images, n_labels, n_pairs, n_topics, exponent, noise)
        self.image_ids = Vocabulary.numbered(n_images, "image", "image-")
        self.label_names = Vocabulary.numbered(n_labels, "label", "label-")
        self._n_labels, self._n_topics, self._noise = n_labels, n_topics, noise
        self._rng = generator(rng)
        self._law = _TopicLaw(n_labels, n_topics, exponent, self._rng)
        self._first, self._second = (self._law.draw_topics(n_images, self._rng) for _ in range(2))
        wanted = _labels_per_image(n_images, n_labels, n_pairs, self._rng)
        self.indptr = np.concatenate(([0], np.cumsum(wanted)))

    def blocks(self) -> Iterator[np.ndarray]:
        """Draw the labels block by block, and yield the next values of ``indices``."""
        for start, stop in row_blocks(self.indptr):
            yield self._draw(slice(start, stop), np.diff(self.indptr[start : stop + 1]))

    def _draw(self, images: slice, wanted: np.ndarray) -> np.ndarray:
        first, second = self._first[images], self._second[images]
        keys = np.empty(0, dtype=np.int64)  # image * n_labels + label, sorted, of the pairs found so far
        short = wanted
        for attempt in range(TOPIC_ROUNDS + ALL_ROUNDS):
            rows = np.repeat(np.arange(len(wanted)), short)
            topics = np.where(self._rng.random(len(rows)) < FIRST_TOPIC_SHARE, first[rows], second[rows])
            topics[self._rng.random(len(rows)) < (self._noise if attempt < TOPIC_ROUNDS else 1.0)] = self._n_topics
            # A round draws only the missing number of labels, so that no image gets too many.
            drawn = rows * self._n_labels + self._law.draw_labels(topics, self._rng)
            keys = sorted_distinct(np.concatenate((keys, drawn)))
            short = wanted - np.bincount(keys // self._n_labels, minlength=len(wanted))
            if not short.any():
                break
        rows, columns = np.divmod(keys, self._n_labels)
        fillers = _fill(rows, columns, short, self._n_labels, self._rng)
        _, indices = pairs_to_csr(
            np.concatenate((rows, np.repeat(np.arange(len(wanted)), short))),
            np.concatenate((columns, fillers)),
            len(wanted),
            self._n_labels,
        )
        return indices


class _TopicLaw:
    """Labels sorted by topic with their cumulative popularity, so that a draw from a topic is one binary search."""

    def __init__(self, n_labels: int, n_topics: int, exponent: float, rng: np.random.Generator) -> None:
        # Deal labels out in random order, so that no topic is empty.
        topic = rng.permutation(np.arange(n_labels) % n_topics)
        self._labels = np.argsort(topic, kind="stable")
        popularity = np.arange(1, n_labels + 1, dtype=np.float64) ** -exponent
        self._cumulative = np.concatenate(([0.0], np.cumsum(popularity[self._labels])))
        bounds = np.concatenate(([0], np.cumsum(np.bincount(topic, minlength=n_topics))))
        # The last "topic" has all labels.
        self._start = np.append(bounds[:-1], 0)
        self._stop = np.append(bounds[1:], n_labels)

    def draw_topics(self, size: int, rng: np.random.Generator) -> np.ndarray:
        edges = self._cumulative[self._stop[:-1]]
        topics = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
        return np.asarray(np.minimum(topics, len(edges) - 1))

    def draw_labels(self, topics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = self._cumulative[self._start[topics]], self._cumulative[self._stop[topics]]
        at = np.searchsorted(self._cumulative, low + rng.random(len(topics)) * (high - low), side="right") - 1
        # Rounding can put a draw at the start of the next topic.
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
    """Return the missing number of random labels for each image, chosen from the labels it does not have."""
    starts = np.searchsorted(rows, np.arange(len(short) + 1))
    fillers = [np.empty(0, dtype=np.int64)]
    for row in np.flatnonzero(short):
        has_not = np.delete(np.arange(n_labels), columns[starts[row] : starts[row + 1]])
        fillers.append(rng.choice(has_not, short[row], replace=False))
    return np.concatenate(fillers)


def _check(n_images: int, n_labels: int, n_pairs: int, n_topics: int, exponent: float, noise: float) -> None:
    sizes = {"n_images": n_images, "n_labels": n_labels, "n_pairs": n_pairs, "n_topics": n_topics}
    for name, value in sizes.items():
        if not is_whole(value):
            raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
    if not n_images <= n_pairs <= n_images * n_labels:
        raise InputError(
            f"n_pairs must lie between n_images ({n_images:,}: every image has a label) and "
            f"n_images * n_labels ({n_images * n_labels:,}), not {n_pairs:,}"
        )
    # The topics and label counts of the images, and the tables of the labels.
    needed = 32 * (n_images + n_labels)
    check_memory(needed, f"a set of {n_images:,} images and {n_labels:,} labels", "make it smaller")
    if not 1 <= n_topics <= n_labels:
        raise InputError(f"n_topics must lie between 1 and n_labels ({n_labels:,}), not {n_topics}")
    if not (math.isfinite(exponent) and exponent >= 0):
        raise InputError(f"exponent must be finite and not negative, not {exponent}")
    if not 0 <= noise <= 1:
        raise InputError(f"noise must lie between 0 and 1, not {noise}")
