"""Keywords with those above them, as photo programs write them: each level becomes a label."""

from __future__ import annotations

import warnings

# What stands between two levels: Lightroom's, and digiKam's.
_MARKS = {"HierarchicalSubject": "|", "TagsList": "/"}


class Hierarchies:
    """Take keywords apart by their levels, and say how many were.

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
        """Return the levels of a keyword of a field; of most fields, it has one."""
        mark = _MARKS.get(field)
        if mark is None or mark not in keyword:
            return [keyword]
        self._n += 1
        self._example = self._example or keyword
        return keyword.split(mark)

    def warn(self) -> None:
        """Say that keywords were taken apart, if some were."""
        if self._n:
            warnings.warn(
                f"{self._n:,} keywords have levels, such as {self._example!r:.80}: each level was read as a label; use "
                "--label-column Subject to read only the keywords",
                UserWarning,
                stacklevel=2,
            )
