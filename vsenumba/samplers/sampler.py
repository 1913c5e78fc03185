"""The base of all negative samplers: their parameters, their exact law, and their draw.

A sampler is a frozen dataclass of parameters. For training it creates a *state*, a named tuple of arrays and scalars
that kernels can read. The function `draw` below selects its implementation by the class of that tuple. To add a
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

# A draw rejects the image's known labels. After this many rejections in a row, it is skipped.
MAX_REJECTIONS = 64

_DRAW_SHARDS = 32

# Largest absolute score. It leaves room in float32 for the margin that WARP adds.
_LARGEST_SCORE = 1e38


@dispatched
def draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    """Draw a negative for one pair of an image and one of its labels.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state; its class selects the implementation.
    states, shard : (n_shards, 8) uint64, int
        Random states, and the index of the one to use.
    image : (k,) float32
        The image's vector.
    labels : (L, k) float32
        The label factors.
    indices, begin, end : (n_pairs,) int32, int, int
        The image's known labels are ``indices[begin:end]``.
    positive : int
        The label of the pair.

    Returns
    -------
    label, trials : int
        The negative, or -1 if the draw was skipped; and the number of labels that were tried.
    """
    raise TypeError(f"no sampler draws from a {type(sampler).__name__}")


@dispatched
def aim(sampler, image):
    """Prepare a state for several draws with one image's vector, which must not change meanwhile.

    A sampler that computes something from the vector alone can store it in the state. For other samplers, the state is
    returned unchanged.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state; its class selects the implementation.
    image : (k,) float32
        The image's vector.
    """


@aim.implement(object)
def _aim(sampler, image):
    return sampler


@dispatched
def trial_probability(sampler, image, label):
    """Return the probability that one trial of `draw` gives a label; trials can also give known labels.

    Parameters
    ----------
    sampler : NamedTuple
        A sampler's state, from `Sampler.with_probabilities`; its class selects the implementation.
    image : (k,) float32
        The image's vector.
    label : int
        The label.
    """
    raise TypeError(f"the probabilities of draws by a {type(sampler).__name__} are not known")


@dataclass(frozen=True, kw_only=True)
class Sampler(Member, ABC):
    """Base of the negative samplers.

    Attributes
    ----------
    by_vector : bool
        Whether the law depends on the image's vector. If it does not, several images can share their draws.
    """

    by_vector: ClassVar[bool] = True

    @property
    def knows_probabilities(self) -> bool:
        """Whether `trial_probability` is implemented, at a cost of at most one draw."""
        return False

    def with_probabilities(self, state: Any) -> Any:
        """Return a new state that `trial_probability` can also read; for most samplers it is the same."""
        return state

    @abstractmethod
    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> Any:
        """Return a new state for kernels, a named tuple.

        Parameters
        ----------
        label_counts : (L,) int64
            Number of training images that have each label.
        n_factors : int
            Length of the vectors, k.
        n_shards : int
            Number of shards that draw at the same time.
        """

    def refresh(self, state: Any, label_factors: np.ndarray) -> None:  # not abstract, because most need no refresh
        """Update the state for new label factors; most samplers have nothing to update."""

    def refresh_interval(self, n_labels: int, epoch: int) -> int | None:
        """Return the number of draws between two refreshes in an epoch, counted from 1; None for no refresh."""
        return None

    @abstractmethod
    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: sp.csr_array, label_counts: np.ndarray
    ) -> np.ndarray:
        """Return weights (n, L) float64 that are proportional to the law, except for the images' known labels."""

    def law(
        self, image_factors: Any, label_factors: Any, positives: Any = None, *, label_counts: Any = None
    ) -> np.ndarray:
        """Return the exact probability that `draw` returns each label.

        Parameters
        ----------
        image_factors : (n, k) array
            Vectors of the images.
        label_factors : (L, k) array
            Vectors of the labels.
        positives : (n, L) sparse matrix, or one array of label columns per image, optional
            The images' known labels, which `draw` never returns.
        label_counts : (L,) array of int, optional
            Number of training images that have each label. The default is to count `positives`, or 1 each without
            these.

        Returns
        -------
        (n, L) float64 array
            Each row sums to 1. For an image that has every label, the row is all zeros: the sampler skips it.

        Raises
        ------
        InputError
            If shapes do not match, a factor is not finite, or scores could overflow float32.
        MemoryLimitError
            If the result does not fit into memory.

        Examples
        --------
        >>> import numpy as np
        >>> from vsenumba import DynamicSampler
        >>> DynamicSampler(n_candidates=2).law(np.ones((1, 1)), np.array([[1.0], [2.0], [3.0]])).round(3)
        array([[0.111, 0.333, 0.556]])
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
        """Return the exact probability that `draw` skips, for each image.

        A draw is skipped after 64 rejections in a row of known labels. With WARP, it is skipped if the search finds no
        label that violates the margin. Training counts these pairs as skipped.

        Parameters
        ----------
        image_factors, label_factors, positives, label_counts
            As in `law`.

        Returns
        -------
        (n,) float64 array
            The probabilities.

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
        """Draw negatives with the compiled code that training uses.

        The draws of an image use its known labels as positives, in turn.

        Parameters
        ----------
        image_factors, label_factors, positives, label_counts
            As in `law`.
        size : int
            Number of draws for each image, at least 0.
        rng : int, Generator, SeedSequence or None, default None
            Random seed.

        Returns
        -------
        (n, size) int32 array
            Label columns; -1 for draws that were skipped.

        Raises
        ------
        InputError
            As in `law`; also if `size` is not a whole number of at least 0.
        MemoryLimitError
            If the result does not fit into memory.

        Examples
        --------
        >>> import numpy as np
        >>> from vsenumba import UniformSampler
        >>> UniformSampler().draw(np.ones((2, 1)), np.ones((5, 1)), 3, rng=0).shape
        (2, 3)
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
    """Raise an error if the law of some labels for some images does not fit into memory."""
    what = f"the law of {len(labels):,} labels for each of {len(images):,} images"
    check_memory(16 * len(images) * len(labels), what, "use fewer images at once")


def own_share(own: sp.csr_array, weights: np.ndarray) -> np.ndarray:
    """Return the share of its known labels in each image's weights, (n,)."""
    return own.astype(bool).multiply(weights).sum(axis=1) / weights.sum(axis=1)


@kernel(parallel=True)
def _draw_many(sampler, states, images, labels, indptr, indices, drawn):
    n_shards = states.shape[0]
    for number in prange(n_shards):
        # Else compiled twice, as in `vsenumba.training.annotation.epoch`.
        shard = np.int64(number)
        for i in range(shard, images.shape[0], n_shards):
            begin, end = indptr[i], indptr[i + 1]
            for t in range(drawn.shape[1]):
                positive = indices[begin + t % (end - begin)] if end > begin else -1
                label, _ = draw(sampler, states, shard, images[i], labels, indices, begin, end, positive)
                drawn[i, t] = label


def checked_arguments(
    image_factors: Any, label_factors: Any, positives: Any, label_counts: Any
) -> tuple[np.ndarray, np.ndarray, sp.csr_array, np.ndarray]:
    """Check the arguments of `law`; return float32 factors, known labels as CSR, and the counts of the labels."""
    tables = []
    for name, table in (("image_factors", image_factors), ("label_factors", label_factors)):
        table = np.ascontiguousarray(table, dtype=np.float32)
        if table.ndim != 2 or 0 in table.shape[1:]:
            raise InputError(f"{name} must be a table of shape (rows, factors), not {table.shape}")
        if not np.isfinite(table).all():
            raise InputError(
                f"{name} must be finite; row {int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])}"
                " contains NaN, inf or a number too large for float32"
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
