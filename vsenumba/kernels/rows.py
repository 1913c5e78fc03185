"""Parse the rows of a table of pairs as bytes; unusual rows are left to Python's reader.

Python's reader parses about half a million rows a second, this module about ten million.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.row_states import ABSENT, LABEL, LEFT_OUT, MACHINE, PEOPLE, UNASKED, UNSURE, WEAK
from vsenumba.kernels.words import WordBook, mixed, number_of, same_letters

# The classes of bytes. `ODD` marks a row as unusual.
PLAIN, DELIMITER, LINE_FEED, RETURN, ODD = range(5)

# Longer rows are left to Python's reader, which has limits for them.
LONGEST_ROW = 65_536
# With more digits, a single division may not give the nearest number.
_MOST_DIGITS = 15

_SEED = np.uint64(0x9E3779B97F4A7C15)
_BLANK, _ZERO, _POINT = 32, 48, 46


class RowForm(NamedTuple):
    """The format of the rows.

    Attributes
    ----------
    classes : (256,) uint8
        The class of each byte.
    n_columns : int
        The number of fields per row, without an empty field at the end.
    image_at, label_at, score_at, source_at : int
        The columns; -1 for a column that does not exist.
    threshold : float
        The least score with which an image has a label. A score of 0 from people means that it does not have it.
    sources : (n, longest) uint8
        The known sources.
    lengths, roles : (n,) int64
        The length of each source, and who is behind it; see `vsenumba.kernels.row_states`.
    """

    classes: np.ndarray
    n_columns: int
    image_at: int
    label_at: int
    score_at: int
    source_at: int
    threshold: float
    sources: np.ndarray
    lengths: np.ndarray
    roles: np.ndarray


@kernel
def scan_rows(text, at, form, images, labels, fields, image_codes, label_codes, states):
    """Parse rows up to the first unusual one; return the start of that row, and the number of parsed rows.

    Parameters
    ----------
    text : (n,) uint8
        The text, which ends with a line feed.
    at : int
        The start of the first row.
    form : RowForm
        The format of the rows.
    images, labels : WordBook
        The names, with letters in uint8. New names are added, so there must be room for them.
    fields : (n_columns + 2,) int64
        Work space.
    image_codes, label_codes, states : (most rows,) int32, int32, uint8
        Written: the numbers of the names, with -1 for a label that does not count, and the meaning of each row.

    Returns
    -------
    at, n_rows : int
    """
    n_rows, last = 0, np.int64(-1)
    while at < text.shape[0]:
        stop = row_end(text, at, form, fields)
        if stop < 0:
            return at, n_rows
        state = row_state(text, form, fields)
        begin, end = fields[form.image_at], fields[form.image_at + 1] - 1
        first, past = fields[form.label_at], fields[form.label_at + 1] - 1
        if state < 0 or not (is_name(text, begin, end) and is_name(text, first, past)):
            return at, n_rows
        image_codes[n_rows], label_codes[n_rows] = -1, -1
        if state != UNASKED:
            if last < 0 or not same_letters(text, begin, end, images, last):
                last = number_of(text, begin, end, hashed(text, begin, end), images)
            image_codes[n_rows] = last
            if state != WEAK:
                label = number_of(text, first, past, hashed(text, first, past), labels)
                labels.counts[label] += state != ABSENT
                label_codes[n_rows] = label
        states[n_rows] = state
        n_rows += 1
        at = stop
    return at, n_rows


@kernel(inline=True)
def row_end(text, at, form, fields):
    """Write the starts of the fields and the start after the last field; return the start of the next row, or -1."""
    n = 1
    fields[0] = at
    for i in range(at, min(text.shape[0], at + LONGEST_ROW)):
        kind = form.classes[text[i]]
        if kind == PLAIN:
            continue
        if kind == DELIMITER:
            if n > form.n_columns:
                return -1
            fields[n] = i + 1
            n += 1
        elif kind == LINE_FEED:
            end = i - (i > at and text[i - 1] == 13)
            fields[n] = end + 1
            ordinary = n == form.n_columns or (n == form.n_columns + 1 and fields[n - 1] == end)
            return i + 1 if ordinary else -1
        elif kind == ODD or i + 1 >= text.shape[0] or text[i + 1] != 10:
            return -1
    return -1


@kernel(inline=True)
def row_state(text, form, fields):
    """Return the meaning of a row, or -1 if the row is unusual."""
    role = PEOPLE
    if form.source_at >= 0:
        role = source_role(text, fields[form.source_at], fields[form.source_at + 1] - 1, form)
        if role < 0 or role == LEFT_OUT:
            return UNASKED if role == LEFT_OUT else -1
    if form.score_at < 0:
        return LABEL if role == PEOPLE else MACHINE
    score = decimal(text, fields[form.score_at], fields[form.score_at + 1] - 1)
    if not 0 <= score <= 1:
        return -1
    if score == 0 and role == PEOPLE:
        return ABSENT
    if score < form.threshold:
        return WEAK
    return MACHINE if role != PEOPLE else LABEL if score == 1 else UNSURE


@kernel(inline=True)
def source_role(text, begin, end, form):
    """Return who is behind the source in ``text[begin:end]``, or -1 for an unknown source."""
    for s in range(form.sources.shape[0]):
        if form.lengths[s] == end - begin:
            same = True
            for i in range(begin, end):
                same = same and form.sources[s, i - begin] == text[i]
            if same:
                return form.roles[s]
    return -1


@kernel(inline=True)
def decimal(text, begin, end):
    """Return the number in ``text[begin:end]``, digits with at most one point; -1 for any other text."""
    value, scale, digits, seen_point = np.int64(0), np.int64(1), 0, False
    for i in range(begin, end):
        digit = np.int64(text[i]) - _ZERO
        if 0 <= digit <= 9:
            digits += 1
            if digits > _MOST_DIGITS:
                return -1.0
            value = 10 * value + digit
            scale = 10 * scale if seen_point else scale
        elif text[i] == _POINT and not seen_point:
            seen_point = True
        else:
            return -1.0
    return np.float64(value) / np.float64(scale) if digits > 0 else -1.0


@kernel(inline=True)
def is_name(text, begin, end):
    """Return whether ``text[begin:end]`` is not empty and neither starts nor ends with a blank."""
    return end > begin and text[begin] != _BLANK and text[end - 1] != _BLANK


@kernel(inline=True)
def hashed(text, begin, end):
    """Return a hash of ``text[begin:end]``, of eight bytes at a time, then of the rest and of the length."""
    code, at = _SEED, begin
    while at + 8 <= end:
        code = mixed(code, word_at(text, at))
        at += 8
    rest = np.uint64(0)
    while at < end:
        rest = (rest << np.uint64(8)) | np.uint64(text[at])
        at += 1
    # A second round, so that the last letters also affect the bits that select a slot.
    return mixed(mixed(code, rest), np.uint64(end - begin))


@kernel(inline=True)
def word_at(text, at):
    """Return eight bytes as one number; the compiler turns this into a single load."""
    low = (
        np.uint64(text[at])
        | (np.uint64(text[at + 1]) << np.uint64(8))
        | (np.uint64(text[at + 2]) << np.uint64(16))
        | (np.uint64(text[at + 3]) << np.uint64(24))
    )
    return (
        low
        | (np.uint64(text[at + 4]) << np.uint64(32))
        | (np.uint64(text[at + 5]) << np.uint64(40))
        | (np.uint64(text[at + 6]) << np.uint64(48))
        | (np.uint64(text[at + 7]) << np.uint64(56))
    )


@kernel
def number_names(text, ends, book, numbers):
    """Assign numbers to the names that stand one after another in a text.

    Parameters
    ----------
    text : (n,) uint8
        The letters of the names.
    ends : (n_names,) int64
        The end of each name.
    book : WordBook
        The names. New names are added, so there must be room for them.
    numbers : (n_names,) int32
        The numbers of the names, written.
    """
    begin = np.int64(0)
    for i in range(ends.shape[0]):
        numbers[i] = number_of(text, begin, ends[i], hashed(text, begin, ends[i]), book)
        begin = ends[i]


def empty_book() -> WordBook:
    """Return a book of names in bytes, without any name."""
    return WordBook(
        slots=np.full(1 << 16, -1, np.int32),
        hashes=np.zeros(0, np.uint64),
        counts=np.zeros(0, np.int64),
        ends=np.zeros(0, np.int64),
        letters=np.zeros(0, np.uint8),
        sizes=np.zeros(2, np.int64),
    )


def byte_classes(delimiter: str) -> np.ndarray:
    """Return the class of each byte for rows with the given delimiter, (256,) uint8."""
    classes = np.full(256, ODD, np.uint8)
    classes[32:127] = PLAIN
    classes[ord('"')] = ODD
    classes[10], classes[13] = LINE_FEED, RETURN
    classes[ord(delimiter)] = DELIMITER
    return classes
