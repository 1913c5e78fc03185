"""Files of names and their vectors, in formats that other programs read."""

from __future__ import annotations

from os import PathLike

import numpy as np

from vsenumba.data.text.word2vec_format import write_word2vec
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import ending_of, open_output

FORMATS = (".npz", ".txt", ".vec", ".bin")

# Names of fixed width may take so many bytes, or so many times what the text itself takes.
_FIXED_WIDTH_BYTES = 64 << 20
_MOST_PADDING = 16


def write_vectors(path: str | PathLike[str], names: Vocabulary, factors: np.ndarray) -> None:
    """Write names and their vectors, in the format that the ending of `path` says.

    Parameters
    ----------
    path : str or path-like
        Where to write. ``.npz``: the arrays ``names`` (text of the width of the longest, so that no pickle is needed)
        and ``factors``. ``.txt`` and ``.vec``: the text format of word2vec; ``.bin``: its binary format; see
        `write_word2vec`.
    names : Vocabulary
        One per row.
    factors : (n, k) float32 array
        The vectors.

    Raises
    ------
    InputError
        If the ending is another, the file cannot be written, or a few very long names would make an ``.npz`` file many
        times as large as what is in it.

    Warns
    -----
    UserWarning
        If names that differ in blanks and underscores alone become the same in a text file.
    """
    suffix = check_format(path)
    if suffix == ".npz":
        width = _checked_width(path, names)
        with open_output(path) as file:
            np.savez(file, names=np.array(list(names), dtype=f"U{width}"), factors=factors)
    else:
        write_word2vec(path, names, factors, binary=suffix == ".bin")


def check_format(path: str | PathLike[str]) -> str:
    """Return the ending of a path, refusing one that no format has."""
    suffix = ending_of(path)
    if suffix not in FORMATS:
        raise InputError(f"cannot tell the format of {str(path)!r}: it must end in {', '.join(FORMATS)}")
    return suffix


def _checked_width(path: str | PathLike[str], names: Vocabulary) -> int:
    """Return how many characters the longest name has; refuse names that text of fixed width is no way to keep."""
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    width = int(lengths.max(initial=1))
    n_bytes = 4 * width * len(lengths)
    if n_bytes > max(_FIXED_WIDTH_BYTES, _MOST_PADDING * 4 * int(lengths.sum())):
        raise InputError(
            f"cannot write {path}: the longest {names.kind} has {width:,} characters, and .npz gives every name the "
            f"room of the longest, {n_bytes / 1e9:.1f} GB here; write a .vec or .bin file instead"
        )
    return width
