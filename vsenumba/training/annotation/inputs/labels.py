"""Images represented by their other labels: the sum of the labels' context vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import changed_structure
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.gate import lent, readable
from vsenumba.kernels.prefetch import prefetch
from vsenumba.losses import Loss
from vsenumba.samplers import AdaptiveSampler, Sampler
from vsenumba.training.annotation.inputs.kind import (
    Counts,
    Feed,
    InputKind,
    Recipe,
    Sizes,
    Table,
    gather_visit,
    prefetch_visit,
    scatter_visit,
    shares_vector,
)
from vsenumba.training.annotation.layout import BLOCK, SCRATCH
from vsenumba.training.optimisers import Optimiser, row_rate

# 0 means the sum of the labels' vectors, 1 means their mean. Of 0, 0.25, ..., 1, this was the best on the caption words
# of Flickr8k (MRR .235, against .220 with 0.5), and as good as any on sets with fewer labels per image.
_POWER = 0.75

# An image with many labels has many steps per epoch, so the model could memorise it. The weight decay therefore grows
# with the mean number of labels per image, if that is above 4, up to 10 times its default (docs/explanation/recipe.md).
_FEW, _MOST_DECAY = 4, 10

#: With more pairs there are no weights between labels by default, because counting which labels occur together would
#: take gigabytes.
MOST_WEIGHED_PAIRS = 10_000_000


class LabelsState(NamedTuple):
    """The context factors, the optimiser's sums of them, and the power of the number of labels."""

    context: np.ndarray
    sums: np.ndarray
    power: float


class LabelInputs(InputKind):
    """Represent an image by ``v_i = Σ_y c_y / m^0.75`` over its m labels, where c is the table ``context_factors``.

    In training, the pair's own label is left out of the sum, so that it does not help to predict itself. This is CBOW
    over sets of labels. There is no table of images, so a new image gets its vector from its labels. The model cannot
    learn from an image with a single label, because no label is left to represent it.
    """

    name: ClassVar[str] = "labels"
    recipe: ClassVar[Recipe] = Recipe(
        learning_rate=0.1,
        l2=0.001,
        n_negatives=1,
        sampler=AdaptiveSampler(lam=0.1, n_candidates=None),
        max_neighbours=128,
    )
    initial_spread: ClassVar[float] = 0.1
    needs_image_rows: ClassVar[bool] = False
    least_labels: ClassVar[int] = 2  # one to predict, and another to represent the image

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return settings with more weight decay if images have many labels; see `InputKind.recipe_for`."""
        labels_per_image = counts.n_pairs / max(counts.n_images, 1)
        decay = self.recipe.l2 * min(max(labels_per_image / _FEW, 1), _MOST_DECAY)
        max_neighbours = self.recipe.max_neighbours if counts.n_pairs <= MOST_WEIGHED_PAIRS else 0
        return replace(self.recipe, l2=decay, max_neighbours=max_neighbours)

    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return one table with a row per label; see `InputKind.tables`."""
        return {"context_factors": Table(sizes.n_labels, sizes.n_factors, self.initial_spread)}

    def feed(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> Feed:
        """Return the feed of the table; see `InputKind.feed`."""
        return Feed(LabelsState(tables["context_factors"], sums["context_factors"], _POWER))

    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return which images have a label; see `InputKind.knows`."""
        return known.indptr[rows + 1] > known.indptr[rows]

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the scaled sums over all known labels; 0 for images without labels; see `InputKind.vectors`."""
        context = readable("tables_['context_factors']", tables["context_factors"], (known.n_labels, None))
        rows = readable("rows", rows, (None,), np.int64)
        vectors = np.empty((len(rows), context.shape[1]), dtype=np.float32)
        outcome = _sum_labels(context, _POWER, lent(known.indptr), lent(known.indices), rows, vectors)
        if outcome != _SUMMED:
            raise _FAULTS[outcome](known)
        return vectors


# The outcomes of a sum: success, or a row, a pair or a label out of range.
_SUMMED, _NO_IMAGE, _NO_PAIR, _NO_LABEL = range(4)
_FAULTS: dict[int, Callable[[AnnotationSet], InputError]] = {
    _NO_IMAGE: lambda known: InputError(f"rows must lie in 0..{known.n_images - 1}, the images of {known!r}"),
    _NO_PAIR: lambda known: changed_structure("indptr"),
    _NO_LABEL: lambda known: changed_structure("indices"),
}


@kernel
def _looked_at(indptr, indices, rows, n_labels):
    """Check some images of a set, and return the outcome.

    Sets may have millions of images, of which only a few are summed at a time. So they are checked here and not by
    `vsenumba.kernels.gate`. The check comes first, because loops with an exit would make the sums slower.
    """
    for i in range(rows.shape[0]):
        if not 0 <= rows[i] < indptr.shape[0] - 1:
            return _NO_IMAGE
        begin, end = indptr[rows[i]], indptr[rows[i] + 1]
        if not 0 <= begin <= end <= indices.shape[0]:
            return _NO_PAIR
        for j in range(begin, end):
            if not 0 <= indices[j] < n_labels:
                return _NO_LABEL
    return _SUMMED


@kernel
def _sum_labels(context, power, indptr, indices, rows, vectors):
    """Write the scaled sum of the context vectors of each image's labels; return the outcome."""
    outcome = _looked_at(indptr, indices, rows, context.shape[0])
    if outcome != _SUMMED:
        return outcome
    for i in range(rows.shape[0]):
        begin, end = indptr[rows[i]], indptr[rows[i] + 1]
        vectors[i] = 0
        for j in range(begin, end):
            label = indices[j]
            for f in range(vectors.shape[1]):
                vectors[i, f] += context[label, f]
        weight = np.float32(max(end - begin, 1) ** -power)
        for f in range(vectors.shape[1]):
            vectors[i, f] *= weight
    return _SUMMED


@shares_vector.implement(LabelsState)
def _shares_vector(inputs):
    return False


@prefetch_visit.implement(LabelsState)
def _prefetch_visit(inputs, row, indptr, indices):
    prefetch(indices, indptr[row])


@gather_visit.implement(LabelsState)
def _gather_visit(inputs, vectors, visit, indices, adds):
    n_factors = vectors.shape[1]
    others = visit.end - visit.begin - 1
    weight = np.float32(max(others, 1) ** -inputs.power)
    vectors[SCRATCH] = 0
    for j in range(visit.begin, visit.end):
        label = indices[j]
        for f in range(n_factors):
            vectors[SCRATCH, f] += inputs.context[label, f]
    for pair in range(visit.first, visit.last):
        s = visit.slot + pair - visit.first
        label = indices[pair]
        for f in range(n_factors):
            v = weight * (vectors[SCRATCH, f] - inputs.context[label, f])
            vectors[s, f] = vectors[s, f] + v if adds else v
    return others > 0


@scatter_visit.implement(LabelsState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    if visit.end - visit.begin < 2:
        return  # the only label was not part of any vector, so it does not decay
    n_factors = vectors.shape[1]
    weight = np.float32(max(visit.end - visit.begin - 1, 1) ** -inputs.power)
    gradients = visit.slot + BLOCK
    vectors[SCRATCH] = 0
    for s in range(gradients, gradients + visit.n_slots):
        for f in range(n_factors):
            vectors[SCRATCH, f] += vectors[s, f]
    for j in range(visit.begin, visit.end):
        label = indices[j]
        # A label is part of the vector of every pair except its own.
        is_own = visit.first <= j < visit.last
        own = np.float32(1) if is_own else np.float32(0)
        s = gradients + (j - visit.first if is_own else 0)
        square = np.float32(0)
        for f in range(n_factors):
            gradient = weight * (vectors[SCRATCH, f] - own * vectors[s, f])
            square += gradient * gradient
        rate = np.float32(row_rate(optimiser, learning_rate, inputs.sums, label, square / np.float32(n_factors)))
        for f in range(n_factors):
            gradient = weight * (vectors[SCRATCH, f] - own * vectors[s, f])
            inputs.context[label, f] -= rate * (gradient + l2 * inputs.context[label, f])
