"""Files of names and their vectors, in formats that other programs can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike

import numpy as np

from vsenumba.data.parquet_tables import check_parquet, write_parquet
from vsenumba.data.safetensors_files import write_safetensors
from vsenumba.data.text.word2vec_format import write_word2vec
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import atomic_path, ending_of, open_output

FORMATS = (".npz", ".txt", ".vec", ".bin", ".h5", ".parquet", ".safetensors")

#: The formats that can be written block by block.
STREAMED = (".h5", ".parquet")

# Names of fixed width may take this many bytes, or _MOST_PADDING times the size of the text itself.
_FIXED_WIDTH_BYTES = 64 << 20
_MOST_PADDING = 16

# The number of rows in an HDF5 chunk.
_CHUNK = 1024


def write_vectors(path: str | PathLike[str], names: Vocabulary, factors: np.ndarray) -> None:
    """Write names and their vectors, in the format given by the extension of `path`.

    Parameters
    ----------
    path : str or path-like
        The file to write. ``.npz``: the arrays ``names`` (fixed-width text, so that no pickle is needed) and
        ``factors``. ``.txt`` and ``.vec``: word2vec's text format; ``.bin``: its binary format; see `write_word2vec`.
        ``.h5`` and ``.parquet``: see `write_vector_blocks`. ``.safetensors``: see `write_safetensors`.
    names : Vocabulary
        One name per row.
    factors : (n, k) float32 array
        The vectors.

    Raises
    ------
    InputError
        If the extension is unknown, the file cannot be written, or a few very long names would make an ``.npz`` file
        many times as large as its content.

    Warns
    -----
    UserWarning
        If names that differ only in spaces and underscores become the same in a word2vec file.
    """
    suffix = check_format(path)
    if suffix == ".safetensors":
        write_safetensors(path, [(names, factors)])
    elif suffix == ".npz":
        width = _checked_width(path, names)
        with open_output(path) as file:
            np.savez(file, names=np.array(list(names), dtype=f"U{width}"), factors=factors)
    elif suffix in STREAMED:
        write_vector_blocks(path, [(names.take(np.arange(len(names))), factors)])
    else:
        write_word2vec(path, names, factors, binary=suffix == ".bin")


def write_vector_blocks(path: str | PathLike[str], blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Write names and their vectors block by block, and return the number of vectors.

    Parameters
    ----------
    path : str or path-like
        The file to write. ``.h5``: the datasets ``names`` (UTF-8) and ``factors``, which is not vsenumba's own file
        format. ``.parquet``: the columns ``names`` and ``factors`` (lists of numbers), with one row group for each
        block.
    blocks : iterable of tuple of (b,) StringDType array and (b, k) float32 array
        The names and the vectors of each block.

    Raises
    ------
    InputError
        If the extension is unknown, there are no vectors, or the file cannot be written.
    """
    if (suffix := check_format(path)) not in STREAMED:
        raise InputError(f"cannot write vectors to {path} in blocks: the name must end in {' or '.join(STREAMED)}")
    n_rows = 0

    def counted() -> Iterator[tuple[list[str], np.ndarray]]:
        nonlocal n_rows
        for names, factors in blocks:
            n_rows += len(names)
            yield names.tolist(), factors
        if not n_rows:
            raise InputError(f"cannot write {path}: there are no vectors to write")

    if suffix == ".parquet":
        check_parquet(path)
        write_parquet(path, ({"names": names, "factors": factors} for names, factors in counted()))
    else:
        _write_hdf5(path, counted())
    return n_rows


def _write_hdf5(path: str | PathLike[str], blocks: Iterable[tuple[list[str], np.ndarray]]) -> None:
    import h5py

    # No other process knows the temporary file, and atomic_path holds its lock.
    with atomic_path(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        for names, factors in blocks:
            n_factors = factors.shape[1]
            if "factors" not in file:
                file.create_dataset("names", (0,), h5py.string_dtype(), maxshape=(None,), chunks=(_CHUNK,))
                chunks = (_CHUNK, n_factors)
                file.create_dataset("factors", (0, n_factors), np.float32, maxshape=(None, n_factors), chunks=chunks)
            for name, rows in (("names", names), ("factors", factors)):
                there = len(file[name])
                file[name].resize(there + len(rows), axis=0)
                file[name][there:] = rows


def check_format(path: str | PathLike[str]) -> str:
    """Return the extension of a path, and raise an error if no format has it."""
    suffix = ending_of(path)
    if suffix not in FORMATS:
        raise InputError(f"unknown format of {str(path)!r}: the name must end in {', '.join(FORMATS)}")
    return suffix


def _checked_width(path: str | PathLike[str], names: Vocabulary) -> int:
    """Return the length of the longest name, and raise an error if fixed-width text would waste too much space."""
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    width = int(lengths.max(initial=1))
    n_bytes = 4 * width * len(lengths)
    if n_bytes > max(_FIXED_WIDTH_BYTES, _MOST_PADDING * 4 * int(lengths.sum())):
        raise InputError(
            f"cannot write {path}: the longest {names.kind} has {width:,} characters, and .npz pads every name to "
            f"this length, {n_bytes / 1e9:.1f} GB in all; write a .vec or .bin file instead"
        )
    return width
