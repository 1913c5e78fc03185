"""Readers of annotation sets, one module per foreign format, chosen by what is in the file.

A reader is a module with ``DESCRIPTION`` (for people), ``recognises(head, name)``, which is given the first
bytes of the file after decompression, and ``read``. Another format is another module and a line in `READERS`.
"""

from __future__ import annotations

from os import PathLike
from typing import Protocol

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers import csv_pairs, native, scipy_npz
from vsenumba.data.compression import HEAD_BYTES, open_decompressed
from vsenumba.errors import FileFormatError

__all__ = ["READERS", "Reader", "read_annotations"]


class Reader(Protocol):
    """What a module of this folder offers."""

    DESCRIPTION: str

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell whether a file that begins with `head` and is called `name` is of this format."""

    def read(self, path: str | PathLike[str], image_column: str | None, label_column: str | None) -> AnnotationSet:
        """Read the file."""


# The most telling first: the last takes any text.
READERS: tuple[Reader, ...] = (native, scipy_npz, csv_pairs)


def read_annotations(
    path: str | PathLike[str], *, image_column: str | None = None, label_column: str | None = None
) -> AnnotationSet:
    r"""Read an annotation set from a file of any format that is known, recognised by its content.

    Parameters
    ----------
    path : str or path-like
        A native ``.h5`` file; a ``.csv``/``.tsv`` table with a header and one pair a row; or an ``.npz`` file
        of ``scipy.sparse.save_npz`` or of one array of images by labels. Tables and ``.npz`` files may be
        compressed by gzip or xz.
    image_column, label_column : str, optional
        The columns of a table; found by their usual names where left out.

    Returns
    -------
    AnnotationSet
        What stands in the file.

    Raises
    ------
    InputError
        If there is no such file, or an option does not fit it.
    FileFormatError
        If the format is unknown, or a line or a value cannot be used; the message says which.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "pairs.csv"
    ...     _ = path.write_text("image,tag\na.jpg,cat\na.jpg,animal\n")
    ...     read_annotations(path)
    <AnnotationSet: 1 images, 2 labels, 2 pairs>
    """
    with open_decompressed(path) as stream:
        head = stream.read(HEAD_BYTES)
    for reader in READERS:
        if reader.recognises(head, str(path)):
            return reader.read(path, image_column, label_column)
    understood = "; ".join(reader.DESCRIPTION for reader in READERS)
    raise FileFormatError(f"{path}: not a format that is understood, which are: {understood}")
