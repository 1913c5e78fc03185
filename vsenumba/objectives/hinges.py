"""Hinges: every negative that does not stay its margin below the match costs by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vsenumba.objectives.objective import Objective, query_loss


class HingesState(NamedTuple):
    """Hinges need nothing; a named tuple must have a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class Hinges(Objective):
    """``Σ_i Σ_j [M_ij + s_ij - s_ii]₊`` over each query's negatives, images' and captions' queries added up."""

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
