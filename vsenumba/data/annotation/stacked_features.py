"""Features in several files that stay on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class StackedFeatures:
    """Several arrays on disk that behave as one array of their concatenated rows.

    Parameters
    ----------
    pieces : sequence of memory maps or HDF5 datasets, (n_i, n_features)
        The arrays, all of the same dtype.

    Attributes
    ----------
    shape, dtype
        As for an array.
    pieces, starts : list, (len(pieces) + 1,) int64 array
        The arrays, and the row number at which each starts, followed by the total number of rows.
    """

    def __init__(self, pieces: Sequence[Any]) -> None:
        self.pieces = list(pieces)
        self.starts = np.cumsum([0, *(piece.shape[0] for piece in self.pieces)])
        self.shape = (int(self.starts[-1]), int(self.pieces[0].shape[1]))
        self.dtype = self.pieces[0].dtype

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return some consecutive rows, in memory."""
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
