"""Sparse weights between labels: their checks, and their form in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.errors import InputError
from vsenumba.storage import schema

#: Schema of the weights in a file.
MEMBERS: Mapping[str, schema.Spec] = {
    "weights": schema.Array(schema.FLOAT, ("n_weights",), finite=True),
    "weight_targets": schema.Array(schema.INDEX, ("n_weights",), least=0, below="n_labels"),
    "weight_indptr": schema.Offsets("n_labels", "n_weights"),
}


def checked_weights(name: str, weights: Any, n_labels: int) -> sp.csr_array:
    """Return weights as a CSR array, after checking that they are float32 and of shape (n_labels, n_labels).

    Raises
    ------
    InputError
        If they are not.
    """
    weights = sp.csr_array(weights)
    if weights.shape != (n_labels, n_labels) or weights.dtype != np.float32:
        found = f"{weights.dtype} of the shape {weights.shape}"
        raise InputError(f"{name} must be float32 of the shape {(n_labels, n_labels)}, not {found}")
    weights.check_format()
    return weights


def weights_to_elements(weights: sp.csr_array) -> dict[str, np.ndarray]:
    """Return weights as elements of a file."""
    return {
        "weights": weights.data,
        "weight_targets": weights.indices.astype(np.int32),
        "weight_indptr": weights.indptr.astype(np.int64),
    }


def weights_from_elements(elements: Mapping[str, np.ndarray], n_labels: int) -> sp.csr_array:
    """Restore weights from what `weights_to_elements` returned."""
    parts = (elements["weights"], elements["weight_targets"], elements["weight_indptr"])
    return sp.csr_array(parts, (n_labels, n_labels))
