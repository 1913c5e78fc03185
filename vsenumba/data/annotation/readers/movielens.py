"""MovieLens: users and the films they like in ``ratings.csv``, tags in ``tags.csv``, and genres in ``movies.csv``."""

from __future__ import annotations

import csv
import re
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.lines import Lines
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

NAME = "movielens"
DESCRIPTION = "MovieLens's ratings.csv, tags.csv or movies.csv, or their folder"

_HEADERS = {
    "ratings": "userId,movieId,rating,timestamp",
    "tags": "userId,movieId,tag,timestamp",
    "genres": "movieId,title,genres",
}
_FILES = {"ratings": "ratings.csv", "tags": "tags.csv", "genres": "movies.csv"}
_NO_GENRE = "(no genres listed)"
_RATING = re.compile(rb"(?:\d{1,10},\d{1,10},\d{1,3}(?:\.\d{1,4})?,\d{1,12}(?:\r?\n|$))*")
_BLOCK = 1 << 22


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts with one of these headers, or is a folder with such a file."""
    if path.is_dir():
        return bool(_parts_of(path))
    return _kind_of(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read which user likes which films, or which film has which tags or genres.

    For ratings, images are users, and labels are the films with a rating of at least `threshold`. Films are named by
    their titles if ``movies.csv`` is in the same folder. For tags and genres, images are films, named by their numbers,
    with titles.
    """
    kind = None
    if path.is_dir():
        parts = _parts_of(path)
        kind = chosen_part(path, parts, options.part)
        path = parts[kind]
        options = options._replace(part=None)
    kind = kind or _kind_of(_head_of(path))
    if kind is None:
        raise FileFormatError(f"{path}: the first line must be one of {'; '.join(_HEADERS.values())}")
    refuse_options(path, options, but=("threshold",) if kind == "ratings" else ())
    if kind == "ratings":
        return _ratings(path, options.threshold)
    return _words(path, kind)


def _parts_of(folder: Path) -> dict[str, Path]:
    there = {kind: folder / name for kind, name in _FILES.items() if (folder / name).is_file()}
    return {kind: path for kind, path in there.items() if _kind_of(_head_of(path)) == kind}


def _head_of(path: Path) -> bytes:
    with open_decompressed(path) as stream:
        return stream.read(100)


def _kind_of(head: bytes) -> str | None:
    first = head.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    return next((kind for kind, header in _HEADERS.items() if first == [header.encode()]), None)


def _ratings(path: Path, threshold: float | None) -> AnnotationSet:
    if threshold is None:
        raise InputError(
            f"{path} has ratings from 0.5 to 5; give the lowest rating that means 'likes the film', such "
            "as --threshold "
            "4 (in Python threshold=4)"
        )
    users, films, liked = array("q"), array("q"), array("b")
    for block, line in _blocks(path):
        if _RATING.fullmatch(block) is None:
            raise FileFormatError(_odd_rating(path, block, line))
        numbers = np.fromstring(block.decode().replace(",", " "), np.float64, sep=" ").reshape(-1, 4)
        users.frombytes(numbers[:, 0].astype(np.int64).tobytes())
        films.frombytes(numbers[:, 1].astype(np.int64).tobytes())
        liked.frombytes((numbers[:, 2] >= threshold).astype(np.int8).tobytes())
    if not len(users):
        raise FileFormatError(f"{path} has a header but no ratings")
    user_numbers, rows = np.unique(np.frombuffer(users, np.int64), return_inverse=True)
    film_numbers, columns = np.unique(np.frombuffer(films, np.int64), return_inverse=True)
    keep = np.frombuffer(liked, np.int8).astype(bool)
    indptr, indices = pairs_to_csr(rows[keep], columns[keep], len(user_numbers), len(film_numbers))
    names = _film_names(path, film_numbers.tolist())
    return AnnotationSet(indptr, indices, len(names), [str(number) for number in user_numbers], names)


def _blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield blocks of whole lines after the header, and the line number of the first."""
    with open_decompressed(path) as stream:
        stream.readline()
        number, rest = 2, b""
        while block := stream.read(_BLOCK):
            cut = block.rfind(b"\n") + 1
            whole, rest = (rest + block[:cut], block[cut:]) if cut else (b"", rest + block)
            yield whole, number
            number += whole.count(b"\n")
            if len(rest) > _BLOCK:
                break
        yield rest, number


def _odd_rating(path: Path, block: bytes, line: int) -> str:
    for number, row in enumerate(block.splitlines(keepends=True), start=line):
        if _RATING.fullmatch(row) is None:
            shown = row.decode(errors="replace").strip()
            return f"{path}, line {number}: {shown!r:.60} is not a user, a film, a rating and a time"
    return f"{path}, line {line}: not a rating"


def _film_names(path: Path, numbers: list[int]) -> list[str]:
    """Return the titles of films, with the film number if a title is not unique, or only numbers without a list."""
    titles = _titles_beside(path)
    if titles is None:
        return [str(number) for number in numbers]
    found = [titles.get(str(number), str(number)) for number in numbers]
    times: dict[str, int] = {}
    for title in found:
        times[title] = times.get(title, 0) + 1
    return [title if times[title] == 1 else f"{title} [{number}]" for title, number in zip(found, numbers, strict=True)]


def _titles_beside(path: Path) -> dict[str, str] | None:
    films = path.with_name(_FILES["genres"])
    if not films.is_file() or _kind_of(_head_of(films)) != "genres":
        return None
    return {film: plain(title) for film, title, _ in _table(films, 3)}


def _words(path: Path, kind: str) -> AnnotationSet:
    films: dict[str, int] = {}
    labels: dict[str, int] = {}
    rows, columns = array("q"), array("q")
    titles = _titles_beside(path) or {}
    n_empty = 0
    for cells in _table(path, 3 if kind == "genres" else 4):
        film = cells[0] if kind == "genres" else cells[1]
        row = films.setdefault(film, len(films))
        if kind == "genres":
            titles[film] = plain(cells[1])
            words = [] if cells[2] == _NO_GENRE else cells[2].split("|")
        else:
            words = [cells[2]]
            n_empty += not plain(cells[2])
        for word in filter(None, map(plain, words)):
            rows.append(row)
            columns.append(labels.setdefault(word, len(labels)))
    if n_empty:
        warnings.warn(f"{path}: skipped {n_empty:,} row(s) without a tag", UserWarning, stacklevel=3)
    if not films:
        raise FileFormatError(f"{path} has a header but no rows")
    indptr, indices = pairs_to_csr(
        np.frombuffer(rows, np.int64), np.frombuffer(columns, np.int64), len(films), len(labels)
    )
    known = [titles.get(film, "") for film in films] if titles else None
    return AnnotationSet(indptr, indices, len(labels), films, labels, titles=known)


def _table(path: Path, n_cells: int) -> Iterator[list[str]]:
    """Yield the rows after the header, and check their number of cells and the film number."""
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            for number, cells in enumerate(csv.reader(lines, strict=True)):
                lines.end_record()
                if not number or not cells:
                    continue
                if len(cells) != n_cells or not cells[n_cells == 4].isdecimal():
                    raise FileFormatError(f"{','.join(cells)!r:.60} is not a row of {n_cells} cells with a film number")
                yield cells
        except (FileFormatError, csv.Error) as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: {error}") from error
