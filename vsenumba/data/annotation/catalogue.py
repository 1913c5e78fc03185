"""The data sets that have a name, and the one way to get any set: by its name or by its path."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.in_memory import from_memory
from vsenumba.data.annotation.readers import read_annotations
from vsenumba.data.annotation.readers.options import TableOptions
from vsenumba.errors import InputError, unknown_name
from vsenumba.storage import exists


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """An entry of the catalogue.

    Attributes
    ----------
    name : str
        What `load_dataset` knows it by.
    description : str
        One line for people.
    licence : str
        The terms it may be used under.
    source : str
        Where it comes from.
    shipped : str
        The file of ``vsenumba/data/shipped/`` that holds it.
    """

    name: str
    description: str
    licence: str
    source: str
    shipped: str


DATASETS = {
    entry.name: entry
    for entry in (
        DataSet(
            name="openclipart",
            description="clip-art pictures with the keywords people gave them",
            licence="public domain, by the metadata of every picture",
            source="Open Clip Art Library 0.18, Debian package openclipart-svg 1:0.18+dfsg-19",
            shipped="openclipart.h5",
        ),
    )
}


def load_dataset(
    source: str | PathLike[str] | Any,
    *,
    image_column: str | None = None,
    label_column: str | None = None,
    separator: str | None = None,
    threshold: float | None = None,
    first_number: int | None = None,
    format: str | None = None,
    sources: str | None = None,
) -> AnnotationSet:
    """Load an annotation set by its name in the catalogue, or from a file, a folder, or what is in memory.

    Parameters
    ----------
    source : str, path-like, data frame, mapping, or what `as_annotation_set` takes
        A key of `DATASETS`, or the path of a file or a folder of any format that `read_annotations` knows. A name of
        the catalogue goes before a file of the same name: write ``"./openclipart"`` for that. What is in memory is made
        a set as models do it; a data frame is read as the options say.
    image_column, label_column, separator, threshold, first_number, format, sources : optional
        See `read_annotations`.

    Returns
    -------
    AnnotationSet
        The set.

    Raises
    ------
    UnknownNameError
        If `source` is neither a name in the catalogue nor a file.
    InputError, FileFormatError
        See `read_annotations`.

    Examples
    --------
    >>> load_dataset("openclipart").n_images > 1000
    True
    """
    options: dict[str, Any] = {
        "image_column": image_column,
        "label_column": label_column,
        "separator": separator,
        "threshold": threshold,
        "first_number": first_number,
        "format": format,
        "sources": sources,
    }
    if isinstance(source, str) and source in DATASETS:
        shipped = resources.files("vsenumba.data") / "shipped" / DATASETS[source].shipped
        with resources.as_file(shipped) as path:
            return read_annotations(path, **options)
    if not isinstance(source, (str, PathLike)):
        return source if isinstance(source, AnnotationSet) else from_memory(source, "source", TableOptions(**options))
    path = Path(source)
    if not exists(path):
        if path.suffix or path.name != str(source):
            raise InputError(f"there is no file {source}")
        raise unknown_name("data set", source, DATASETS)
    return read_annotations(path, **options)
