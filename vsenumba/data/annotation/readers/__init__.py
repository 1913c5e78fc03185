"""Readers of annotation sets, one module per format, chosen by the content of the file.

A reader is a module with ``NAME`` (for the option ``format``), ``DESCRIPTION`` (for people), ``recognises(path, head)``
and ``read``. `head` is the first bytes of the file after decompression, and is empty for a folder. To support another
format, add a module and a line in `READERS`.
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
    """The interface of the modules in this folder."""

    NAME: str
    DESCRIPTION: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file that begins with `head`, or a folder with an empty `head`, has this format."""

    def read(self, path: Path, options: TableOptions) -> AnnotationSet:
        """Read the file or the folder."""


# The most specific readers come first. The last one accepts any text.
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
# Readers by the names that the option ``format`` accepts.
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
    r"""Read an annotation set from a file or folder in any supported format, detected from its content.

    Parameters
    ----------
    path : str or path-like
        The file or folder. Supported formats include native ``.h5`` files; tables with a header and one pair per row or
        one column per label; JSON and JSON Lines; Parquet; the output of exiftool; folders of pictures with text or XMP
        files next to them; and ``.npz`` files with a matrix of images by labels. ``docs/how-to/own-data.md`` shows each
        format. Files other than native and Parquet files may be compressed with gzip, bzip2 or xz. Lines may end with
        LF, CR LF or CR. Fields of a table may be separated by commas, tabs, semicolons or bars.
    image_column, label_column : str, optional
        The columns of a table or the keys of records, with dots for nested keys. By default, they are detected by their
        usual names.
    separator : str, optional
        The text between the labels in a table cell, as in ``"cat, animal"``. Spaces around it are ignored, and quotes
        protect it. Use ``"list"`` for lists in brackets, as programs write them, and ``"none"`` if each cell is one
        label. The default is one label per cell, but it raises an error if most cells look like lists.
    threshold : float, optional
        In tables of scores, the lowest score that counts as a label.
    first_number : int, optional
        The number of the first feature, 0 or 1, in svmlight files.
    format : str, optional
        A key of `READER_NAMES`. The file is read in this format, without detection.
    sources : str, optional
        In a table of Open Images, the sources whose labels count: names from its column `Source`, separated by commas.
    part : str, optional
        The part to read, such as ``"train"``, if a folder has several.
    lenient : bool, optional
        Whether to accept known mistakes in a data set with a warning, instead of raising an error.

    Returns
    -------
    AnnotationSet
        The annotation set in the file.

    Raises
    ------
    InputError
        If the file does not exist, or an option does not apply to it.
    FileFormatError
        If the format is unknown, a line or a value is invalid, or most cells look like lists of labels and `separator`
        is not given. The message gives the details.

    Warns
    -----
    UserWarning
        If some cells look like lists of labels, or have no label. The message gives their number.

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
