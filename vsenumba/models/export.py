"""Factors in formats that other programs read."""

from __future__ import annotations

import re
import warnings
from os import PathLike
from pathlib import Path

import numpy as np

from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import atomic_path

FORMATS = (".npz", ".txt", ".vec")


def export_factors(path: str | PathLike[str], names: Vocabulary, factors: np.ndarray) -> None:
    """Write names and their factors, in the format that the ending of `path` says.

    Parameters
    ----------
    path : str or path-like
        Where to write. ``.npz``: the arrays ``names`` (text of fixed width, so that no pickle is needed) and
        ``factors``. ``.txt`` and ``.vec``: the text format of word2vec, a line with the two extents and then a line
        per name; as blanks separate the values, a blank within a name becomes an underscore.
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
    with atomic_path(path) as temporary:
        if suffix == ".npz":
            np.savez(temporary, names=np.array(list(names)), factors=factors)
        else:
            _write_text(temporary, names, factors)


def check_format(path: str | PathLike[str]) -> str:
    """Return the ending of a path, refusing one that no format has."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"cannot tell the format of {str(path)!r}: it must end in {', '.join(FORMATS)}")
    return suffix


def _write_text(path: Path, names: Vocabulary, factors: np.ndarray) -> None:
    words = [re.sub(r"\s", "_", name) for name in names]
    if len(set(words)) < len(words):
        twice = next(word for i, word in enumerate(words) if word in words[:i])
        warnings.warn(f"several {names.kind}s are called {twice!r} once blanks are underscores", stacklevel=3)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(words)} {factors.shape[1]}\n")
        for word, row in zip(words, factors, strict=True):
            # Nine digits give every float32 back exactly.
            file.write(f"{word} {' '.join(f'{value:.9g}' for value in row.tolist())}\n")
