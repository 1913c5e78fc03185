"""The logistic loss in float32, because double precision is slow on many GPUs and uses many registers."""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.logistic import logistic
from vsenumba.losses import value_and_grad
from vsenumba.losses.logistic import LogisticState


@value_and_grad.implement(LogisticState, target="cuda")
def _value_and_grad(loss, difference, trials):  # pragma: no cover  # compiled for a GPU
    sigma, value = logistic(-np.float32(difference))
    return value, -sigma
