"""PopularityAnnotator: every image gets the most popular labels. The floor that any model must rise above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.kernels.gate import readable
from vsenumba.models.annotator import Annotator
from vsenumba.models.parameters import Parameter
from vsenumba.storage import schema


class PopularityAnnotator(Annotator):
    """Score a label by the number of training images that have it, whatever the image.

    Attributes
    ----------
    counts_ : (n_labels,) int64 array
        Number of training images each label has.
    """

    kind: ClassVar[str] = "popularity-annotator"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the labels of an AnnotationSet, sparse matrix, array or list of label lists."""
        data = as_annotation_set(X)
        self._remember(data)
        self.counts_ = data.label_counts.copy()
        return self

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the counts, once per image; see `Annotator.score_block`."""
        counts = readable("counts_", self.counts_, (known.n_labels,), np.int64)
        return np.tile(counts[labels].astype(np.float32), (len(rows), 1))

    def _to_elements(self) -> dict[str, Any]:
        return {**super()._to_elements(), "arrays": {"counts": self.counts_}}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        counts = schema.Array(schema.COUNT, ("n_labels",), least=0, below="n_images+1")
        return {"arrays": schema.Elements({"counts": counts}, closed=True)}

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        self.counts_ = elements["arrays"]["counts"]
