"""EaseAnnotator: a linear model between labels, solved in closed form; a strong baseline."""

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

# Memory for the Gram matrix, its inverse and the work space of the inversion, as float64 and float32.
_BYTES_PER_CELL = 24

# A reciprocal condition of 1e-13 costs 13 of float64's 16 digits. Fewer correct digits are too few for float32 weights.
_LEAST_CONDITION = 1e-13


class EaseAnnotator(Annotator):
    """Score a label by a weighted sum over the image's known labels, with weights in closed form.

    With X the matrix of images and labels, the weights are ``B = I - P diag(1 / P_jj)`` with ``P = (XᵀX + l2 I)⁻¹``,
    and 0 on the diagonal. The scores of an image with the known labels x are ``x B``. Memory grows with the square of
    the number of labels, and time with its cube.

    With `max_neighbours`, each label has weights from some other labels only. Accuracy is nearly that of EASE, for any
    number of labels. Memory and time grow with the number of labels and of pairs that occur together; see
    `vsenumba.training.annotation.label_weights`.

    Parameters
    ----------
    l2 : float, default 30.0
        Weight decay, above 0.
    max_bytes : int, default 8,000,000,000
        Maximum memory for fitting, in bytes.
    max_neighbours : int, optional
        Approximate number of weights that each label has on average; 128 is a good choice. By default, there are
        weights between all labels.
    n_threads : int, optional
        Number of threads to solve with if `max_neighbours` is set; by default all.
    device : {"cpu", "cuda"}, default "cpu"
        Device that solves for weights between all labels. "cuda" uses an NVIDIA GPU (``docs/how-to/gpu.md``).

    Attributes
    ----------
    weights_ : (n_labels, n_labels) float32 array, or CSR array with `max_neighbours`
        The weights B.

    References
    ----------
    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8.

    Examples
    --------
    >>> from vsenumba import EaseAnnotator
    >>> model = EaseAnnotator(l2=1.0).fit([["cat", "pet"], ["dog", "pet"], ["oak", "tree"]])
    >>> [match.name for match in model.annotate([["cat"]], n=1)[0]]
    ['pet']
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
        """Solve for the weights between labels.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            The training pairs. Rows are images, columns are labels.
        y : None
            Ignored; present for compatibility with scikit-learn.

        Returns
        -------
        EaseAnnotator
            The model itself.

        Raises
        ------
        InputError
            If `l2` is so small that rounding errors would dominate the weights.
        MemoryLimitError
            If fitting needs more than `max_bytes`, or more memory than is free. The message states the bytes.
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
                f"l2={self.l2} is too small for this set: {error}; use a larger value, such as l2={type(self)().l2:g}"
            ) from error
        return self

    def _check_memory(self, data: AnnotationSet) -> None:
        n_labels = data.n_labels
        if self.max_neighbours is None:
            needed, what = _BYTES_PER_CELL * n_labels**2, f"matrices between {n_labels:,} labels"
            advice = "set max_neighbours=128 for a sparse solution, or leave out rare labels"
        else:
            needed = local_weight_bytes(data, self.max_neighbours)
            what = f"counting how often {n_labels:,} labels occur together"
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
        if not (isinstance(labels, slice) and labels == slice(None)):  # a slice of all would copy the weights
            weights = weights[:, labels]
        scores = known.rows_to_csr(rows) @ weights
        return scores.toarray() if sp.issparse(scores) else np.asarray(scores)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a label with a weight; see `Annotator.knows`."""
        telling = _any(self._checked_weights(known.n_labels), axis=1).astype(np.float32)
        return np.asarray(known.rows_to_csr(rows) @ telling) > 0

    def _label_likeness(self, column: int) -> np.ndarray:
        weights = self._checked_weights(len(self.label_names_))
        # With P the inverse of the labels' Gram matrix, this is -P_ij / sqrt(P_ii P_jj). The weights are -P_ij / P_jj.
        forth, back = weights[[column]], weights[:, [column]]
        if sp.issparse(weights):
            forth, back = forth.toarray(), back.toarray()
        forth, back = forth[0], back[:, 0]
        if not forth.any():
            raise InputError(
                f"label {self.label_names_[column]!r} never occurs with another: no label is similar to it"
            )
        # With max_neighbours, one of the two weights may be missing.
        likeness = np.sign(forth) * np.sqrt(np.maximum(forth * back, 0))
        likeness[~_any(weights, axis=0)] = -np.inf
        return likeness

    def _checked_weights(self, n_labels: int) -> Any:
        """Return the weights, a float32 array or a CSR array, after checking their shape."""
        if sp.issparse(self.weights_) != (self.max_neighbours is not None):
            raise InputError("max_neighbours has changed since the model was fitted; fit the model again")
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
    """Return which rows or columns of a matrix have a number other than 0."""
    if not sp.issparse(weights):
        return np.asarray(weights.any(axis=axis))
    return np.asarray((weights != 0).sum(axis=axis)) > 0


def _weights(gram: np.ndarray, device: str) -> np.ndarray:
    """Return EASE's weights, computed from the regularised Gram matrix; this overwrites the matrix.

    Raises
    ------
    ArithmeticError
        If the matrix is singular within the precision of float64.
    """
    inverse = _inverse_on_card(gram) if device == "cuda" else _inverse(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def _inverse(gram: np.ndarray) -> np.ndarray:
    norm = gram.sum(axis=0).max()  # the 1-norm, because no value is negative
    factor, failed = lapack.dpotrf(gram, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise ArithmeticError("the labels' matrix has no Cholesky factor")
    condition, _ = lapack.dpocon(factor, norm, uplo="U")
    _check_condition(condition)
    inverse, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    # dpotri computes the upper triangle only.
    return np.triu(inverse) + np.triu(inverse, 1).T


def _inverse_on_card(gram: np.ndarray) -> np.ndarray:
    from vsenumba.gpu.ease import inverted

    inverse, condition = inverted(gram)
    _check_condition(condition)
    return inverse


def _check_condition(condition: float) -> None:
    if not condition >= _LEAST_CONDITION:
        raise ArithmeticError(f"the reciprocal condition of the labels' matrix is {condition:.1g}")
