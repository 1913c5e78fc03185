"""The fast way through a large table: rows without quotes or other oddities, taken apart by compiled code.

What is out of the ordinary is left to the reader of rows, and so are small tables, which are read before the code is
compiled, or found in its cache.
"""

from __future__ import annotations

from typing import IO, cast

import numpy as np

from vsenumba.data.annotation.readers.pair_rows import PairRows
from vsenumba.data.annotation.readers.tables import Table
from vsenumba.data.annotation.readers.verdicts import Verdicts
from vsenumba.kernels.rows import RowForm, byte_classes, scan_rows

# Bytes that are taken apart in one go.
BLOCK_BYTES = 1 << 22
# Where compiled code got no further than so many rows, twice as many as before are read one by one, up to a bound.
_FEW, _MOST_SLOW = 1_000, 1 << 16


class ByteBlocks:
    """A stream of which lines are taken one by one, or as many whole ones as a block has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._block = b""
        self._at = 0

    def readline(self, limit: int) -> bytes:
        """Return the next line with its end, or the first `limit` bytes of it."""
        end = self._block.find(b"\n", self._at, self._at + limit) + 1
        while not end and len(self._block) - self._at < limit and self._fill():
            end = self._block.find(b"\n", self._at, self._at + limit) + 1
        line = self._block[self._at : end or self._at + limit]
        self._at += len(line)
        return line

    def _fill(self) -> bool:
        more = self._stream.read(BLOCK_BYTES)
        self._block = self._block[self._at :] + more
        self._at = 0
        return bool(more)

    def whole_lines(self) -> np.ndarray:
        """Return the bytes up to the end of the last whole line that is in memory, uint8; none at the end."""
        end = self._block.rfind(b"\n", self._at) + 1
        if not end and len(self._block) - self._at < BLOCK_BYTES and self._fill():
            end = self._block.rfind(b"\n") + 1
        return np.frombuffer(self._block, np.uint8, max(end - self._at, 0), self._at) if end else np.zeros(0, np.uint8)

    def skip(self, n: int) -> None:
        """Go on behind so many bytes."""
        self._at += n


class PlainRows:
    """Takes rows of a table that is being read, where there are many.

    Parameters
    ----------
    table : Table
        Whose rows are being read.
    image_at, label_at : int
        The columns.
    verdicts : Verdicts
        What rows say.
    rows : PairRows
        Where they go.
    """

    def __init__(self, table: Table, image_at: int, label_at: int, verdicts: Verdicts, rows: PairRows) -> None:
        self._table = table
        self._verdicts = verdicts
        self._rows = rows
        self._columns = image_at, label_at
        self._classes = byte_classes(table.delimiter)
        self._fields = np.zeros(len(table.header) + 2, np.int64)
        self._blocks: ByteBlocks | None = None
        self._patience = 1

    def go_on(self) -> int:
        """Take what rows can be taken, between two that are read one by one; return how many of these come next."""
        lines = self._table.lines
        blocks = self._blocks or ByteBlocks(lines.stream)
        n = 0
        if lines.read_on(cast("IO[bytes]", blocks)):
            self._blocks = blocks
            n = self._take(blocks)
            lines.skip(n)
        self._patience = 1 if n > _FEW else min(2 * self._patience, _MOST_SLOW)
        return self._patience

    def _take(self, blocks: ByteBlocks) -> int:
        """Take rows until one is out of the ordinary; return how many."""
        images, labels = self._rows.books()
        form, total = self._form(), 0
        while len(text := blocks.whole_lines()):
            most = int(np.count_nonzero(text == ord("\n")))
            images.make_room(most, len(text))
            labels.make_room(most, len(text))
            image_codes, label_codes = np.empty((2, most), np.int32)
            states = np.empty(most, np.uint8)
            at, n = scan_rows(
                text, 0, form, images.book, labels.book, self._fields, image_codes, label_codes, states
            )  # fmt: skip
            self._rows.count(states[:n])
            self._rows.put_by(image_codes[:n], label_codes[:n], states[:n])
            blocks.skip(at)
            total += n
            if at < len(text):
                break
        return total

    def _form(self) -> RowForm:
        verdicts = self._verdicts
        sources, lengths, roles = verdicts.source_table()
        return RowForm(
            classes=self._classes,
            n_columns=len(self._table.header),
            image_at=self._columns[0],
            label_at=self._columns[1],
            score_at=-1 if verdicts.score_at is None else verdicts.score_at,
            source_at=-1 if verdicts.source_at is None else verdicts.source_at,
            threshold=verdicts.least,
            sources=sources,
            lengths=lengths,
            roles=roles,
        )
