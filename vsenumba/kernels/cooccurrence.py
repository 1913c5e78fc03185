"""Look-ups in a sparse matrix of how often labels occur together: CSR, symmetric, the diagonal included."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel


@kernel
def gather_square(indptr, indices, values, chosen, place, square):
    """Write the rows and columns of some labels as a dense matrix.

    Parameters
    ----------
    indptr, indices, values : (L + 1,) int64, (n,) int32, (n,) float32
        The matrix.
    chosen : (m,) int32
        The labels, each once.
    place : (L,) int32
        -1 everywhere, before and after.
    square : (m, m) float32
        Written.
    """
    n = chosen.shape[0]
    for i in range(n):
        place[chosen[i]] = i
        square[i] = 0
    for i in range(n):
        for at in range(indptr[chosen[i]], indptr[chosen[i] + 1]):
            j = place[indices[at]]
            if j >= 0:
                square[i, j] = values[at]
    for i in range(n):
        place[chosen[i]] = -1


@kernel
def walk_two_steps(indptr, indices, values, steps, label, sums, reached):
    """Find the labels that do not occur with a label, but with labels that do.

    ``sums[c] = Σ_b n_ab n_bc steps_b`` over the labels b between: the second term of the series of an inverse matrix.

    Parameters
    ----------
    indptr, indices, values
        The matrix; see `gather_square`.
    steps : (L,) float64
        What a step over each label weighs.
    label : int
        Where to start, a.
    sums : (L,) float64
        0 everywhere before; afterwards the sums of the labels that are returned, which the caller sets back to 0.
    reached : (L,) int32
        Written: the labels that are reached.

    Returns
    -------
    int
        How many they are.
    """
    n = 0
    for at in range(indptr[label], indptr[label + 1]):
        between = indices[at]
        weight = values[at] * steps[between]
        if between != label:
            for on in range(indptr[between], indptr[between + 1]):
                end = indices[on]
                if sums[end] == 0:
                    reached[n] = end
                    n += 1
                sums[end] += weight * values[on]
    # What occurs with the label itself, and the label, are no second steps.
    for at in range(indptr[label], indptr[label + 1]):
        sums[indices[at]] = 0
    sums[label] = 0
    kept = 0
    for i in range(n):
        if sums[reached[i]] > 0:
            reached[kept] = reached[i]
            kept += 1
    return kept
