"""Features in files, which every worker reads for itself."""

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

# Smaller features are sent.
_LEAST_BYTES = 1 << 28

# So much of a file is looked at to tell whether a worker has the same.
_HEAD_BYTES = 1 << 20


def places_of(features: Any) -> list[dict[str, Any]] | None:
    """Return where features lie on disk, piece by piece; None where they are to be sent.

    They are sent where they are in memory, or small, or are some of the rows of an array on disk.
    """
    pieces = features.pieces if isinstance(features, StackedFeatures) else [features]
    places = [_place_of(piece) for piece in pieces]
    known = [place for place in places if place is not None]
    if len(known) < len(places) or sum(piece.nbytes for piece in pieces) < _LEAST_BYTES:
        return None
    return known


def _place_of(features: Any) -> dict[str, Any] | None:
    whole: Any = features.base if isinstance(features, np.memmap) else None
    # A view begins where its offset does not say; columns one after the other are no rows.
    if isinstance(whole, mmap.mmap) and features.flags.c_contiguous:
        return {
            "path": str(Path(features.filename).absolute()), "offset": int(features.offset),
            "dtype": features.dtype.str, "shape": list(features.shape),
        }  # fmt: skip
    if type(features).__module__.startswith("h5py"):
        return {"path": str(Path(features.file.filename).absolute()), "dataset": features.name}
    return None


def rows_in_places(features: Any, places: Sequence[Mapping[str, Any]], rows: np.ndarray) -> list[dict[str, Any]]:
    """Return what a worker needs to read some rows, which rise: of every place that has some, which."""
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
    """Return the rows that `rows_in_places` told of, from the files."""
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
    """Make sure that every worker sees the files that lie at some places.

    Raises
    ------
    ClusterError
        If one does not, or has another file there.
    """
    paths = list(dict.fromkeys(place["path"] for place in places))
    if not paths:
        return
    ready_workers(client)  # the package is there, and looks the files up
    ours = _stamps(paths)
    for address, theirs in client.run(_stamps, paths).items():
        for path, mine, its in zip(paths, ours, theirs, strict=True):
            if mine != its:
                has = "does not see" if its is None else "sees another file as"
                raise ClusterError(
                    f"the worker {address} {has} {path}: workers read features for themselves, so put the file where "
                    "all see it by the same path, as on shared storage"
                )


def _stamps(paths: Sequence[str]) -> list[str | None]:
    """Return what files that are the same have in common; None for one that cannot be read."""
    found: list[str | None] = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                sha = hashlib.sha256(file.read(_HEAD_BYTES))
                found.append(f"{file.seek(0, 2)} {sha.hexdigest()}")
        except OSError:
            found.append(None)
    return found
