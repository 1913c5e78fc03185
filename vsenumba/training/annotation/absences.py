"""Verified absences as negatives: labels that people looked for in an image and did not find.

For a pair of an image with absences A, the negative is drawn from A with probability s (`Task.absent_share`), where all
absences are equally likely. Otherwise the sampler draws it. So the law is ``s / |A| + (1 - s) p(a)`` for a label a in
A, and ``(1 - s) p(a)`` for the others, where p is the sampler's law. A draw from A counts as one label tried. A set
without absences compiles to code that does not mention them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.kernels.compiler import dispatched
from vsenumba.kernels.gate import below, segments
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers import draw
from vsenumba.training.annotation.layout import ABSENT_BEGIN, ABSENT_END, BEGIN, END, POSITIVE, SLOT


class NoAbsences(NamedTuple):
    """The state for a set without absences. It needs nothing, but a named tuple needs a field."""

    share: float


class AbsencesState(NamedTuple):
    """The absences of all images in CSR form, and the share of negatives that are drawn from them."""

    indptr: np.ndarray
    indices: np.ndarray
    share: float


def absences_state(data: AnnotationSet, share: float) -> Any:
    """Return the state for a set: `NoAbsences` or `AbsencesState`."""
    if data.absent is None or not share:
        return NoAbsences(0.0)
    indices = below("the indices of the data's absences", data.absent.indices, data.n_labels)
    indptr = segments("the indptr of the data's absences", data.absent.indptr, len(indices), data.n_images)
    return AbsencesState(indptr, indices, float(share))


@dispatched
def note_absences(absences, steps, row, first_step, n_steps):
    """Store the range of the image's absences in some steps.

    Parameters
    ----------
    absences : NamedTuple
        The state; its class selects the implementation.
    steps : (STEP_ROWS, BLOCK) int64
        The rows `ABSENT_BEGIN` and `ABSENT_END` are written.
    row : int
        The image's row in the data.
    first_step, n_steps : int
        The first step and the number of steps.
    """


@dispatched
def draw_negative(absences, sampler, states, shard, vectors, labels, indices, steps, step):
    """Draw the negative of a step; return it and the number of labels tried, like `vsenumba.samplers.draw`."""


@note_absences.implement(NoAbsences)
def _note_nothing(absences, steps, row, first_step, n_steps):
    pass


@draw_negative.implement(NoAbsences)
def _draw_by_sampler(absences, sampler, states, shard, vectors, labels, indices, steps, step):
    return draw(
        sampler, states, shard, vectors[steps[SLOT, step]], labels, indices, steps[BEGIN, step], steps[END, step],
        steps[POSITIVE, step],
    )  # fmt: skip


@note_absences.implement(AbsencesState)
def _note_absences(absences, steps, row, first_step, n_steps):
    for step in range(first_step, first_step + n_steps):
        steps[ABSENT_BEGIN, step] = absences.indptr[row]
        steps[ABSENT_END, step] = absences.indptr[row + 1]


@draw_negative.implement(AbsencesState)
def _draw_by_absences(absences, sampler, states, shard, vectors, labels, indices, steps, step):
    begin, end = steps[ABSENT_BEGIN, step], steps[ABSENT_END, step]
    if end > begin and next_uniform(states, shard) < absences.share:
        return np.int64(absences.indices[begin + next_below(states, shard, end - begin)]), 1
    return draw(
        sampler, states, shard, vectors[steps[SLOT, step]], labels, indices, steps[BEGIN, step], steps[END, step],
        steps[POSITIVE, step],
    )  # fmt: skip
