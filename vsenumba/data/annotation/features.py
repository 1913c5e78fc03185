"""Features of images: one row of numbers per image, in memory or on disk, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.checks import refuse_masked
from vsenumba.data.annotation.stacked_features import StackedFeatures
from vsenumba.errors import InputError
from vsenumba.memory import check_memory
from vsenumba.storage import Stream, schema
from vsenumba.storage.mapped import blocks_of

#: Dtypes that are kept; others become float32.
_KEPT = (np.dtype(np.uint8), np.dtype(np.float16), np.dtype(np.float32))

# The number of values to read from disk at a time.
_VALUES_AT_ONCE = 1 << 22

# Read HDF5 rows in one go if the gaps between them are at most this many rows.
_GAP = 64


class FeatureElement(schema.Spec):
    """Features in a file: one row for each image, dense or CSR, finite."""

    def check(self, value: Any, where: str, sizes: schema.Sizes) -> None:
        """See `Spec.check`."""
        if not is_sparse(value):
            dense = schema.Array(schema.REALS + schema.BYTE, ("n_images", "n_features"), finite=True)
            dense.check(value, where, sizes)
            return
        schema.Array(schema.REALS + schema.BYTE, (len(value.data),), finite=True).check(
            value.data, f"{where}/data", sizes
        )
        if sizes.setdefault("n_images", value.shape[0]) != value.shape[0]:
            raise InputError(f"{where} has {value.shape[0]:,} rows; expected n_images = {sizes['n_images']:,}")


def is_sparse(features: Any) -> bool:
    """Return whether features are a CSR array."""
    return isinstance(features, sp.csr_array)


def is_on_disk(features: Any) -> bool:
    """Return whether features are read from disk on demand."""
    return isinstance(features, np.memmap | StackedFeatures) or _is_hdf5(features)


def _is_hdf5(features: Any) -> bool:
    # Check by name, so that h5py need not be imported.
    return type(features).__module__.startswith("h5py") and hasattr(features, "chunks")


def checked_features(features: Any, n_images: int) -> Any:
    """Return checked features in the form that a set stores, without a copy if the dtype allows it.

    Parameters
    ----------
    features : array, memory map, HDF5 dataset or SciPy sparse array, (n_images, n_features)
        Numbers. uint8, float16 and float32 are kept; all other types become float32. Memory maps and HDF5 datasets stay
        on disk, and a sparse array becomes CSR.
    n_images : int
        The expected number of rows.

    Raises
    ------
    InputError
        If the number of rows is not `n_images`, or a value is not a finite number. The message names the first such
        image.
    """
    refuse_masked("features", features)
    sparse = sp.issparse(features)
    if not (sparse or is_on_disk(features) or isinstance(features, np.ndarray)):
        features = np.asarray(features)
    if len(features.shape) != 2 or features.shape[0] != n_images:
        raise InputError(f"features must have one row per image: ({n_images}, n_features), not {features.shape}")
    if not (sparse or features.shape[1]):
        raise InputError("features must have at least one column")
    if features.dtype.kind not in "buif":
        raise InputError(f"features must be numbers, not {features.dtype}")
    if is_on_disk(features):
        if features.dtype not in _KEPT:
            raise InputError(f"features on disk must be uint8, float16 or float32, not {features.dtype}")
        _check_finite_on_disk(features)
        return features
    with np.errstate(over="ignore"):  # a value too large for float32 becomes inf, which is rejected below
        if sparse:
            features = sp.csr_array(features) if features.dtype in _KEPT else sp.csr_array(features, dtype=np.float32)
            features.sum_duplicates()
            bad = np.flatnonzero(~np.isfinite(features.data))
            bad = np.unique(np.searchsorted(features.indptr, bad, side="right") - 1)
        else:
            features = np.ascontiguousarray(features, dtype=features.dtype if features.dtype in _KEPT else np.float32)
            bad = _bad_rows(features)
    if len(bad):
        raise InputError(f"the features of image {int(bad[0])} hold NaN or inf ({len(bad)} such image(s))")
    return features


def _bad_rows(dense: np.ndarray) -> np.ndarray:
    if dense.dtype == np.uint8:
        return np.zeros(0, np.int64)
    found, start = [], 0
    for block in blocks_of(dense):
        found.append(start + np.flatnonzero(~np.isfinite(block).all(axis=1)))
        start += len(block)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _check_finite_on_disk(features: Any) -> None:
    """Raise an error if a value is not a finite number. This takes one pass over the file."""
    step = max(1, _VALUES_AT_ONCE // features.shape[1])
    for start in range(0, features.shape[0] if features.dtype.kind == "f" else 0, step):
        bad = np.flatnonzero(~np.isfinite(features[start : start + step]).all(axis=1))
        if len(bad):
            raise InputError(f"the features of image {start + int(bad[0])} hold NaN or inf")


def features_to_element(features: Any) -> Any:
    """Return the element to write to a file: the features, or a stream of them if they are on disk."""
    if not is_on_disk(features) or isinstance(features, np.memmap):
        return features
    n_images, n_features = features.shape
    step = max(1, _VALUES_AT_ONCE // n_features)
    blocks = (features[start : start + step] for start in range(0, n_images, step))
    return Stream(features.dtype.newbyteorder("<").str, n_images, blocks, n_features)


def feature_rows(features: Any, rows: np.ndarray) -> Any:
    """Return the features of some images in memory, in their stored dtype, dense or CSR.

    Parameters
    ----------
    features : array, memory map, HDF5 dataset or CSR array
        The features of a set.
    rows : (b,) int array
        The images, in any order. Features on disk are read in the order of the file.
    """
    if not is_on_disk(features):
        return features[rows]
    order = np.argsort(rows, kind="stable")
    ascending = np.asarray(rows)[order]
    found = np.empty((len(rows), features.shape[1]), features.dtype)
    # The starts of runs of rows that are close enough to read in one go.
    starts = np.flatnonzero(np.diff(ascending, prepend=-2 * _GAP) > _GAP)
    ends = np.append(starts[1:], len(rows))[: len(starts)]
    for begin, end in zip(starts, ends, strict=True):
        first, last = int(ascending[begin]), int(ascending[end - 1])
        found[order[begin:end]] = features[first : last + 1][ascending[begin:end] - first]
    return found


def selected_features(features: Any, rows: np.ndarray) -> Any:
    """Return the features of some images for a new set. Features on disk are read into memory."""
    if features is None:
        return None
    if is_on_disk(features):
        n_bytes = len(rows) * features.shape[1] * features.dtype.itemsize
        check_memory(n_bytes, f"the features of {len(rows):,} images", "write a file with the features of these alone")
    return feature_rows(features, rows)


def joined_features(above: Any, below: Any) -> Any:
    """Return two blocks of features joined into one, or None if their columns differ."""
    if above is None or below is None or above.shape[1] != below.shape[1]:
        return None
    if not below.shape[0]:
        return above
    if is_sparse(above) or is_sparse(below):
        return sp.csr_array(sp.vstack([sp.csr_array(above[:]), sp.csr_array(below[:])]))
    n_bytes = sum(one.shape[0] * one.shape[1] * one.dtype.itemsize for one in (above, below))
    check_memory(n_bytes, f"the features of {above.shape[0] + below.shape[0]:,} images", "train on fewer at once")
    return np.concatenate([above[:], below[:]])
