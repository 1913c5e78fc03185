"""Margins: how far a match must score above each negative. Similar negatives can have larger margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.registry import Family, Member


@dataclass(frozen=True, kw_only=True)
class SemanticMargin(Member):
    """Use larger margins for negatives with similar captions: ``base + weight S_ij``.

    ``S_ij = z_i·z_j / max_k z_i·z_k``, where z_i is a vector of the meaning of caption i. A negative whose caption is
    similar to the query's must stay further away. It is therefore among the hardest negatives more often, and counts
    more. If the largest product of a row is 0, S is 0.

    Parameters
    ----------
    base : float, default 0.185
        α of the paper, at least 0.
    weight : float, default 0.025
        λ of the paper, at least 0.

    References
    ----------
    Gong & Cosma, "Improving visual-semantic embeddings by learning semantically-enhanced hard negatives for cross-modal
    information retrieval", Pattern Recognition 2023.

    Examples
    --------
    >>> import numpy as np
    >>> SemanticMargin(base=0.2, weight=0.1).of(np.eye(2))
    array([[0.3, 0.2],
           [0.2, 0.3]], dtype=float32)
    """

    base: float = 0.185
    weight: float = 0.025
    name: ClassVar[str] = "semantic"

    def __post_init__(self) -> None:
        check_margin("base", self.base)
        check_margin("weight", self.weight)

    def of(self, semantics: np.ndarray) -> np.ndarray:
        """Return the margins of all pairs, (N, N) float32, from the vectors of the captions' meaning, (N, R)."""
        products = np.asarray(semantics, np.float32) @ np.asarray(semantics, np.float32).T
        largest = products.max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        return np.float32(self.base) + np.float32(self.weight) * (products / largest)


def check_margin(name: str, margin: object) -> None:
    """Raise an error for a margin that is negative or not finite."""
    if not is_number(margin) or not 0 <= margin < np.inf:  # type: ignore[operator]
        raise InputError(f"{name} must be finite and at least 0, not {margin!r}")


as_margin = Family("margin", SemanticMargin, (SemanticMargin,))
