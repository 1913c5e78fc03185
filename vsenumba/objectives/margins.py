"""Margins: by how much a match must score above each negative; one number, or more for negatives that mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.registry import Family, Member


@dataclass(frozen=True, kw_only=True)
class SemanticMargin(Member):
    """``base + weight S_ij`` with ``S_ij = z_i·z_j / max_k z_i·z_k``, z what a caption is about.

    A negative whose caption is close to the query's is asked to stay further away: so it is among the hardest more
    often, and counts more. Rows whose largest product is 0 have S of 0.

    Parameters
    ----------
    base, weight : float
        α and λ of the paper; at least 0.

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
        """Return the margins of all pairs, (N, N) float32, from what the captions are about, (N, R)."""
        products = np.asarray(semantics, np.float32) @ np.asarray(semantics, np.float32).T
        largest = products.max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        return np.float32(self.base) + np.float32(self.weight) * (products / largest)


def check_margin(name: str, margin: object) -> None:
    """Refuse a margin that is negative or not finite."""
    if not is_number(margin) or not 0 <= margin < np.inf:  # type: ignore[operator]
        raise InputError(f"{name} must be finite and at least 0, not {margin!r}")


as_margin = Family("margin", SemanticMargin, (SemanticMargin,))
