"""For every reader of a public set's layout: how to write a set in it, and what of a set the layout keeps.

A writer is given a set and a path, at which it makes a file or a folder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsenumba.data import AnnotationSet


class Layout(NamedTuple):
    """How to write a set, and what of it is kept.

    Labels that no image has are lost, and their order is another, where `keeps_empty` is false.
    """

    write: Callable[[AnnotationSet, Path], None]
    keeps_images: bool = True
    keeps_empty: bool = True
    has_features: bool = False
    label: str | None = None
    """What the label of a number is called, where names are not kept."""

    def label_names(self, data: AnnotationSet) -> list[str]:
        """Return what the labels of a set are called in the layout."""
        return list(data.label_names) if self.label is None else [self.label.format(j) for j in range(data.n_labels)]


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
    drawn[0, -1] = 2  # of svmlight the last column that is used is the last there is
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


def write_nus_wide(data: AnnotationSet, path: Path) -> None:
    """Write a file for each concept, with lists of concepts and of images."""
    (path / "AllLabels").mkdir(parents=True)
    for column, values in enumerate(data.to_csr().toarray().astype(int).T):
        (path / "AllLabels" / f"Labels_c{column}.txt").write_text("".join(f"{value}\n" for value in values))
    (path / "Concepts81.txt").write_text("".join(f"c{column}\n" for column in range(data.n_labels)))
    (path / "Imagelist.txt").write_text("".join(f"c\\{image}.jpg\r\n" for image in range(data.n_images)))


def write_mirflickr(data: AnnotationSet, path: Path) -> None:
    """Write a file of tags for each image."""
    (path / "meta" / "tags").mkdir(parents=True)
    for image, name in enumerate(data.image_ids):
        tags = "".join(f"{label}\r\n" for label in data.labels_of(name))
        (path / "meta" / "tags" / f"tags{image + 1}.txt").write_bytes(tags.encode())


def write_coco(data: AnnotationSet, path: Path) -> None:
    """Write instances, with gaps between the numbers of categories."""
    rows, columns = data.pairs()
    numbers = [3 * column + 1 for column in range(data.n_labels)]
    written = {
        "info": {"description": "drawn"},
        "annotations": [
            {"id": at, "image_id": 10 + int(i), "category_id": numbers[j], "segmentation": [[0, 1.5]]}
            for at, (i, j) in enumerate(zip(rows, columns, strict=True))
        ],
        "images": [{"id": 10 + i, "file_name": name} for i, name in enumerate(data.image_ids)],
        "categories": [{"id": number, "name": data.label_names[j]} for j, number in enumerate(numbers)],
    }
    path.write_text(json.dumps(written), encoding="utf-8")


def write_movielens(data: AnnotationSet, path: Path) -> None:
    """Write the genres of films."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["movieId", "title", "genres"])
        for image, name in enumerate(data.image_ids):
            labels = [f"genre {j}" for j in data.indices[data.indptr[image] : data.indptr[image + 1]]]
            writer.writerow([image + 1, name, "|".join(labels) or "(no genres listed)"])


def write_hvecs(data: AnnotationSet, path: Path) -> None:
    """Write a matrix, and the names of its rows and columns, into a folder."""
    path.mkdir()
    table = np.insert(data.to_csr().toarray(), 0, data.n_labels, axis=1)
    (path / "drawn_train_annot.hvecs").write_bytes(table.astype("<u2").tobytes())
    for name, vocabulary in (("dictionary", data.label_names), ("train_list", data.image_ids)):
        (path / f"drawn_{name}.txt").write_text("".join(f"{one}\n" for one in vocabulary), encoding="utf-8")


PUBLIC_SETS = {
    "arff": Layout(write_arff),
    "extreme": Layout(write_extreme, keeps_images=False, has_features=True, label="{}"),
    "extreme-pairs": Layout(write_extreme_pairs, keeps_images=False, has_features=True, label="{}"),
    "svmlight": Layout(write_svmlight, keeps_images=False, keeps_empty=False, has_features=True, label="{}"),
    "nus-wide": Layout(write_nus_wide, keeps_images=False, label="c{}"),
    "mirflickr": Layout(write_mirflickr, keeps_images=False, keeps_empty=False),
    "coco": Layout(write_coco),
    "movielens": Layout(write_movielens, keeps_images=False, keeps_empty=False, label="genre {}"),
    "hvecs": Layout(write_hvecs),
}
