"""Names and vectors in a safetensors file: one tensor for each kind, and the names in the header.

The format is a length, a JSON header and the bytes of the tensors. It contains no code, and writing it needs no
library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np

from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import open_output
from vsenumba.storage.provenance import provenance

# Readers reject a longer header, and expect tensors to start at a multiple of _ALIGNED.
_LONGEST_HEADER = 100_000_000
_ALIGNED = 8


def write_safetensors(path: str | PathLike[str], tables: Iterable[tuple[Vocabulary, np.ndarray]]) -> None:
    """Write several kinds of names and vectors to one file.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    tables : iterable of tuple of Vocabulary and (n, k) float32 array
        The names of each kind, one per row, and their vectors. For labels, the vectors become the tensor
        ``label_factors``, and the names become the metadata entry ``label_names``, a JSON list. Other kinds work in the
        same way.

    Raises
    ------
    InputError
        If the file cannot be written, or the names take more space than readers allow.
    """
    header: dict[str, Any] = {"__metadata__": {"vsenumba": provenance()["vsenumba"]}}
    tensors, at = [], 0
    for names, factors in tables:
        tensor = np.ascontiguousarray(factors, dtype="<f4")
        tensors.append(tensor)
        header["__metadata__"][f"{names.kind}_names"] = json.dumps(list(names), ensure_ascii=False)
        header[f"{names.kind}_factors"] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.nbytes],
        }
        at += tensor.nbytes
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    if len(text) > _LONGEST_HEADER:
        raise InputError(
            f"cannot write {path}: the names take {len(text) / 1e6:,.0f} MB, and readers of safetensors allow "
            f"{_LONGEST_HEADER / 1e6:,.0f} MB; choose one kind with --what, or write a .parquet or .h5 file"
        )
    with open_output(path, streams=True) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for tensor in tensors:
            file.write(tensor.data)
