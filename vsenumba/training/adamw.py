"""AdamW, with gradients clipped to a common length."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.gate import admit, readable

# How long both moments are remembered, and what keeps a division from one by 0.
FIRST, SECOND, SMALLEST = 0.9, 0.999, 1e-8

# Numbers that a task moves.
_CHUNK = 1 << 14


class AdamW:
    """Adam with weight decay of its own (Loshchilov & Hutter 2019).

    Parameters
    ----------
    tables : mapping from str to float32 array
        What is trained, changed in place; tables that cannot be changed are replaced by copies.
    weight_decay : float
        The share of the learning rate by which weights shrink at every step.
    max_grad_norm : float
        Gradients of all tables together that are longer are scaled down to this.
    moments : mapping, optional
        What `moments` held when training was left; fresh ones where left out.
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
        """Move all tables against their gradients; return the gradients' length before it was cut."""
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
