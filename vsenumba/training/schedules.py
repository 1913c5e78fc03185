"""Schedules of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from vsenumba.errors import unknown_name

# Each function returns the factor of the learning rate when a share of the training, in [0, 1), is finished.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "step": lambda done: 1.0 if done < 0.6 else 0.1,
}


def scheduled_rate(schedule: str, learning_rate: float, epoch: float, n_epochs: int) -> float:
    """Return the learning rate at a point of training.

    Parameters
    ----------
    schedule : {"constant", "linear", "cosine", "step"}
        The schedule. With "linear" and "cosine" the rate falls from `learning_rate` towards 0, which it would reach
        after the last epoch. With "step" it falls to a tenth after 60 % of the epochs.
    learning_rate : float
        The learning rate of the first epoch.
    epoch : float
        The number of finished epochs, which may be fractional.
    n_epochs : int
        The number of epochs in the schedule.

    Returns
    -------
    float
        The learning rate.

    Raises
    ------
    UnknownNameError
        If there is no such schedule.

    Examples
    --------
    >>> [scheduled_rate("linear", 0.1, epoch, 4) for epoch in range(4)]
    [0.1, 0.07500000000000001, 0.05, 0.025]
    """
    if schedule not in SCHEDULES:
        raise unknown_name("schedule", schedule, SCHEDULES)
    return learning_rate * SCHEDULES[schedule](epoch / n_epochs)
