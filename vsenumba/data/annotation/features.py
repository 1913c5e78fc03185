"""Features of images: a row of numbers for each, in memory or on disk, dense or sparse."""

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

#: Numbers that are kept as they are given; others become float32.
_KEPT = (np.dtype(np.uint8), np.dtype(np.float16), np.dtype(np.float32))

# Values that are read from disk together.
_VALUES_AT_ONCE = 1 << 22

# Rows of a data set in HDF5 that are read in one go, also where some of them are not asked for.
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
    """Tell whether features are a CSR array."""
    return isinstance(features, sp.csr_array)


def is_on_disk(features: Any) -> bool:
    """Tell whether features are read from disk as they are asked for."""
    return isinstance(features, np.memmap | StackedFeatures) or _is_hdf5(features)


def _is_hdf5(features: Any) -> bool:
    # Not asked of h5py itself, which need not be imported for it.
    return type(features).__module__.startswith("h5py") and hasattr(features, "chunks")


def checked_features(features: Any, n_images: int) -> Any:
    """Return features as a set keeps them: checked, and not copied where they have a type that is kept.

    Parameters
    ----------
    features : array, memory map, HDF5 dataset or SciPy sparse array, (n_images, n_features)
        Numbers. uint8, float16 and float32 are kept as they are; all others become float32. Memory maps and HDF5
        datasets stay on disk; a sparse array becomes CSR.
    n_images : int
        How many rows there must be.

    Raises
    ------
    InputError
        If there is not one row for each image, or a value is no finite number; the first such image is named.
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
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, and is refused as such
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
    """Refuse values that are no finite numbers; one pass over the file."""
    step = max(1, _VALUES_AT_ONCE // features.shape[1])
    for start in range(0, features.shape[0] if features.dtype.kind == "f" else 0, step):
        bad = np.flatnonzero(~np.isfinite(features[start : start + step]).all(axis=1))
        if len(bad):
            raise InputError(f"the features of image {start + int(bad[0])} hold NaN or inf")


def features_to_element(features: Any) -> Any:
    """Return what a file is to hold of features: these, or a stream of them where they are not to be in memory."""
    if not is_on_disk(features) or isinstance(features, np.memmap):
        return features
    n_images, n_features = features.shape
    step = max(1, _VALUES_AT_ONCE // n_features)
    blocks = (features[start : start + step] for start in range(0, n_images, step))
    return Stream(features.dtype.newbyteorder("<").str, n_images, blocks, n_features)


def feature_rows(features: Any, rows: np.ndarray) -> Any:
    """Return the features of some images as they are kept, in memory: dense, or CSR.

    Parameters
    ----------
    features : array, memory map, HDF5 dataset or CSR array
        Those of a set.
    rows : (b,) int array
        Which images. From disk they are read in the order of the file, wherever they are asked for.
    """
    if not is_on_disk(features):
        return features[rows]
    order = np.argsort(rows, kind="stable")
    ascending = np.asarray(rows)[order]
    found = np.empty((len(rows), features.shape[1]), features.dtype)
    # Runs of rows that lie close enough together to be read in one go.
    starts = np.flatnonzero(np.diff(ascending, prepend=-2 * _GAP) > _GAP)
    ends = np.append(starts[1:], len(rows))[: len(starts)]
    for begin, end in zip(starts, ends, strict=True):
        first, last = int(ascending[begin]), int(ascending[end - 1])
        found[order[begin:end]] = features[first : last + 1][ascending[begin:end] - first]
    return found


def selected_features(features: Any, rows: np.ndarray) -> Any:
    """Return the features of some images for a set of these; those on disk are read into memory."""
    if features is None:
        return None
    if is_on_disk(features):
        n_bytes = len(rows) * features.shape[1] * features.dtype.itemsize
        check_memory(n_bytes, f"the features of {len(rows):,} images", "write a file with the features of these alone")
    return feature_rows(features, rows)


def joined_features(above: Any, below: Any) -> Any:
    """Return features of some images and then of others as one; None where they have not the same columns."""
    if above is None or below is None or above.shape[1] != below.shape[1]:
        return None
    if not below.shape[0]:
        return above
    if is_sparse(above) or is_sparse(below):
        return sp.csr_array(sp.vstack([sp.csr_array(above[:]), sp.csr_array(below[:])]))
    n_bytes = sum(one.shape[0] * one.shape[1] * one.dtype.itemsize for one in (above, below))
    check_memory(n_bytes, f"the features of {above.shape[0] + below.shape[0]:,} images", "train on fewer at once")
    return np.concatenate([above[:], below[:]])
