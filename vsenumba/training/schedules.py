"""Schedules: how the learning rate changes over the epochs."""

from __future__ import annotations

import math
from collections.abc import Callable

from vsenumba.errors import unknown_name

# Each maps the share of training that is done, in [0, 1), to a factor of the learning rate.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "step": lambda done: 1.0 if done < 0.6 else 0.1,
}


def scheduled_rate(schedule: str, learning_rate: float, epoch: float, n_epochs: int) -> float:
    """Return the learning rate of an epoch.

    Parameters
    ----------
    schedule : {"constant", "linear", "cosine", "step"}
        "linear" and "cosine" fall from `learning_rate` towards 0, which they would reach after the last epoch; "step"
        falls to a tenth after 60 % of the epochs.
    learning_rate : float
        The rate of the first epoch.
    epoch : float
        How many epochs are done; a part of one, where the rate falls within epochs.
    n_epochs : int
        Number of epochs planned.

    Examples
    --------
    >>> [scheduled_rate("linear", 0.1, epoch, 4) for epoch in range(4)]
    [0.1, 0.07500000000000001, 0.05, 0.025]
    """
    if schedule not in SCHEDULES:
        raise unknown_name("schedule", schedule, SCHEDULES)
    return learning_rate * SCHEDULES[schedule](epoch / n_epochs)
