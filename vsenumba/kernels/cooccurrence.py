"""Look up entries of the symmetric CSR matrix of how often labels occur together, including the diagonal."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel


@kernel
def gather_square(indptr, indices, values, chosen, place, square):
    """Copy the rows and columns of some labels into a dense matrix.

    Parameters
    ----------
    indptr, indices, values : (L + 1,) int64, (n,) int32, (n,) float32
        The matrix in CSR form.
    chosen : (m,) int32
        The labels, each once.
    place : (L,) int32
        Work space; -1 everywhere, before and after the call.
    square : (m, m) float32
        The dense matrix, overwritten.
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
    """Find the labels that do not occur with a label, but occur with labels that do.

    The strength of the connection from label a to label c is ``sums[c] = Σ_b n_ab n_bc steps_b``, over the labels b
    between them. It is the second term in the series of an inverse matrix.

    Parameters
    ----------
    indptr, indices, values
        The matrix; see `gather_square`.
    steps : (L,) float64
        The weight of a step over each label.
    label : int
        The label a.
    sums : (L,) float64
        0 everywhere before the call. After it, the strengths of the returned labels; the caller resets them to 0.
    reached : (L,) int32
        The returned labels, written from the start.

    Returns
    -------
    int
        The number of returned labels.
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
    # Exclude the label itself and the labels that occur with it.
    for at in range(indptr[label], indptr[label + 1]):
        sums[indices[at]] = 0
    sums[label] = 0
    kept = 0
    for i in range(n):
        if sums[reached[i]] > 0:
            reached[kept] = reached[i]
            kept += 1
    return kept
