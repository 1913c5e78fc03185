"""The meaning of the cells in a label's column: truth values or scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from vsenumba.errors import FileFormatError

_TRUE = frozenset({"1", "true", "x", "yes", "y", "✓", "✔"})
_FALSE = frozenset({"0", "false", "", "no", "n"})


def number_in(cell: str) -> float | None:
    """Return the number in a cell, or None if it has none or it is not finite.

    Examples
    --------
    >>> number_in("0.5"), number_in("x"), number_in("nan")
    (0.5, None, None)
    """
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if number - number == 0 and "_" not in cell else None


def is_truth(cell: str) -> bool:
    """Return whether a cell means yes or no. -1 is one of the ways to say no."""
    bare = cell.strip().casefold()
    return bare in _TRUE or bare in _FALSE or number_in(bare) in (0, 1, -1)


class Truths:
    """The distinct cells of a table, and whether each means that an image has the label.

    Parameters
    ----------
    threshold : float or None
        The lowest score that counts as a label. None if the cells mean yes or no.

    Examples
    --------
    >>> truths = Truths(None)
    >>> truths.learn({"x", "", "1"})
    >>> truths.is_true("x"), truths.is_true("")
    (True, False)
    """

    def __init__(self, threshold: float | None) -> None:
        self._threshold = threshold
        self._meanings: dict[str, bool] = {}
        self.is_true = self._meanings.__getitem__

    def learn(self, cells: Iterable[str]) -> None:
        """Determine what cells mean, and skip cells that are already known.

        Raises
        ------
        FileFormatError
            If a cell has no known meaning. The message must be prefixed with the name of the column.
        """
        for cell in cells:
            if cell not in self._meanings:
                self._meanings[cell] = self._meaning(cell)

    def _meaning(self, cell: str) -> bool:
        bare = cell.strip().casefold()
        number = number_in(bare)
        if self._threshold is not None:
            if number is None and bare:
                raise FileFormatError(f"contains {cell!r:.60}, which is not a score; remove --threshold, or the column")
            return number is not None and number >= self._threshold
        if number in (0, 1, -1):
            return number == 1
        if number is not None:
            raise FileFormatError(
                f"contains {cell!r:.60}, not 0 or 1. For scores or counts, give the lowest value that "
                "means a label, as in "
                "--threshold 0.5 (in Python threshold=0.5)"
            )
        if bare in _TRUE or bare in _FALSE:
            return bare in _TRUE
        raise FileFormatError(
            f"contains {cell!r:.60}; expected 0 or 1, true or false, or x or empty. Remove the column, or "
            "name the label "
            "column with --label-column (in Python label_column=...)"
        )

    @property
    def n_learnt(self) -> int:
        """The number of distinct cells so far."""
        return len(self._meanings)

    def check_all(self) -> None:
        """Raise an error if the cells are ambiguous together, and warn about how -1 was read.

        Raises
        ------
        FileFormatError
            If the cells contain both -1 and 0.
        """
        numbers = {} if self._threshold is not None else {number_in(cell.strip()) for cell in self._meanings}
        if -1 in numbers and 0 in numbers:
            raise FileFormatError(
                "the cells contain both -1 and 0, and one of them may mean 'unknown'; use --threshold 1 (in Python "
                "threshold=1) to read only 1 as a label"
            )
        if -1 in numbers:
            warnings.warn(
                "the cells contain 1 and -1; -1 was read as 'does not have the label'. Use --threshold "
                "to read it otherwise",
                UserWarning,
                stacklevel=2,
            )
