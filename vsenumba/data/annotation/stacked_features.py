"""Features of several files, which stay on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class StackedFeatures:
    """The rows of several arrays on disk, one array after the other, as one.

    Parameters
    ----------
    pieces : sequence of memory maps or HDF5 datasets, (n_i, n_features)
        All of one type of numbers.

    Attributes
    ----------
    shape, dtype
        As of an array.
    pieces, starts : list, (len(pieces) + 1,) int64 array
        The arrays, and the row that each begins with, and behind the last.
    """

    def __init__(self, pieces: Sequence[Any]) -> None:
        self.pieces = list(pieces)
        self.starts = np.cumsum([0, *(piece.shape[0] for piece in self.pieces)])
        self.shape = (int(self.starts[-1]), int(self.pieces[0].shape[1]))
        self.dtype = self.pieces[0].dtype

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return some rows that stand together, in memory."""
        first, stop, step = rows.indices(self.shape[0])
        if step != 1:
            raise IndexError("rows of several files are read one after the other, without leaving any out")
        found = np.empty((max(stop - first, 0), self.shape[1]), self.dtype)
        at = int(np.searchsorted(self.starts, first, side="right")) - 1
        done = first
        while done < stop:
            begin, end = int(self.starts[at]), int(self.starts[at + 1])
            until = min(stop, end)
            found[done - first : until - first] = self.pieces[at][done - begin : until - begin]
            done, at = until, at + 1
        return found
