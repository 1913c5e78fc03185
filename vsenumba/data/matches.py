"""Search results and suggestions: names with scores, best first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError


class Match(NamedTuple):
    """A result: the name of a label, image, caption or word, and its score.

    A higher score is better. You can compare the scores of one query with each other.
    """

    name: str
    score: float


def best_matches(scores: np.ndarray, n: int, names: Vocabulary | np.ndarray) -> list[Match]:
    """Return the `n` highest scores with their names, best first, without scores of minus infinity.

    Equal scores are in order of position.

    Raises
    ------
    InputError
        If a score is NaN or plus infinity, or `n` is not a whole number of at least 1.

    Examples
    --------
    >>> best_matches(np.array([0.5, 2.0, -np.inf]), 3, Vocabulary(["cat", "dog", "ox"], "word"))
    [Match(name='dog', score=2.0), Match(name='cat', score=0.5)]
    """
    order = best_places(scores, checked_count(n), names)
    found = zip(order.tolist(), scores[order].tolist(), strict=True)
    return [Match(str(names[place]), score) for place, score in found if score > -np.inf]


def best_places(scores: np.ndarray, n: int, names: Vocabulary | np.ndarray) -> np.ndarray:
    """Return the positions of the `n` highest scores, best first, as int64. See `best_matches`."""
    n = min(n, len(scores))
    # The maximum is NaN if any score is NaN.
    if n and not np.maximum.reduce(scores) < np.inf:
        bad = int(np.flatnonzero(~(scores < np.inf))[0])
        raise not_finite(str(names[bad]), scores[bad])
    top = np.argpartition(-scores, n - 1)[:n] if n else np.zeros(0, np.int64)
    # argpartition picks arbitrarily among scores equal to the last one. Include all of them, so that the first ones
    # win.
    if n:
        top = np.flatnonzero(scores >= scores[top].min())
    return top[np.lexsort((top, -scores[top]))][:n]


def checked_count(n: object) -> int:
    """Return a requested number of matches, after checking that it is a whole number of at least 1."""
    if not is_whole(n):
        raise InputError(f"n must be a whole number of at least 1, not {n!r}")
    return int(n)  # type: ignore[call-overload]  # it is a number


def not_finite(name: str, score: float) -> InputError:
    """Return the error for a score that is NaN or infinite."""
    return InputError(
        f"the score of {name!r} is {score}: the model's arrays contain NaN or numbers that are too large; fit or load "
        "the model again"
    )
