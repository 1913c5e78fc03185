"""AdamW, with all gradients clipped to a common maximum length."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.gate import admit, readable

# The decay rates of the first and the second moment, and the number that prevents a division by 0.
FIRST, SECOND, SMALLEST = 0.9, 0.999, 1e-8

# The numbers that one parallel task updates.
_CHUNK = 1 << 14


class AdamW:
    """Adam with decoupled weight decay (AdamW).

    Parameters
    ----------
    tables : mapping from str to float32 array
        The tables to train, changed in place. A read-only table is replaced by a copy.
    weight_decay : float
        A step of learning rate η multiplies the weights by ``1 - η * weight_decay``.
    max_grad_norm : float
        The maximum length of the gradients of all tables together. Longer gradients are scaled down to this length.
    moments : mapping, optional
        The `moments` of an earlier training, to continue from. By default training starts with new moments.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> tables = {"weights": np.array([[1.0, -1.0]], np.float32)}
    >>> adamw = AdamW(tables, weight_decay=0.0, max_grad_norm=1.0)
    >>> adamw.step({"weights": np.array([[3.0, 4.0]], np.float32)}, learning_rate=0.1)
    5.0
    >>> tables["weights"].round(3)
    array([[ 0.9, -1.1]], dtype=float32)
    """

    def __init__(
        self,
        tables: MutableMapping[str, np.ndarray],
        weight_decay: float,
        max_grad_norm: float,
        moments: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._tables = tables
        self._weight_decay = weight_decay
        self._max_grad_norm = max_grad_norm
        if moments is None:
            moments = {f"{turn}.{name}": np.zeros_like(table) for name, table in tables.items() for turn in "12"}
            moments["steps"] = np.zeros(1, np.int64)
        self.moments = dict(moments)
        self.moments["steps"] = np.array(readable("moments['steps']", self.moments.get("steps", ()), (1,), np.int64))
        self._admit()

    def _admit(self) -> None:
        shapes = {name: table.shape for name, table in self._tables.items()}
        admit("tables_", self._tables, shapes)
        admit("moments", self.moments, {f"{turn}.{name}": shape for name, shape in shapes.items() for turn in "12"})

    def step(self, gradients: Mapping[str, np.ndarray], learning_rate: float) -> float:
        """Update all tables against their gradients.

        Parameters
        ----------
        gradients : mapping from str to float32 array
            One gradient per table, of the table's shape.
        learning_rate : float
            The learning rate.

        Returns
        -------
        float
            The length of all gradients together, before clipping.
        """
        self._admit()
        length = float(np.sqrt(sum(float(np.vdot(one, one)) for one in gradients.values())))
        scale = min(1.0, self._max_grad_norm / max(length, 1e-30))
        self.moments["steps"] += 1
        n = int(self.moments["steps"][0])
        size = learning_rate / (1 - FIRST**n)
        second = 1 / np.sqrt(1 - SECOND**n)
        for name, gradient in gradients.items():
            table = self._tables[name]
            _move(
                table.reshape(-1), readable(f"the gradient in {name}", gradient, table.shape).reshape(-1),
                self.moments[f"1.{name}"].reshape(-1), self.moments[f"2.{name}"].reshape(-1), np.float32(scale),
                np.float32(size), np.float32(second), np.float32(1 - learning_rate * self._weight_decay),
            )  # fmt: skip
        return length


@kernel(parallel=True)
def _move(table, gradient, first, second, scale, size, correction, keep):
    n = table.shape[0]
    for task in prange((n + _CHUNK - 1) // _CHUNK):
        for i in range(task * _CHUNK, min((task + 1) * _CHUNK, n)):
            grad = gradient[i] * scale
            mean = np.float32(FIRST) * first[i] + np.float32(1 - FIRST) * grad
            square = np.float32(SECOND) * second[i] + np.float32(1 - SECOND) * grad * grad
            first[i] = mean
            second[i] = square
            table[i] = keep * table[i] - size * mean / (np.sqrt(square) * correction + np.float32(SMALLEST))
