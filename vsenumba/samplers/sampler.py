"""What every negative sampler offers: its parameters, its exact law, and its draw.

A sampler is a frozen dataclass of parameters. For training it makes a *state*, a named tuple of arrays and scalars
that kernels can read; the function `draw` below picks its implementation by the class of that tuple. To add a
sampler, write one file with the two classes and the implementation, and name it in ``samplers/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numba import prange

from vsenumba.checks import RandomLike, is_whole, seed_sequence
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.kernels.gate import readable
from vsenumba.kernels.random import shard_states
from vsenumba.memory import check_memory
from vsenumba.registry import Member

# An image's own labels are rejected; after so many rejections in a row the draw is given up.
MAX_REJECTIONS = 64

_DRAW_SHARDS = 32

# Scores are float32, and WARP adds a margin to them.
_LARGEST_SCORE = 1e38


@dispatched
def draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    """Draw a negative for one pair of an image and a label it has.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state; its class picks the implementation.
    states, shard : (n_shards, 8) uint64, int
        Random states, and whose turn it is.
    image : (k,) float32
        The image's vector.
    labels : (L, k) float32
        The label factors.
    indices, begin, end : (n_pairs,) int32, int, int
        The image's own labels are ``indices[begin:end]``.
    positive : int
        The label of the pair.

    Returns
    -------
    label, trials : int
        The negative, -1 where the draw was given up; and how many labels were tried.
    """
    raise TypeError(f"no sampler draws from a {type(sampler).__name__}")


@dispatched
def aim(sampler, image):
    """Return the state for several draws with one image's vector, which must not change meanwhile.

    A sampler that computes something from the vector alone may note it there; for the others it is the state as it is.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state; its class picks the implementation.
    image : (k,) float32
        The image's vector.
    """


@aim.implement(object)
def _aim(sampler, image):
    return sampler


@dispatched
def trial_probability(sampler, image, label):
    """Return the probability that one trial of `draw` gives a label, those of the image's own among them.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state, from `Sampler.with_probabilities`; its class picks the implementation.
    image : (k,) float32
        The image's vector.
    label : int
    """
    raise TypeError(f"a draw by a {type(sampler).__name__} has no probability that is known")


@dataclass(frozen=True, kw_only=True)
class Sampler(Member, ABC):
    """Base of the negative samplers.

    `by_vector` says whether the law depends on the image's vector; where it does not, draws can be shared.
    """

    by_vector: ClassVar[bool] = True

    @property
    def knows_probabilities(self) -> bool:
        """Whether `trial_probability` is implemented for it, at no more than the cost of a draw."""
        return False

    def with_probabilities(self, state: Any) -> Any:
        """Return a fresh state with what `trial_probability` reads beside what `draw` does; for most it is the same."""
        return state

    @abstractmethod
    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> Any:
        """Return a fresh state for kernels, a named tuple.

        Parameters
        ----------
        label_counts : (L,) int64
            Number of training images each label has.
        n_factors : int
            Number of factors, k.
        n_shards : int
            Number of shards that will draw at the same time.
        """

    def refresh(self, state: Any, label_factors: np.ndarray) -> None:  # for most there is nothing to do
        """Bring the state up to date with the label factors; most samplers have nothing to do."""

    def refresh_interval(self, n_labels: int, epoch: int) -> int | None:
        """Return the number of draws after which `refresh` is due in an epoch, counted from 1; None for never."""
        return None

    @abstractmethod
    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: sp.csr_array, label_counts: np.ndarray
    ) -> np.ndarray:
        """Return weights (n, L) float64, proportional to the law where labels of the image's own are rejected."""

    def law(
        self, image_factors: Any, label_factors: Any, positives: Any = None, *, label_counts: Any = None
    ) -> np.ndarray:
        """Return the exact probability of each label being returned by `draw`.

        Parameters
        ----------
        image_factors : (n, k) array
            The images' vectors.
        label_factors : (L, k) array
            The label factors.
        positives : (n, L) sparse matrix, or one array of label columns per image, optional
            The images' own labels, which are never returned.
        label_counts : (L,) array of int, optional
            Number of training images each label has; by default counted in `positives`, or 1 each without these.

        Returns
        -------
        (n, L) float64 array
            Rows sum to 1; the row of an image that has every label is 0 throughout, as nothing can be returned.

        Raises
        ------
        InputError
            If shapes do not fit, a factor is not finite, or scores could overflow float32.
        """
        images, labels, own, counts = checked_arguments(image_factors, label_factors, positives, label_counts)
        _check_table(images, labels)
        weights = self._weights(images, labels, own, counts)
        weights[np.repeat(np.arange(len(images)), np.diff(own.indptr)), own.indices] = 0
        totals = weights.sum(axis=1, keepdims=True)
        return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)

    def skip_probability(
        self, image_factors: Any, label_factors: Any, positives: Any = None, *, label_counts: Any = None
    ) -> np.ndarray:
        """Return the exact probability that `draw` gives up, for each image.

        A draw is given up after 64 rejections in a row of the image's own labels; WARP's, where its search finds no
        violator. Training counts these pairs as skipped.

        Parameters
        ----------
        image_factors, label_factors, positives, label_counts
            As in `law`.

        Returns
        -------
        (n,) float64 array

        Examples
        --------
        >>> from vsenumba import UniformSampler
        >>> UniformSampler().skip_probability(np.ones((2, 1)), np.ones((3, 1)), [[0, 1], [0, 1, 2]]).round(3)
        array([0., 1.])
        """
        arguments = checked_arguments(image_factors, label_factors, positives, label_counts)
        _check_table(*arguments[:2])
        return np.clip(self._skips(*arguments), 0, 1)

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: sp.csr_array, label_counts: np.ndarray
    ) -> np.ndarray:
        return own_share(own, self._weights(image_factors, label_factors, own, label_counts)) ** MAX_REJECTIONS

    def draw(
        self,
        image_factors: Any,
        label_factors: Any,
        size: int,
        rng: RandomLike = None,
        positives: Any = None,
        *,
        label_counts: Any = None,
    ) -> np.ndarray:
        """Draw negatives with the compiled code that training runs.

        Each draw of an image is for one of its own labels, taken in turn.

        Parameters
        ----------
        image_factors, label_factors, positives, label_counts
            As in `law`.
        size : int
            Number of draws per image.
        rng : int, Generator, SeedSequence or None
            Where the randomness comes from.

        Returns
        -------
        (n, size) int32 array
            Label columns; -1 where a draw was given up.
        """
        images, labels, own, counts = checked_arguments(image_factors, label_factors, positives, label_counts)
        if not is_whole(size, 0):
            raise InputError(f"size must be a whole number of at least 0, not {size!r}")
        size = int(size)
        check_memory(4 * len(images) * size, f"size={size} for each of {len(images):,} images", "draw fewer at once")
        state = self.state(counts, labels.shape[1], _DRAW_SHARDS)
        self.refresh(state, labels)
        drawn = np.full((len(images), size), -1, dtype=np.int32)
        states = shard_states(seed_sequence(rng), _DRAW_SHARDS)
        images, labels = (readable("factors", table, table.shape) for table in (images, labels))
        _draw_many(state, states, images, labels, own.indptr.astype(np.int64), own.indices.astype(np.int32), drawn)
        return drawn


def _check_table(images: np.ndarray, labels: np.ndarray) -> None:
    """Refuse a law of so many labels for so many images that it does not fit into memory."""
    what = f"the law of {len(labels):,} labels for each of {len(images):,} images"
    check_memory(16 * len(images) * len(labels), what, "ask for fewer images at once")


def own_share(own: sp.csr_array, weights: np.ndarray) -> np.ndarray:
    """Return the share of its own labels in each image's weights, (n,)."""
    return own.astype(bool).multiply(weights).sum(axis=1) / weights.sum(axis=1)


@kernel(parallel=True)
def _draw_many(sampler, states, images, labels, indptr, indices, drawn):
    n_shards = states.shape[0]
    for shard in prange(n_shards):
        for i in range(shard, images.shape[0], n_shards):
            begin, end = indptr[i], indptr[i + 1]
            for t in range(drawn.shape[1]):
                positive = indices[begin + t % (end - begin)] if end > begin else -1
                label, _ = draw(sampler, states, shard, images[i], labels, indices, begin, end, positive)
                drawn[i, t] = label


def checked_arguments(
    image_factors: Any, label_factors: Any, positives: Any, label_counts: Any
) -> tuple[np.ndarray, np.ndarray, sp.csr_array, np.ndarray]:
    """Return contiguous float32 factors, the images' own labels as CSR and the labels' counts, or refuse them."""
    tables = []
    for name, table in (("image_factors", image_factors), ("label_factors", label_factors)):
        table = np.ascontiguousarray(table, dtype=np.float32)
        if table.ndim != 2 or 0 in table.shape[1:]:
            raise InputError(f"{name} must be a table of shape (rows, factors), not {table.shape}")
        if not np.isfinite(table).all():
            raise InputError(
                f"{name} must be finite; row {int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])}"
                " holds NaN, inf or a number too large for float32"
            )
        tables.append(table)
    images, labels = tables
    if images.shape[1] != labels.shape[1]:
        raise InputError(
            f"image_factors and label_factors must have the same number of factors, not {images.shape[1]} and "
            f"{labels.shape[1]}"
        )
    if len(labels) == 0:
        raise InputError("label_factors has no rows; at least one label is needed")
    bound = np.abs(images).max(initial=0).astype(np.float64) * np.abs(labels).max() * labels.shape[1]
    if bound > _LARGEST_SCORE:
        raise InputError(
            f"image_factors and label_factors are too large: scores could reach {bound:.1e}, beyond float32; scale them"
        )
    own = _own_labels(positives, (len(images), len(labels)))
    if label_counts is None:
        counts = np.bincount(own.indices, minlength=len(labels)) if own.nnz else np.ones(len(labels))
    else:
        counts = np.asarray(label_counts)
        if counts.shape != (len(labels),) or counts.dtype.kind not in "iu" or (counts < 0).any():
            raise InputError(f"label_counts must be one whole number >= 0 per label ({len(labels)})")
    return images, labels, own, counts.astype(np.int64)


def _own_labels(positives: Any, shape: tuple[int, int]) -> sp.csr_array:
    if positives is None:
        return sp.csr_array(shape, dtype=np.int8)
    if not sp.issparse(positives):
        columns: Sequence[np.ndarray] = [np.unique(np.asarray(one, dtype=np.int64)) for one in positives]
        indptr = np.concatenate(([0], np.cumsum([len(one) for one in columns], dtype=np.int64)))
        indices = np.concatenate([*columns, np.zeros(0, np.int64)])
        if len(columns) == shape[0] and len(indices) and not 0 <= indices.min() <= indices.max() < shape[1]:
            raise InputError(
                f"positives must be label columns in 0..{shape[1] - 1}, found {indices.min()}..{indices.max()}"
            )
        if len(columns) != shape[0]:
            raise InputError(f"positives must be one array per image ({shape[0]}), not {len(columns)}")
        return sp.csr_array((np.ones(len(indices), np.int8), indices, indptr), shape=shape)
    own = sp.csr_array(positives)
    if own.shape != shape:
        hint = "; did you pass the transpose?" if own.shape == shape[::-1] else ""
        raise InputError(f"positives must be images by labels {shape}, not {own.shape}{hint}")
    own.sum_duplicates()
    return own
