"""Readers of annotation sets, one module per foreign format, chosen by what is in the file.

A reader is a module with ``DESCRIPTION`` (for people), ``recognises(head, name)``, which is given the first
bytes of the file after decompression, and ``read``. Another format is another module and a line in `READERS`.
"""

from __future__ import annotations

from os import PathLike
from typing import Protocol

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers import csv_pairs, native, scipy_npz
from vsenumba.data.annotation.readers.options import TableOptions
from vsenumba.data.compression import HEAD_BYTES, open_decompressed
from vsenumba.errors import FileFormatError

__all__ = ["READERS", "Reader", "read_annotations"]


class Reader(Protocol):
    """What a module of this folder offers."""

    DESCRIPTION: str

    def recognises(self, head: bytes, name: str) -> bool:
        """Tell whether a file that begins with `head` and is called `name` is of this format."""

    def read(self, path: str | PathLike[str], options: TableOptions) -> AnnotationSet:
        """Read the file."""


# The most telling first: the last takes any text.
READERS: tuple[Reader, ...] = (native, scipy_npz, csv_pairs)


def read_annotations(
    path: str | PathLike[str],
    *,
    image_column: str | None = None,
    label_column: str | None = None,
    separator: str | None = None,
) -> AnnotationSet:
    r"""Read an annotation set from a file of any format that is known, recognised by its content.

    Parameters
    ----------
    path : str or path-like
        A native ``.h5`` file; a ``.csv``/``.tsv`` table with a header and one pair a row; or an ``.npz`` file
        of ``scipy.sparse.save_npz`` or of one array of images by labels. Tables and ``.npz`` files may be
        compressed by gzip, bzip2 or xz. Lines end with LF, CR LF or CR; the fields of a table are divided by commas,
        tabs, semicolons or bars.
    image_column, label_column : str, optional
        The columns of a table; found by their usual names where left out.
    separator : str, optional
        What stands between the labels of a cell of a table, as in ``"cat, animal"``; blanks around it do not count, and
        quotes keep it from dividing. ``"list"`` for lists in brackets, as programs write them, ``"none"`` where a cell
        is one label. Where it is left out a cell is one label too, unless most cells of the column look like lists:
        then you are asked.

    Returns
    -------
    AnnotationSet
        What stands in the file.

    Raises
    ------
    InputError
        If there is no such file, or an option does not fit it.
    FileFormatError
        If the format is unknown, a line or a value cannot be used, or most cells look like lists of labels and
        `separator` does not say whether they are; the message says which.

    Warns
    -----
    UserWarning
        If some cells look like lists of labels, or have no label, with their number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "pairs.csv"
    ...     _ = path.write_text("image,tag\na.jpg,cat\na.jpg,animal\n")
    ...     read_annotations(path)
    <AnnotationSet: 1 images, 2 labels, 2 pairs>
    """
    options = TableOptions(image_column, label_column, separator)
    with open_decompressed(path) as stream:
        head = stream.read(HEAD_BYTES)
    for reader in READERS:
        if reader.recognises(head, str(path)):
            return reader.read(path, options)
    understood = "; ".join(reader.DESCRIPTION for reader in READERS)
    raise FileFormatError(f"{path}: not a format that is understood, which are: {understood}")
