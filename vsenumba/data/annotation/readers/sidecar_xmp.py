"""Folders of pictures with XMP sidecars, as Lightroom, digiKam, darktable, Immich and other programs write them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from xml.parsers import expat

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.hierarchies import Hierarchies
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.picture_files import has_sidecars, read_small, walk
from vsenumba.errors import FileFormatError, unknown_name

NAME = "sidecar-xmp"
DESCRIPTION = "a folder of pictures with .xmp sidecars"
_ENDING = ".xmp"
# The properties with keywords, as expat names them: the namespace, a space, and the name.
_PROPERTIES = {
    "http://purl.org/dc/elements/1.1/ subject": "Subject",
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "HierarchicalSubject",
    "http://www.digikam.org/ns/1.0/ TagsList": "TagsList",
}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder with a picture and a sidecar."""
    return path.is_dir() and has_sidecars(path, _ENDING)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the sidecars of the pictures in a folder, ``x.jpg.xmp`` before ``x.xmp``.

    If ``label_column`` names a field, only that field is read.
    """
    refuse_options(path, options, but=("label_column",))
    if not path.is_dir():
        raise FileFormatError(f"{path} is not a folder; expected a folder of pictures")
    fields = list(_PROPERTIES.values())
    wanted = options.label_column
    if wanted is not None and wanted not in fields:
        raise unknown_name("label column", wanted, fields)
    gathering, hierarchies = Gathering(wanted or " or ".join(fields)), Hierarchies()
    n_without = 0
    for folder in walk(path):
        for picture in folder.pictures:
            beside = folder.beside(picture, _ENDING)
            n_without += not beside
            found = keywords_in(path / f"{folder.prefix}{beside[0]}") if beside else []
            levels = [hierarchies.levels(*one) for one in found if wanted in (None, one[0])]
            gathering.add(f"{folder.prefix}{picture}", [label for labels in levels for label in labels])
    try:
        data = gathering.annotation_set(says_empty=False)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    hierarchies.warn()
    if options.format is None and has_sidecars(path, ".txt"):
        warnings.warn(
            "there are both .xmp and .txt files next to the pictures; the .xmp files were read. Use --format "
            "sidecar-text to read the .txt files",
            UserWarning,
            stacklevel=2,
        )
    if n_without:
        warnings.warn(
            f"{n_without:,} picture(s) have no sidecar: they are kept without labels", UserWarning, stacklevel=2
        )
    return data


def keywords_in(path: Path) -> list[tuple[str, str]]:
    """Return the keywords of a sidecar, each with its field.

    Parameters
    ----------
    path : Path
        The sidecar.

    Returns
    -------
    list of (str, str)
        Field and keyword, such as ``("Subject", "cat")``, in the order of the file.

    Raises
    ------
    FileFormatError
        If the file is not XML, or declares a document type, which could expand entities or read other files.
    """
    found: list[tuple[str, str]] = []
    open_elements: list[str] = []
    texts: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        open_elements.append(name)
        texts.clear()

    def end(name: str) -> None:
        open_elements.pop()
        # An item of a bag, or a property with a text, as some programs write it.
        around = [name, *reversed(open_elements)]
        owner = next((one for one in around if one in _PROPERTIES), "")
        if owner and (name == f"{_RDF}li" or name == owner):
            text = "".join(texts).strip()
            if text:
                found.append((_PROPERTIES[owner], text))
        texts.clear()

    def refuse(*_: Any) -> None:
        raise FileFormatError("the file declares a document type, which is not allowed in a sidecar")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = refuse
    content = read_small(path)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FileFormatError(f"{path}, line {error.lineno}: not valid XML: {expat.ErrorString(error.code)}") from error
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    return found
