"""Solve ridge regressions by an iterative method."""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# When the residual is so small compared with the target, the solution is as exact as float32 allows.
_TOLERANCE = np.float32(1e-5)
_MOST_STEPS = 1_000


@kernel
def solve_ridge(square, l2, target, solution, work):
    """Solve ``(square + l2 I) solution = target`` by conjugate gradients.

    Each step multiplies a vector by the matrix. About 10 steps are enough if l2 is not small compared with the
    diagonal, which serves as the preconditioner. A factorisation would take as many operations as n / 3 such products.

    Parameters
    ----------
    square : (n, n) float32
        A symmetric matrix without negative eigenvalues, and with positive numbers on the diagonal.
    l2 : float32
        The ridge, above 0.
    target : (n,) float32
        The right-hand side.
    solution : (n,) float32
        The solution, written.
    work : (3, n) float32
        Work space.

    Returns
    -------
    bool
        Whether the solution was found within 1,000 steps.

    References
    ----------
    Hestenes, M. R. and Stiefel, E. (1952). Methods of conjugate gradients for solving linear systems. Journal of
    Research of the National Bureau of Standards 49, 409-436. With Jacobi's preconditioner.
    """
    n = target.shape[0]
    residual, direction, product = work[0], work[1], work[2]
    wanted, slope = np.float32(0), np.float32(0)
    for i in range(n):
        solution[i] = 0
        residual[i] = target[i]
        direction[i] = target[i] / (square[i, i] + l2)
        wanted += target[i] * target[i]
        slope += target[i] * direction[i]
    wanted *= _TOLERANCE * _TOLERANCE
    for _ in range(_MOST_STEPS):
        curve = np.float32(0)
        for i in range(n):
            total = l2 * direction[i]
            for j in range(n):
                total += square[i, j] * direction[j]
            product[i] = total
            curve += total * direction[i]
        if slope == 0 or curve == 0:
            return True
        step = slope / curve
        left, new_slope = np.float32(0), np.float32(0)
        for i in range(n):
            solution[i] += step * direction[i]
            residual[i] -= step * product[i]
            left += residual[i] * residual[i]
            new_slope += residual[i] * residual[i] / (square[i, i] + l2)
        if left <= wanted:
            return True
        for i in range(n):
            direction[i] = residual[i] / (square[i, i] + l2) + new_slope / slope * direction[i]
        slope = new_slope
    return False
