"""The fast path for large tables: compiled code parses rows without quotes or other special cases.

The row-by-row reader handles special cases. It also handles small tables, which it reads in less time than the code
takes to compile or load.
"""

from __future__ import annotations

from typing import IO, cast

import numpy as np

from vsenumba.data.annotation.readers.pair_rows import PairRows
from vsenumba.data.annotation.readers.tables import Table
from vsenumba.data.annotation.readers.verdicts import Verdicts
from vsenumba.kernels.rows import RowForm, byte_classes, scan_rows

# The number of bytes to parse at a time.
BLOCK_BYTES = 1 << 22
# If compiled code parsed fewer than _FEW rows, the number of rows to read one by one doubles, up to _MOST_SLOW.
_FEW, _MOST_SLOW = 1_000, 1 << 16


class ByteBlocks:
    """A stream that returns single lines, or all complete lines of a block."""

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
        """Return the bytes up to the end of the last complete line in memory, uint8. Empty at the end of the file."""
        end = self._block.rfind(b"\n", self._at) + 1
        if not end and len(self._block) - self._at < BLOCK_BYTES and self._fill():
            end = self._block.rfind(b"\n") + 1
        return np.frombuffer(self._block, np.uint8, max(end - self._at, 0), self._at) if end else np.zeros(0, np.uint8)

    def skip(self, n: int) -> None:
        """Skip `n` bytes."""
        self._at += n


class PlainRows:
    """Parse the rows of a large table while it is being read.

    Parameters
    ----------
    table : Table
        The table being read.
    image_at, label_at : int
        The positions of the columns.
    verdicts : Verdicts
        How to interpret a row.
    rows : PairRows
        The collection that receives the rows.
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
        """Parse as many rows as possible, and return how many rows to read one by one before the next call."""
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
        """Parse rows up to the next special case, and return their number."""
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
