"""Hinge losses: each negative that comes within its margin of the match costs the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vsenumba.objectives.objective import Objective, query_loss


class HingesState(NamedTuple):
    """Hinges need no state, but a named tuple must have a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class Hinges(Objective):
    """Base of the objectives that minimise hinges: ``Σ_i Σ_j [M_ij + s_ij - s_ii]₊`` over each query's negatives j.

    The sum includes images and captions as queries i. M is the margin.

    Parameters
    ----------
    margin : float or SemanticMargin, default 0.2
        Number to add to the score of each negative, at least 0.
    negatives : Negatives or str, default "all"
        Rule that selects the negatives.
    """

    def state(self, n: int) -> HingesState:
        """Return the state; see `Objective.state`."""
        return HingesState(1.0)


@query_loss.implement(HingesState)
def _query_loss(state, scores, margins, query, chosen, n_chosen, gradient):
    total = 0.0
    for i in range(n_chosen):
        other = chosen[i]
        gap = margins[query, other] + scores[query, other] - scores[query, query]
        if gap > 0:
            total += gap
            gradient[query, other] += 1
            gradient[query, query] -= 1
    return total
