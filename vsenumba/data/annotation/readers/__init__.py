"""Readers of annotation sets, one module per foreign format, chosen by what is in the file.

A reader is a module with ``NAME``, by which it can be asked for, ``DESCRIPTION`` (for people),
``recognises(path, head)``, which is given the first bytes of the file after decompression, none of a folder, and
``read``. Another format is another module and a line in `READERS`.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Protocol

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers import (
    arff,
    coco,
    csv_onehot,
    csv_pairs,
    danbooru,
    exiftool,
    extreme,
    extreme_pairs,
    json_records,
    mirflickr,
    movielens,
    native,
    nus_wide,
    open_images,
    parquet,
    scipy_npz,
    sidecar_text,
    sidecar_xmp,
    svmlight,
    tagprop,
)
from vsenumba.data.annotation.readers.options import TableOptions, check_values
from vsenumba.data.compression import HEAD_BYTES, open_decompressed
from vsenumba.errors import FileFormatError, unknown_name
from vsenumba.storage import check_readable

__all__ = ["READERS", "READER_NAMES", "Reader", "read_annotations"]


class Reader(Protocol):
    """What a module of this folder offers."""

    NAME: str
    DESCRIPTION: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell whether a file that begins with `head`, or a folder, for which it is empty, is of this format."""

    def read(self, path: Path, options: TableOptions) -> AnnotationSet:
        """Read the file or the folder."""


# The most telling first: the last takes any text.
READERS: tuple[Reader, ...] = (
    native,
    scipy_npz,
    parquet,
    arff,
    danbooru,
    exiftool,
    coco,
    json_records,
    nus_wide,
    mirflickr,
    extreme_pairs,
    sidecar_xmp,
    sidecar_text,
    tagprop,
    extreme,
    svmlight,
    movielens,
    open_images,
    csv_onehot,
    csv_pairs,
)
# Readers by the names that ``format`` takes.
READER_NAMES: dict[str, Reader] = {reader.NAME: reader for reader in READERS}


def read_annotations(
    path: str | PathLike[str],
    *,
    image_column: str | None = None,
    label_column: str | None = None,
    separator: str | None = None,
    threshold: float | None = None,
    first_number: int | None = None,
    format: str | None = None,
    sources: str | None = None,
    part: str | None = None,
    lenient: bool | None = None,
) -> AnnotationSet:
    r"""Read an annotation set from a file or a folder of any format that is known, recognised by its content.

    Parameters
    ----------
    path : str or path-like
        A native ``.h5`` file; a table with a header and one pair a row, or a column for each label; JSON, JSON Lines;
        Parquet; what exiftool writes; a folder of pictures with texts or XMP beside them; or an ``.npz`` file of
        ``scipy.sparse.save_npz`` or of one array of images by labels. ``docs/how-to/own-data.md`` shows each. What is
        not native, Parquet or a folder may be compressed by gzip, bzip2 or xz. Lines end with LF, CR LF or CR; the
        fields of a table are divided by commas, tabs, semicolons or bars.
    image_column, label_column : str, optional
        The columns of a table, or the keys of records, with dots for keys within; found by their usual names where left
        out.
    separator : str, optional
        What stands between the labels of a cell of a table, as in ``"cat, animal"``; blanks around it do not count, and
        quotes keep it from dividing. ``"list"`` for lists in brackets, as programs write them, ``"none"`` where a cell
        is one label. Where it is left out a cell is one label too, unless most cells of the column look like lists:
        then you are asked.
    threshold : float, optional
        Scores from here on are labels, in tables of scores.
    first_number : int, optional
        The number of the first label, 0 or 1, in files that number labels.
    format : str, optional
        A key of `READER_NAMES`: take it for this format, without looking.
    sources : str, optional
        Whose labels count, in a table of Open Images: names from its column `Source`, with commas between.
    part : str, optional
        Which part of a folder to read, such as ``"train"``, where there are several.
    lenient : bool, optional
        Leave out values that are known to be wrong, with a warning, instead of refusing them.

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
    options = check_values(
        TableOptions(
            image_column, label_column, separator, threshold, first_number, format, sources, part, lenient or None
        )
    )
    if format is not None and (not isinstance(format, str) or format not in READER_NAMES):
        raise unknown_name("format", format, READER_NAMES)
    is_folder = isinstance(path, (str, PathLike)) and Path(path).is_dir()
    if not is_folder:
        check_readable(path)
    path = Path(path)
    if options.format is not None:
        return READER_NAMES[options.format].read(path, options)
    head = b""
    if not is_folder:
        with open_decompressed(path) as stream:
            head = stream.read(HEAD_BYTES)
    for reader in READERS:
        if reader.recognises(path, head):
            return reader.read(path, options)
    if is_folder:
        raise FileFormatError(
            f"{path}: no pictures with tag files next to them in a known format; 'vsenumba data pictures "
            "FOLDER -o set.h5 --tags TABLE' reads a folder of pictures, and docs/how-to/own-data.md "
            "shows the formats of "
            "tags"
        )
    raise FileFormatError(
        f"{path} is not in a supported format. Supported formats: {', '.join(READER_NAMES)} "
        "(see docs/how-to/own-data.md)"
    )
