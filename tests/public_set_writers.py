"""For every reader of a public set's layout: how to write a set in it, and what of a set the layout keeps.

A writer is given a set and a path, at which it makes a file or a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vsenumba.data import AnnotationSet


class Layout(NamedTuple):
    """How to write a set, whether the names of images and of labels are kept, and the options to read it with."""

    write: Callable[[AnnotationSet, Path], None]
    keeps_images: bool = True
    keeps_labels: bool = True
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


PUBLIC_SETS = {
    "arff": Layout(write_arff),
}
