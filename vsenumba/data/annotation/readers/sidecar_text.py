"""Folders of pictures, each with a text file of comma-separated labels, as in training sets for image generators."""

from __future__ import annotations

import codecs
import warnings
from collections import Counter
from pathlib import Path

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.cells import divider
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.lines import wide_encoding
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.picture_files import has_sidecars, read_small, walk
from vsenumba.errors import FileFormatError

NAME = "sidecar-text"
DESCRIPTION = "a folder of pictures, each with its labels in a .txt file next to it"
_ENDING = ".txt"


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder with a picture and a text file next to it."""
    return path.is_dir() and has_sidecars(path, _ENDING)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the text files next to the pictures in a folder. A picture without one becomes an image without labels."""
    refuse_options(path, options, but=("separator",))
    if not path.is_dir():
        raise FileFormatError(f"{path} is not a folder; expected a folder of pictures")
    texts = _Texts(options.separator)
    for folder in walk(path):
        used: Counter[str] = Counter()
        for picture in folder.pictures:
            beside = folder.beside(picture, _ENDING)
            texts.add(f"{folder.prefix}{picture}", path / f"{folder.prefix}{beside[0]}" if beside else None)
            texts.n_doubles += len(beside) > 1
            used.update(beside)
        texts.n_shared += sum(n > 1 for n in used.values())
        strays = [name for name in folder.names if name.casefold().endswith(_ENDING) and name not in used]
        texts.strays += [f"{folder.prefix}{name}" for name in strays]
    try:
        return texts.annotation_set()
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error


class _Texts:
    """The labels read so far, and counts for warnings."""

    def __init__(self, separator: str | None) -> None:
        self._divide = None if separator is None else divider(separator)
        self._gathering = Gathering("the texts")
        self._n_texts = self._n_without = 0
        # The number of texts without commas that could be lists, by possible separator.
        self._others: Counter[str] = Counter()
        self._example = ""
        self.n_doubles = self.n_shared = 0
        self.strays: list[str] = []

    def add(self, image: str, text: Path | None) -> None:
        """Add a picture and its text file."""
        if text is None:
            self._n_without += 1
            self._gathering.add(image, [])
            return
        content = _decoded(text).strip()
        self._n_texts += bool(content)
        if self._divide is not None:
            self._gathering.add(image, self._divide(content) if content else [])
            return
        lines = content.splitlines()
        if "," not in content:
            mark = r"\n" if len(lines) > 1 else " " if " " in content else ""
            self._others[mark] += bool(mark)
            self._example = self._example or (content if mark else "")
        self._gathering.add(image, [label for line in lines for label in line.split(",")])

    def annotation_set(self) -> AnnotationSet:
        """Return the set, and raise an error if most texts have no comma."""
        for mark, n in self._others.most_common(1):
            if n * 2 > self._n_texts:
                raise FileFormatError(
                    f"{n:,} of {self._n_texts:,} texts have no comma, such as {self._example!r:.60}; use --separator "
                    f"{mark!r} if its parts are labels (in Python separator={mark!r}), or --separator ',' "
                    "if each text is "
                    "one label"
                )
        data = self._gathering.annotation_set(says_empty=False)
        notes = {
            f"{self._n_without:,} picture(s) have no text next to them: they are kept without labels": self._n_without,
            f"{self.n_doubles:,} picture(s) have two texts, as x.jpg.txt and x.txt: the first was read": self.n_doubles,
            f"{self.n_shared:,} text(s) belong to several pictures and were used for each": self.n_shared,
            f"{len(self.strays):,} text(s) belong to no picture and were not read: "
            f"{', '.join(self.strays[:3]):.200}": len(self.strays),
        }
        for note, n in notes.items():
            if n:
                warnings.warn(note, UserWarning, stacklevel=3)
        return data


def _decoded(path: Path) -> str:
    content = read_small(path)
    if wide := wide_encoding(content[:4096]):
        raise FileFormatError(f"{path}: the file is {wide}; save it as UTF-8")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path}: byte {error.start + 1} (0x{content[error.start]:02x}) is not UTF-8; save the text as UTF-8"
        ) from error
    if "\0" in text:
        raise FileFormatError(f"{path}: contains a NUL character; this is not a text file")
    return text
