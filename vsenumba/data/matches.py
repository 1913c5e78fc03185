"""What is found or suggested: names with scores, best first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError


class Match(NamedTuple):
    """The name of a label, an image, a caption or a word that was found or suggested, and its score.

    A higher score is better. Scores of one question can be compared with each other.
    """

    name: str
    score: float


def best_matches(scores: np.ndarray, n: int, names: Vocabulary | np.ndarray) -> list[Match]:
    """Return the `n` highest scores with their names, best first; scores of minus infinity are left out.

    Equal scores come in the order of their positions.

    Raises
    ------
    InputError
        If a score is NaN or infinite.

    Examples
    --------
    >>> best_matches(np.array([0.5, 2.0, -np.inf]), 3, Vocabulary(["cat", "dog", "ox"], "word"))
    [Match(name='dog', score=2.0), Match(name='cat', score=0.5)]
    """
    order = best_places(scores, checked_count(n), names)
    found = zip(order.tolist(), scores[order].tolist(), strict=True)
    return [Match(str(names[place]), score) for place, score in found if score > -np.inf]


def best_places(scores: np.ndarray, n: int, names: Vocabulary | np.ndarray) -> np.ndarray:
    """Return the positions of the `n` highest scores, best first, int64; see `best_matches`."""
    n = min(n, len(scores))
    # The greatest is NaN if one of them is.
    if n and not np.maximum.reduce(scores) < np.inf:
        bad = int(np.flatnonzero(~(scores < np.inf))[0])
        raise not_finite(str(names[bad]), scores[bad])
    top = np.argpartition(-scores, n - 1)[:n] if n else np.zeros(0, np.int64)
    # Partition picks any of the equals at the border; widen to all of them so that the first ones win.
    if n:
        top = np.flatnonzero(scores >= scores[top].min())
    return top[np.lexsort((top, -scores[top]))][:n]


def checked_count(n: object) -> int:
    """Return a number of matches that is asked for, refusing what is no whole number of at least 1."""
    if not is_whole(n):
        raise InputError(f"n must be a whole number of at least 1, not {n!r}")
    return int(n)  # type: ignore[call-overload]  # it is a number


def not_finite(name: str, score: float) -> InputError:
    """Return the error for a score that is NaN or infinite."""
    return InputError(
        f"the score of {name!r} is {score}: the model's arrays contain NaN or numbers that are too large; fit or load "
        "the model again"
    )
