"""The base of all retrieval objectives: a batch's loss and its gradient with respect to the batch's cosines.

A batch is N images with one caption each. ``scores[i, j]`` is the cosine of image i and caption j, so the matches are
the diagonal. Each image is a query for captions, and each caption is a query for images. To add an objective, write one
file with a frozen dataclass, and name it in ``objectives/__init__.py``. Objectives differ in which negatives count
(`vsenumba.objectives.negatives`), in their margins (`vsenumba.objectives.margins`), and in the function of these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numba import prange

from vsenumba.checks import RandomLike, generator
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.kernels.gate import readable
from vsenumba.kernels.largest import choose_largest
from vsenumba.objectives.margins import SemanticMargin, as_margin, check_margin
from vsenumba.objectives.negatives import Negatives, as_negatives
from vsenumba.registry import Family, Member


@dispatched
def query_loss(state, scores, margins, query, chosen, n_chosen, gradient):
    """Return a query's loss, and add its gradient to the query's row.

    Parameters
    ----------
    state : NamedTuple
        An objective's state; its class selects the implementation.
    scores : (N, N) float32
        Cosines, one row for each query, with the match on the diagonal.
    margins : (N, N) float32
        Numbers to add to the scores of negatives.
    query : int
        The row.
    chosen, n_chosen : (N,) int32, int
        The query's negatives are the first `n_chosen` of `chosen`.
    gradient : (N, N) float32
        Output: the gradient is added to its row `query`.
    """
    raise TypeError(f"no objective is computed from a {type(state).__name__}")


class BatchLoss(NamedTuple):
    """A batch's loss.

    Attributes
    ----------
    loss : float
        The loss, for images and captions as queries.
    gradient : (N, N) float32 array
        Gradient with respect to the cosines.
    group_size : int
        Maximum number of negatives of a query.
    """

    loss: float
    gradient: np.ndarray
    group_size: int


@dataclass(frozen=True, kw_only=True)
class Objective(Member, ABC):
    """Base of the objectives.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "all"
        Rule that selects the negatives among the other items of a batch.
    """

    margin: float | SemanticMargin = 0.2
    negatives: Negatives | str = "all"
    nested: ClassVar[Mapping[str, Family[Any]]] = {"margin": as_margin, "negatives": as_negatives}

    def __post_init__(self) -> None:
        if not isinstance(self.margin, SemanticMargin):
            check_margin("margin", self.margin)
        as_negatives(self.negatives)

    @abstractmethod
    def state(self, n: int) -> Any:
        """Return the state that `query_loss` needs for a batch of `n` pairs, a named tuple."""

    @property
    def needs_semantics(self) -> bool:
        """Whether margins depend on the meaning of captions."""
        return isinstance(self.margin, SemanticMargin)

    def batch_loss(
        self,
        scores: np.ndarray,
        *,
        same: np.ndarray | None = None,
        semantics: np.ndarray | None = None,
        rng: RandomLike = None,
    ) -> BatchLoss:
        """Return a batch's loss and its gradient.

        Parameters
        ----------
        scores : (N, N) array
            Cosines of images (rows) and captions (columns), with the matches on the diagonal.
        same : (N, N) bool array, optional
            Pairs that show the same image and therefore are not negatives. The diagonal is always included.
        semantics : (N, R) array, optional
            Vectors of the meaning of captions, for a `SemanticMargin`.
        rng : int, Generator, SeedSequence or None, default None
            Random seed, for random negatives.

        Returns
        -------
        BatchLoss
            The loss, its gradient, and the number of negatives.

        Raises
        ------
        InputError
            If `scores` is not square, or a semantic margin lacks `semantics`.

        Examples
        --------
        >>> import numpy as np
        >>> from vsenumba.objectives import MaxOfHinges
        >>> loss, gradient, _ = MaxOfHinges(margin=0.2).batch_loss(np.array([[0.5, 0.4], [0.1, 0.6]]))
        >>> round(loss, 6), gradient.tolist()
        (0.1, [[-1.0, 1.0], [0.0, 0.0]])
        """
        scores = np.ascontiguousarray(scores, np.float32)
        n = len(scores)
        if scores.shape != (n, n):
            raise InputError(f"scores must be square, a row per image and a column per caption, not {scores.shape}")
        # Copy a read-only array, because a rule from outside the package may need a writable one.
        scores = readable("scores", np.require(scores, requirements="W"), (n, n))
        if isinstance(self.margin, SemanticMargin):
            if semantics is None or len(semantics) != n:
                raise InputError(f"a semantic margin needs a vector for each of the {n} captions; pass semantics")
            margins = self.margin.of(semantics)
        else:
            margins = np.full((n, n), self.margin, np.float32)
        excluded = np.eye(n, dtype=bool)
        if same is not None:
            excluded |= readable("same", same, (n, n), np.bool_)
        rule = as_negatives(self.negatives)
        size = min(rule.group_size(scores), max(n - 1, 1))
        drawn = generator(rng)
        total, gradient = 0.0, np.zeros_like(scores)
        for turn in (np.asarray, _transposed):
            queries, asked = turn(scores), turn(margins)
            preference = rule.preference(queries, turn(excluded), drawn)
            preference = queries + asked if preference is None else preference
            losses, part = np.zeros(n), np.zeros_like(scores)
            _evaluate(
                self.state(n),
                queries,
                asked,
                turn(excluded),
                preference,
                size,
                np.empty((n, n), np.int32),
                part,
                losses,
            )
            total += float(losses.sum())
            gradient += turn(part)
        return BatchLoss(total, gradient, size)


def _transposed(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.T)


@kernel(parallel=True)
def _evaluate(state, scores, margins, excluded, preference, size, chosen, gradient, losses):
    for number in prange(scores.shape[0]):
        # Else compiled twice, as in `vsenumba.training.annotation.epoch`.
        query = np.int64(number)
        n_chosen = choose_largest(preference[query], excluded[query], size, chosen[query])
        losses[query] = query_loss(state, scores, margins, query, chosen[query], n_chosen, gradient)
