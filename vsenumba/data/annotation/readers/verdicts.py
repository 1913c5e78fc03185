"""The meaning of a table row about an image and a label, given its score and source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsenumba.errors import FileFormatError, InputError
from vsenumba.kernels.row_states import ABSENT, LABEL, LEFT_OUT, MACHINE, MACHINES, PEOPLE, UNASKED, UNSURE, WEAK

#: The source in Open Images for labels that no person verified.
MACHINE_SOURCE = "machine"


class Verdicts:
    """How to interpret rows. By default, a row means that the image has the label.

    Parameters
    ----------
    header : sequence of str
        The header of the table.
    score_at, source_at : int or None
        The positions of the score and source columns.
    threshold : float or None
        The lowest score that means the image has the label. None accepts any score above 0, and also cells that are not
        numbers.
    sources : str or None
        The sources whose rows count, separated by commas. None for all.

    Examples
    --------
    >>> verdicts = Verdicts(["image", "label", "confidence"], score_at=2)
    >>> [verdicts.of(["a", "b", score]) == state for score, state in (("1", LABEL), ("0", ABSENT), (".4", UNSURE))]
    [True, True, True]
    """

    def __init__(
        self,
        header: Sequence[str],
        score_at: int | None = None,
        source_at: int | None = None,
        threshold: float | None = None,
        sources: str | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self._header = header
        self.score_at = score_at
        self.source_at = source_at
        self.threshold = threshold
        self._strict = strict or threshold is not None
        self._asked = None if sources is None else [name.strip() for name in sources.split(",")]
        self.roles: dict[str, int] = {}

    @property
    def are_plain(self) -> bool:
        """Whether every row says that the image has the label."""
        return self.score_at is None and self.source_at is None

    @property
    def least(self) -> float:
        """The lowest score of a label."""
        return 5e-324 if self.threshold is None else self.threshold

    def of(self, row: Sequence[str]) -> int:
        """Return the state of a row, one of those in `vsenumba.kernels.row_states`."""
        role = PEOPLE
        if self.source_at is not None:
            source = row[self.source_at].strip()
            if source not in self.roles:
                self.roles[source] = self._role(source)
            role = self.roles[source]
            if role == LEFT_OUT:
                return UNASKED
        if self.score_at is None:
            return LABEL if role == PEOPLE else MACHINE
        return self._by_score(row[self.score_at], role)

    def _role(self, source: str) -> int:
        if self._asked is not None and source not in self._asked:
            return LEFT_OUT
        return MACHINES if source == MACHINE_SOURCE else PEOPLE

    def _by_score(self, cell: str, role: int) -> int:
        try:
            score = float(cell)
        except ValueError:
            score = np.nan
        if self._strict and not 0 <= score <= 1:
            raise FileFormatError(
                f"the {self._header[self.score_at or 0]} is {cell.strip()!r:.40}; expected a number from 0 to 1"
            )
        if score == 0 and role == PEOPLE:
            return ABSENT
        if score < self.least:
            return WEAK if self._strict or score == 0 else LABEL
        return MACHINE if role != PEOPLE else UNSURE if score < 1 else LABEL

    def check_sources(self) -> None:
        """Raise an error if no row has a requested source."""
        missing = [name for name in self._asked or () if name not in self.roles]
        if missing:
            raise InputError(
                f"sources={missing[0]!r} is not a source of the table; its sources are "
                f"{', '.join(map(repr, self.roles)):.200}"
            )

    def source_table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the sources known so far: their bytes, their lengths, and their roles."""
        names = [name.encode() for name in self.roles]
        table = np.zeros((len(names), max(map(len, names), default=0)), np.uint8)
        for line, name in zip(table, names, strict=True):
            line[: len(name)] = np.frombuffer(name, np.uint8)
        return table, np.array([len(name) for name in names], np.int64), np.array([*self.roles.values()], np.int64)
