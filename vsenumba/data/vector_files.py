"""Files of names and their vectors, in formats that other programs read."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from vsenumba.data.text.word2vec_format import write_word2vec
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import atomic_path

FORMATS = (".npz", ".txt", ".vec", ".bin")


def write_vectors(path: str | PathLike[str], names: Vocabulary, factors: np.ndarray) -> None:
    """Write names and their vectors, in the format that the ending of `path` says.

    Parameters
    ----------
    path : str or path-like
        Where to write. ``.npz``: the arrays ``names`` (text of fixed width, so that no pickle is needed) and
        ``factors``. ``.txt`` and ``.vec``: the text format of word2vec; ``.bin``: its binary format; see
        `write_word2vec`.
    names : Vocabulary
        One per row.
    factors : (n, k) float32 array
        The vectors.

    Raises
    ------
    InputError
        If the ending is another, or the file cannot be written.

    Warns
    -----
    UserWarning
        If names that differ in blanks and underscores alone become the same in a text file.
    """
    suffix = check_format(path)
    if suffix == ".npz":
        with atomic_path(path) as temporary:
            np.savez(temporary, names=np.array(list(names)), factors=factors)
    else:
        write_word2vec(path, names, factors, binary=suffix == ".bin")


def check_format(path: str | PathLike[str]) -> str:
    """Return the ending of a path, refusing one that no format has."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"cannot tell the format of {str(path)!r}: it must end in {', '.join(FORMATS)}")
    return suffix
