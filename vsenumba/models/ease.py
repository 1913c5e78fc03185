"""EaseAnnotator: a linear model between labels in closed form, the strong baseline for small label sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg import lapack

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError, MemoryLimitError
from vsenumba.kernels.gate import readable
from vsenumba.memory import check_memory
from vsenumba.models.annotator import Annotator
from vsenumba.models.parameters import Number, Parameter, Whole
from vsenumba.storage import schema

# G, its inverse and what the inversion works in, as float64 and float32.
_BYTES_PER_CELL = 24

# Of float64's 16 digits an inverse loses as many as this has zeros; float32 weights should keep some.
_LEAST_CONDITION = 1e-13


class EaseAnnotator(Annotator):
    """Score a label by a weighted sum over the image's known labels, with weights in closed form.

    ``B = I - P diag(1 / P_jj)`` with ``P = (XᵀX + l2 I)⁻¹``, zero on the diagonal; the scores of an image are ``x B``.
    Takes memory quadratic and time cubic in the number of labels.

    Parameters
    ----------
    l2 : float
        Weight decay; above 0.
    max_bytes : int
        The most memory that fitting may take.

    Attributes
    ----------
    weights_ : (n_labels, n_labels) float32 array
        B.

    References
    ----------
    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
    """

    kind: ClassVar[str] = "ease-annotator"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "l2": Number("Weight decay.", above=0),
        "max_bytes": Whole("The most memory that fitting may take, in bytes."),
    }

    def __init__(self, l2: float = 30.0, max_bytes: int = 8_000_000_000) -> None:
        self.l2 = l2
        self.max_bytes = max_bytes

    def fit(self, X: Any, y: Any = None) -> Self:
        """Solve for the weights between the labels of an AnnotationSet, matrix or list of label lists.

        Raises
        ------
        InputError
            If `l2` is so small that the weights would be rounding errors.
        MemoryLimitError
            If the matrices between all labels take more than `max_bytes`, or than there is; the bytes are named.
        """
        self.check_parameters()
        data = as_annotation_set(X)
        needed = _BYTES_PER_CELL * data.n_labels**2
        if needed > self.max_bytes:
            raise MemoryLimitError(
                f"EASE needs {needed:,} bytes for its matrices between {data.n_labels:,} labels, more than max_bytes="
                f"{self.max_bytes:,}; leave out rare labels, or use an ImageAnnotator"
            )
        check_memory(needed, f"EASE with {data.n_labels:,} labels", "leave out rare labels, or use an ImageAnnotator")
        self._remember(data)
        matrix = data.to_csr().astype(np.float64)
        gram = (matrix.T @ matrix).toarray()
        gram[np.diag_indices_from(gram)] += self.l2
        try:
            self.weights_ = _weights(gram)
        except ArithmeticError as error:
            raise InputError(
                f"l2={self.l2} is too small for this set: {error}; give a larger one, such as l2={type(self)().l2:g}"
            ) from error
        return self

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the weighted sums over the known labels; see `Annotator.score_block`."""
        return np.asarray(known.rows_to_csr(rows) @ self._checked_weights(known)[:, labels])

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a label that says something of others; see `Annotator.knows`."""
        telling = self._checked_weights(known).any(axis=1).astype(np.float32)
        return np.asarray(known.rows_to_csr(rows) @ telling) > 0

    def _label_likeness(self, column: int) -> np.ndarray:
        weights = readable("weights_", self.weights_, (len(self.label_names_),) * 2)
        # With the inverse P of the labels' Gram matrix: -P_ij / sqrt(P_ii P_jj), of weights -P_ij / P_jj.
        forth, back = weights[column], weights[:, column]
        if not forth.any():
            raise InputError(f"label {self.label_names_[column]!r} stands beside no other: no label is near to it")
        likeness = np.sign(forth) * np.sqrt(forth * back)
        likeness[~weights.any(axis=0)] = -np.inf
        return likeness

    def _checked_weights(self, known: AnnotationSet) -> np.ndarray:
        return readable("weights_", self.weights_, (known.n_labels, known.n_labels))

    def _to_elements(self) -> dict[str, Any]:
        return {**super()._to_elements(), "arrays": {"weights": self.weights_}}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        weights = schema.Array(schema.FLOAT, ("n_labels", "n_labels"), finite=True)
        return {"arrays": schema.Elements({"weights": weights}, closed=True)}

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        self.weights_ = elements["arrays"]["weights"]


def _weights(gram: np.ndarray) -> np.ndarray:
    """Return EASE's weights from the regularised Gram matrix, which is overwritten.

    Raises
    ------
    ArithmeticError
        If float64 cannot tell the matrix from one without an inverse.
    """
    norm = gram.sum(axis=0).max()  # as none of its values is negative
    factor, failed = lapack.dpotrf(gram, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise ArithmeticError("the labels' matrix has no Cholesky factor")
    condition, _ = lapack.dpocon(factor, norm, uplo="U")
    if condition < _LEAST_CONDITION:
        raise ArithmeticError(f"the reciprocal condition of the labels' matrix is {condition:.1g}")
    inverse, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    # Only the upper triangle is computed.
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
