"""PopularityAnnotator: suggest the most popular labels for every image; the baseline that any model should beat."""

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
    """Score a label by the number of training images that have it, for any image.

    Attributes
    ----------
    counts_ : (n_labels,) int64 array
        Number of training images that have each label.

    Examples
    --------
    >>> from vsenumba import PopularityAnnotator
    >>> model = PopularityAnnotator().fit([["cat", "pet"], ["dog", "pet"], ["oak", "tree"]])
    >>> [match.name for match in model.annotate([["cat"]], n=1)[0]]
    ['pet']
    """

    kind: ClassVar[str] = "popularity-annotator"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the labels of a set.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            The training pairs. Rows are images, columns are labels.
        y : None
            Ignored; present for compatibility with scikit-learn.

        Returns
        -------
        PopularityAnnotator
            The model itself.
        """
        data = as_annotation_set(X)
        self._remember(data)
        self.counts_ = data.label_counts.copy()
        return self

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the counts, repeated for each image; see `Annotator.score_block`."""
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
