"""What a training is made of must be known to the kernels for cards; the rest is refused before anything is copied."""

from __future__ import annotations

from typing import Any

from vsenumba.errors import InputError
from vsenumba.gpu.refresh import refresh_on_card
from vsenumba.gpu.sampling import draw_by_group
from vsenumba.samplers import Sampler


def check_known(function: Any, state: Any, what: object) -> None:
    """Refuse what a function for kernels has no implementation for.

    Parameters
    ----------
    function : callable
        One that differs by the class of a state; see `vsenumba.kernels.compiler.dispatched`.
    state : NamedTuple
        The state of what is asked about.
    what : object
        How to call it in the message.
    """
    if type(state) not in function.registry:
        raise InputError(f'{what} does not work on a card; take another, or device="cpu"')


def check_sampler(sampler: Sampler, state: Any) -> None:
    """Refuse a sampler whose draws, or whose way of being brought up to date, no card knows."""
    check_known(draw_by_group, state, f"the sampler {sampler}")
    refreshes = next(one for one in type(sampler).__mro__ if "refresh" in vars(one))
    if refreshes is not Sampler and refreshes not in refresh_on_card.registry:
        raise InputError(
            f"the sampler {sampler} is not brought up to date on a card: register its class with "
            'vsenumba.gpu.refresh.refresh_on_card, or take device="cpu"'
        )
