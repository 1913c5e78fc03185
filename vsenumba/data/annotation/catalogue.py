"""The catalogue of named data sets, and one function that loads any set by name or by path."""

from __future__ import annotations

from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.data_set import DataSet
from vsenumba.data.annotation.fetching import files_of, located
from vsenumba.data.annotation.in_memory import from_memory
from vsenumba.data.annotation.public_sets import PUBLIC_SETS
from vsenumba.data.annotation.readers import read_annotations
from vsenumba.data.annotation.readers.options import TableOptions
from vsenumba.data.downloads import Progress
from vsenumba.errors import InputError, unknown_name
from vsenumba.storage import exists

DATASETS = {
    entry.name: entry
    for entry in (
        DataSet(
            name="openclipart",
            description="clip-art pictures with keywords assigned by people",
            licence="public domain, according to each picture's metadata",
            source="Open Clip Art Library 0.18, Debian package openclipart-svg 1:0.18+dfsg-19",
            shipped="openclipart.h5",
        ),
        *PUBLIC_SETS,
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
    part: str | None = None,
    lenient: bool | None = None,
    from_folder: str | PathLike[str] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> AnnotationSet:
    """Load an annotation set by its name in the catalogue, from a file or folder, or from data in memory.

    Parameters
    ----------
    source : str, path-like, data frame, mapping, or other input of `as_annotation_set`
        A key of `DATASETS`, the path of a file or folder in any format that `read_annotations` supports, or data in
        memory. A catalogue name takes precedence over a file of the same name; for the file, write ``"./openclipart"``.
        Data in memory is converted by `as_annotation_set`. The options apply to data frames.
    image_column, label_column, separator, threshold, first_number, format, sources, part, lenient : optional
        See `read_annotations`.
    from_folder : str or path-like, optional
        A folder with the published files of a catalogue set. Nothing is downloaded then.
    trust : bool
        Whether to download a catalogue set that has no published checksum. Its digest is stored.
    progress : callable, optional
        Called during a download with the name of each file, the bytes downloaded so far, and the total or None.

    Returns
    -------
    AnnotationSet
        The set.

    Raises
    ------
    UnknownNameError
        If `source` is neither a catalogue name nor a file.
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
        "part": part,
        "lenient": lenient,
    }
    if isinstance(source, str) and source in DATASETS and not DATASETS[source].shipped:
        return _read_public(DATASETS[source], options, from_folder, trust, progress)
    if from_folder is not None or trust:
        raise InputError(
            "from_folder and trust (--from and --trust) apply only to data sets that are downloaded by "
            f"name, and {source!r:.60} is not"
        )
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


def _read_public(
    entry: DataSet,
    options: dict[str, Any],
    from_folder: str | PathLike[str] | None,
    trust: bool,
    progress: Progress | None,
) -> AnnotationSet:
    if entry.holds != "labels":
        raise InputError(
            f"{entry.name} contains {entry.holds}; read it with "
            f"load_caption_set(fetch_dataset({entry.name!r}), features)"
        )
    root = files_of(entry, from_folder=from_folder, trust=trust, progress=progress)
    path, part = located(entry, root, options["part"])
    return read_annotations(path, **{**options, "part": part, "format": options["format"] or entry.reader or None})


def fetch_dataset(
    name: str,
    *,
    part: str | None = None,
    from_folder: str | PathLike[str] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Download a catalogue set, and return the path of its file or folder, for use with the readers.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    part : str, optional
        The part to return, if the set has several files.
    from_folder, trust, progress : optional
        See `load_dataset`.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such set.
    InputError, FileFormatError
        If the download fails or the files are not as expected. The message says what to do.

    Examples
    --------
    >>> fetch_dataset("openclipart").name
    'openclipart.h5'
    """
    if name not in DATASETS:
        raise unknown_name("data set", name, DATASETS)
    entry = DATASETS[name]
    if entry.shipped:
        return Path(str(resources.files("vsenumba.data") / "shipped" / entry.shipped))
    root = files_of(entry, from_folder=from_folder, trust=trust, progress=progress)
    return located(entry, root, part)[0] if part is not None or "" in entry.paths else root
