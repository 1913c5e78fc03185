"""Features in files that the workers read themselves."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.cluster.workers import ready_workers
from vsenumba.data.annotation.features import feature_rows
from vsenumba.data.annotation.stacked_features import StackedFeatures
from vsenumba.errors import ClusterError
from vsenumba.storage import release_pages

# Smaller features are sent to the workers.
_LEAST_BYTES = 1 << 28

# The number of bytes compared to find out whether a worker sees the same file.
_HEAD_BYTES = 1 << 20


def places_of(features: Any) -> list[dict[str, Any]] | None:
    """Return the files of features, or None if the features have to be sent.

    Features are sent if they are in memory, smaller than 256 MB, or only some of the rows of an array on disk.
    """
    pieces = features.pieces if isinstance(features, StackedFeatures) else [features]
    places = [_place_of(piece) for piece in pieces]
    known = [place for place in places if place is not None]
    if len(known) < len(places) or sum(piece.nbytes for piece in pieces) < _LEAST_BYTES:
        return None
    return known


def _place_of(features: Any) -> dict[str, Any] | None:
    whole: Any = features.base if isinstance(features, np.memmap) else None
    # The offset of a view is not where its data begin, and an array in Fortran order is not stored row by row.
    if isinstance(whole, mmap.mmap) and features.flags.c_contiguous:
        return {
            "path": str(Path(features.filename).absolute()), "offset": int(features.offset),
            "dtype": features.dtype.str, "shape": list(features.shape),
        }  # fmt: skip
    if type(features).__module__.startswith("h5py"):
        return {"path": str(Path(features.file.filename).absolute()), "dataset": features.name}
    return None


def rows_in_places(features: Any, places: Sequence[Mapping[str, Any]], rows: np.ndarray) -> list[dict[str, Any]]:
    """Return, for sorted row numbers, which rows a worker has to read from each file."""
    if len(places) == 1:
        return [{"place": dict(places[0]), "rows": rows}]
    starts = features.starts
    cuts = np.searchsorted(rows, starts)
    return [
        {"place": dict(place), "rows": rows[begin:end] - start}
        for place, start, begin, end in zip(places, starts, cuts, cuts[1:], strict=False)
        if begin < end
    ]


def read_rows(pieces: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Read the rows that `rows_in_places` lists from their files."""
    return np.concatenate([_rows_of(piece["place"], piece["rows"]) for piece in pieces])


def _rows_of(place: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    if "dataset" in place:
        import h5py

        with h5py.File(place["path"], "r") as file:
            return feature_rows(file[place["dataset"]], rows)
    shape = tuple(place["shape"])
    features = np.memmap(place["path"], np.dtype(place["dtype"]), "r", place["offset"], shape)
    found = feature_rows(features, rows)
    release_pages(features)
    return found


def check_seen_by(client: Any, places: Sequence[Mapping[str, Any]]) -> None:
    """Check that every worker sees the same files as this machine.

    Raises
    ------
    ClusterError
        If a worker cannot read a file, or sees a different file under the same path.
    """
    paths = list(dict.fromkeys(place["path"] for place in places))
    if not paths:
        return
    ready_workers(client)  # workers without this package could not run the check
    ours = _stamps(paths)
    for address, theirs in client.run(_stamps, paths).items():
        for path, mine, its in zip(paths, ours, theirs, strict=True):
            if mine != its:
                has = "does not see" if its is None else "sees another file as"
                raise ClusterError(
                    f"the worker {address} {has} {path}: workers read features themselves, so put the file on shared "
                    "storage where all workers see it by the same path"
                )


def _stamps(paths: Sequence[str]) -> list[str | None]:
    """Return the size and a checksum of each file, or None for a file that cannot be read."""
    found: list[str | None] = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                sha = hashlib.sha256(file.read(_HEAD_BYTES))
                found.append(f"{file.seek(0, 2)} {sha.hexdigest()}")
        except OSError:
            found.append(None)
    return found
