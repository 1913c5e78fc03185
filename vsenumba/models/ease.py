"""EaseAnnotator: a linear model between labels in closed form, the strong baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError, MemoryLimitError
from vsenumba.kernels.gate import readable
from vsenumba.memory import check_memory
from vsenumba.models.annotator import Annotator
from vsenumba.models.devices import DEVICES
from vsenumba.models.parameters import Choice, Number, Parameter, Whole
from vsenumba.models.sparse_weights import MEMBERS, checked_weights, weights_from_elements, weights_to_elements
from vsenumba.storage import schema
from vsenumba.training.annotation.label_weights import local_weight_bytes, local_weights

# G, its inverse and what the inversion works in, as float64 and float32.
_BYTES_PER_CELL = 24

# Of float64's 16 digits a solution loses as many as this has zeros; float32 weights should keep some.
_LEAST_CONDITION = 1e-13


class EaseAnnotator(Annotator):
    """Score a label by a weighted sum over the image's known labels, with weights in closed form.

    ``B = I - P diag(1 / P_jj)`` with ``P = (XᵀX + l2 I)⁻¹``, zero on the diagonal; the scores of an image are ``x B``.
    This takes memory quadratic and time cubic in the number of labels.

    With `max_neighbours` each label depends on some others only, and memory and time grow with the number of labels and
    of pairs that occur together: it has nearly EASE's accuracy at any number of labels; see
    `vsenumba.training.annotation.label_weights`.

    Parameters
    ----------
    l2 : float
        Weight decay; above 0.
    max_bytes : int
        The most memory that fitting may take.
    max_neighbours : int, optional
        About how many weights a label has in the mean; 128 is a good choice. None for weights between all labels.
    n_threads : int, optional
        Threads for `max_neighbours`; None for all.
    device : {"cpu", "cuda"}
        Where weights between all labels are solved for: "cuda" takes an NVIDIA card (docs/how-to/gpu.md).

    Attributes
    ----------
    weights_ : (n_labels, n_labels) float32 array, or CSR array with `max_neighbours`
        B.

    References
    ----------
    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
    """

    kind: ClassVar[str] = "ease-annotator"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "l2": Number("Weight decay.", above=0),
        "max_bytes": Whole("Memory limit for fitting, in bytes."),
        "max_neighbours": Whole("Approximate mean number of weights per label.", "all"),
        "n_threads": Whole("Number of threads.", "all cores", in_file=False),
        "device": Choice("Device for computing the weights between all labels.", names=DEVICES, in_file=False),
    }

    def __init__(
        self,
        l2: float = 30.0,
        max_bytes: int = 8_000_000_000,
        max_neighbours: int | None = None,
        n_threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.l2 = l2
        self.max_bytes = max_bytes
        self.max_neighbours = max_neighbours
        self.n_threads = n_threads
        self.device = device

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
        self._check_memory(data)
        self._remember(data)
        try:
            if self.max_neighbours is None:
                matrix = data.to_csr().astype(np.float64)
                gram = (matrix.T @ matrix).toarray()
                gram[np.diag_indices_from(gram)] += self.l2
                self.weights_ = _weights(gram, self.device)
            else:
                (self.weights_,) = local_weights(data, [self.l2], self.max_neighbours, self.n_threads)
        except ArithmeticError as error:
            raise InputError(
                f"l2={self.l2} is too small for this set: {error}; give a larger one, such as l2={type(self)().l2:g}"
            ) from error
        return self

    def _check_memory(self, data: AnnotationSet) -> None:
        n_labels = data.n_labels
        if self.max_neighbours is None:
            needed, what = _BYTES_PER_CELL * n_labels**2, f"its matrices between {n_labels:,} labels"
            advice = "give max_neighbours=128 for a sparse solution, or leave out rare labels"
        else:
            needed = local_weight_bytes(data, self.max_neighbours)
            what = f"how often {n_labels:,} labels occur together"
            advice = "leave out frequent labels"
        if needed > self.max_bytes:
            raise MemoryLimitError(
                f"EASE needs {needed:,} bytes for {what}, more than max_bytes={self.max_bytes:,}; {advice}"
            )
        check_memory(needed, f"EASE with {n_labels:,} labels", advice)

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the weighted sums over the known labels; see `Annotator.score_block`."""
        weights = self._checked_weights(known.n_labels)
        if not (isinstance(labels, slice) and labels == slice(None)):  # which would copy them
            weights = weights[:, labels]
        scores = known.rows_to_csr(rows) @ weights
        return scores.toarray() if sp.issparse(scores) else np.asarray(scores)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a label that says something of others; see `Annotator.knows`."""
        telling = _any(self._checked_weights(known.n_labels), axis=1).astype(np.float32)
        return np.asarray(known.rows_to_csr(rows) @ telling) > 0

    def _label_likeness(self, column: int) -> np.ndarray:
        weights = self._checked_weights(len(self.label_names_))
        # With the inverse P of the labels' Gram matrix: -P_ij / sqrt(P_ii P_jj), of weights -P_ij / P_jj.
        forth, back = weights[[column]], weights[:, [column]]
        if sp.issparse(weights):
            forth, back = forth.toarray(), back.toarray()
        forth, back = forth[0], back[:, 0]
        if not forth.any():
            raise InputError(f"label {self.label_names_[column]!r} stands beside no other: no label is near to it")
        # Where each label depends on some others only, one of the two weights may be missing.
        likeness = np.sign(forth) * np.sqrt(np.maximum(forth * back, 0))
        likeness[~_any(weights, axis=0)] = -np.inf
        return likeness

    def _checked_weights(self, n_labels: int) -> Any:
        """Return the weights, a float32 array or a CSR array, having made sure of their shape."""
        if sp.issparse(self.weights_) != (self.max_neighbours is not None):
            raise InputError("max_neighbours has changed since the model was fitted; fit it afresh")
        if not sp.issparse(self.weights_):
            return readable("weights_", self.weights_, (n_labels, n_labels))
        return checked_weights("weights_", self.weights_, n_labels)

    def _to_elements(self) -> dict[str, Any]:
        weights = self._checked_weights(len(self.label_names_))
        if not sp.issparse(weights):
            return {**super()._to_elements(), "arrays": {"weights": weights}}
        return {**super()._to_elements(), "arrays": weights_to_elements(weights)}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        members = MEMBERS
        if self.max_neighbours is None:
            members = {"weights": schema.Array(schema.FLOAT, ("n_labels", "n_labels"), finite=True)}
        return {"arrays": schema.Elements(members, closed=True)}

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        arrays = elements["arrays"]
        self.weights_ = arrays["weights"]
        if self.max_neighbours is not None:
            self.weights_ = weights_from_elements(arrays, len(self.label_names_))


def _any(weights: Any, axis: int) -> np.ndarray:
    """Return which rows or columns of a matrix have a number that is not 0."""
    if not sp.issparse(weights):
        return np.asarray(weights.any(axis=axis))
    return np.asarray((weights != 0).sum(axis=axis)) > 0


def _weights(gram: np.ndarray, device: str) -> np.ndarray:
    """Return EASE's weights from the regularised Gram matrix, which is overwritten.

    Raises
    ------
    ArithmeticError
        If float64 cannot tell the matrix from one without an inverse.
    """
    inverse = _inverse_on_card(gram) if device == "cuda" else _inverse(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def _inverse(gram: np.ndarray) -> np.ndarray:
    norm = gram.sum(axis=0).max()  # as none of its values is negative
    factor, failed = lapack.dpotrf(gram, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise ArithmeticError("the labels' matrix has no Cholesky factor")
    condition, _ = lapack.dpocon(factor, norm, uplo="U")
    _check_condition(condition)
    inverse, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    # Only the upper triangle is computed.
    return np.triu(inverse) + np.triu(inverse, 1).T


def _inverse_on_card(gram: np.ndarray) -> np.ndarray:
    from vsenumba.gpu.ease import inverted

    inverse, condition = inverted(gram)
    _check_condition(condition)
    return inverse


def _check_condition(condition: float) -> None:
    if not condition >= _LEAST_CONDITION:
        raise ArithmeticError(f"the reciprocal condition of the labels' matrix is {condition:.1g}")
