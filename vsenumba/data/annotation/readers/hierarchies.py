"""Hierarchical keywords, as photo programs write them: each level becomes a label."""

from __future__ import annotations

import warnings

# The separators between two levels, in Lightroom and in digiKam.
_MARKS = {"HierarchicalSubject": "|", "TagsList": "/"}


class Hierarchies:
    """Split keywords into their levels, and warn how many were split.

    Examples
    --------
    >>> hierarchies = Hierarchies()
    >>> hierarchies.levels("HierarchicalSubject", "animal|cat"), hierarchies.levels("Subject", "AC/DC")
    (['animal', 'cat'], ['AC/DC'])
    """

    def __init__(self) -> None:
        self._n = 0
        self._example = ""

    def levels(self, field: str, keyword: str) -> list[str]:
        """Return the levels of a keyword. In most fields, a keyword has one level."""
        mark = _MARKS.get(field)
        if mark is None or mark not in keyword:
            return [keyword]
        self._n += 1
        self._example = self._example or keyword
        return keyword.split(mark)

    def warn(self) -> None:
        """Warn if any keywords were split."""
        if self._n:
            warnings.warn(
                f"{self._n:,} keywords have levels, such as {self._example!r:.80}: each level was read as a label; use "
                "--label-column Subject to read only the keywords",
                UserWarning,
                stacklevel=2,
            )
