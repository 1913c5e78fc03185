"""For every reader of a public set's layout: how to write a set in it, and what of a set the layout keeps.

A writer is given a set and a path, at which it makes a file or a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsenumba.data import AnnotationSet


class Layout(NamedTuple):
    """How to write a set, what of it is kept, and the options to read it with.

    Labels that no image has are lost where `keeps_empty` is false.
    """

    write: Callable[[AnnotationSet, Path], None]
    keeps_images: bool = True
    keeps_labels: bool = True
    keeps_empty: bool = True
    has_features: bool = False
    options: dict[str, object] = {}


def quoted(text: str) -> str:
    """Return a text as ARFF writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write_arff(data: AnnotationSet, path: Path) -> None:
    """Write a table of MEKA, with sparse rows."""
    lines = [f"@relation 'drawn: -C {data.n_labels}'"]
    lines += [f"@attribute {quoted(name)} {{0,1}}" for name in data.label_names]
    lines += ["@attribute image string", "@data"]
    for image, name in enumerate(data.image_ids):
        labels = data.indices[data.indptr[image] : data.indptr[image + 1]]
        lines.append("{" + ", ".join([*(f"{at} 1" for at in labels), f"{data.n_labels} {quoted(name)}"]) + "}")
    path.write_text("\n".join(lines), encoding="utf-8")


def features_of(data: AnnotationSet) -> np.ndarray:
    """Return features that are written with a set: whole numbers and halves, the first of each image not zero."""
    drawn = np.random.default_rng(data.n_pairs).integers(-3, 4, (data.n_images, 3)) / 2
    drawn[:, 0] = 1 + np.arange(data.n_images)
    return drawn.astype(np.float32)


def cells(numbers: np.ndarray, first: int = 0) -> str:
    """Return a row of ``number:value``."""
    return " ".join(f"{at + first}:{value:g}" for at, value in enumerate(numbers) if value)


def label_rows(data: AnnotationSet) -> list[str]:
    """Return the numbers of each image's labels, between commas."""
    return [",".join(map(str, data.indices[a:b])) for a, b in zip(data.indptr[:-1], data.indptr[1:], strict=True)]


def write_extreme(data: AnnotationSet, path: Path) -> None:
    """Write labels and features in one file."""
    rows = zip(label_rows(data), features_of(data), strict=True)
    lines = [f"{data.n_images} 3 {data.n_labels}", *(f"{labels} {cells(numbers)}" for labels, numbers in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_svmlight(data: AnnotationSet, path: Path) -> None:
    """Write labels and features in one file, without a header."""
    rows = zip(label_rows(data), features_of(data), strict=True)
    path.write_text("# drawn\n" + "".join(f"{one} {cells(numbers)}\n" for one, numbers in rows), encoding="utf-8")


def write_extreme_pairs(data: AnnotationSet, path: Path) -> None:
    """Write labels and features in two files of a folder."""
    path.mkdir()
    for name, matrix in (("Y", data.to_csr().toarray()), ("Xf", features_of(data))):
        lines = [f"{matrix.shape[0]} {matrix.shape[1]}", *(cells(row) for row in matrix)]
        (path / f"trn_X_{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


PUBLIC_SETS = {
    "arff": Layout(write_arff),
    "extreme": Layout(write_extreme, keeps_images=False, keeps_labels=False, has_features=True),
    "extreme-pairs": Layout(write_extreme_pairs, keeps_images=False, keeps_labels=False, has_features=True),
    "svmlight": Layout(write_svmlight, keeps_images=False, keeps_labels=False, keeps_empty=False, has_features=True),
}
