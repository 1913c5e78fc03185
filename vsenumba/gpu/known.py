"""Check that the GPU has kernels for all parts of a training, before anything is copied to it."""

from __future__ import annotations

from typing import Any

from vsenumba.errors import InputError
from vsenumba.gpu.refresh import refresh_on_card
from vsenumba.gpu.sampling import draw_by_group
from vsenumba.samplers import Sampler


def check_known(function: Any, state: Any, what: object) -> None:
    """Check that a dispatched function has an implementation for a state.

    Parameters
    ----------
    function : callable
        A function that is dispatched by the class of a state; see `vsenumba.kernels.compiler.dispatched`.
    state : NamedTuple
        The state.
    what : object
        The name of the part in the error message.

    Raises
    ------
    InputError
        If there is no implementation.
    """
    if type(state) not in function.registry:
        raise InputError(f'{what} does not work on a GPU; choose another, or use device="cpu"')


def check_sampler(sampler: Sampler, state: Any) -> None:
    """Check that the GPU has kernels for a sampler's draws, and a refresh if the sampler needs one."""
    check_known(draw_by_group, state, f"the sampler {sampler}")
    refreshes = next(one for one in type(sampler).__mro__ if "refresh" in vars(one))
    if refreshes is not Sampler and refreshes not in refresh_on_card.registry:
        raise InputError(
            f"the sampler {sampler} has no refresh for a GPU: register its class with "
            'vsenumba.gpu.refresh.refresh_on_card, or use device="cpu"'
        )
