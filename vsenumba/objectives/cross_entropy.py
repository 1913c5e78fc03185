"""Cross-entropy of a match against its negatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.objectives.objective import Objective, query_loss


class CrossEntropyState(NamedTuple):
    """One over the temperature, and one over the number of queries."""

    sharpness: float
    share: float


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Objective):
    """Base of the objectives that minimise cross-entropy: ``-ln softmax(s_ii / τ)``, averaged over all queries.

    The softmax compares the match's ``s_ii / τ`` with ``(M_ij + s_ij) / τ`` of the query's negatives, where M is the
    margin.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "all"
        Rule that selects the negatives.
    temperature : float, default 0.05
        τ, above 0.
    """

    temperature: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.temperature) or not 0 < self.temperature < np.inf:
            raise InputError(f"temperature must be positive and finite, not {self.temperature!r}")

    def state(self, n: int) -> CrossEntropyState:
        """Return the state; see `Objective.state`."""
        return CrossEntropyState(1 / self.temperature, 1 / (2 * n))


@query_loss.implement(CrossEntropyState)
def _query_loss(state, scores, margins, query, chosen, n_chosen, gradient):
    match = scores[query, query] * state.sharpness
    largest = match
    for i in range(n_chosen):
        largest = max(largest, (margins[query, chosen[i]] + scores[query, chosen[i]]) * state.sharpness)
    total = math.exp(match - largest)
    for i in range(n_chosen):
        total += math.exp((margins[query, chosen[i]] + scores[query, chosen[i]]) * state.sharpness - largest)
    scale = state.sharpness * state.share
    for i in range(n_chosen):
        other = chosen[i]
        power = math.exp((margins[query, other] + scores[query, other]) * state.sharpness - largest)
        gradient[query, other] += np.float32(scale * power / total)
    gradient[query, query] += np.float32(scale * (math.exp(match - largest) / total - 1))
    return (math.log(total) + largest - match) * state.share
