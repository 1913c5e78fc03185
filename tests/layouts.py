"""The layouts of people's tag files: for each reader, how to write a set so that it gives it back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import scipy.sparse as sp
from hypothesis import strategies as st
from strategies import names, table_names

from vsenumba.data import AnnotationSet
from vsenumba.data.annotation.readers import READER_NAMES
from vsenumba.data.annotation.readers.tables import IMAGE_COLUMNS, LABEL_COLUMNS, as_column

# A picture of one pixel is not needed: pictures are told by their names.
BAG = "<rdf:Bag>{}</rdf:Bag>"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/" '
    'xmlns:digiKam="http://www.digikam.org/ns/1.0/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)


def is_usual(name: str) -> bool:
    """Tell whether a column of that name would be taken for one of images or of labels."""
    return as_column(name) in {*IMAGE_COLUMNS, *LABEL_COLUMNS}


def labels_by_image(data: AnnotationSet) -> dict[str, set[str]]:
    """Return what a set says, whatever the order of its rows and columns."""
    return {image: set(data.labels_of(image)) for image in data.image_ids}


@dataclass
class Layout:
    """A way in which a set is written, and read again."""

    reader: str
    write: Callable[[dict[str, list[str]], Path], None]
    options: dict[str, Any] = field(default_factory=dict)
    # Which names it can carry, of images and of labels.
    images: st.SearchStrategy[str] = table_names
    labels: st.SearchStrategy[str] = table_names
    keeps_untagged: bool = True
    keeps_names: bool = True
    is_folder: bool = False
    # What the reader says of any such file.
    says: str | None = None

    def write_set(self, data: AnnotationSet, path: Path) -> None:
        """Write a set."""
        if self.reader == "native":
            data.save(path)
        elif self.reader == "npz":
            with path.open("wb") as file:
                sp.save_npz(file, data.to_csr())
        else:
            self.write({image: data.labels_of(image) for image in data.image_ids}, path)


def rows(path: Path, header: list[str], content: Iterable[list[str]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *content])


def write_pairs(tags: dict[str, list[str]], path: Path) -> None:
    rows(path, ["image", "label"], ([image, label] for image, labels in tags.items() for label in labels))


def write_cells(tags: dict[str, list[str]], path: Path) -> None:
    rows(path, ["filename", "keywords"], ([image, "; ".join(labels)] for image, labels in tags.items()), ";")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def write_onehot(tags: dict[str, list[str]], path: Path) -> None:
    known = sorted({label for labels in tags.values() for label in labels})
    table = ([image, *("01"[one in labels] for one in known)] for image, labels in tags.items())
    rows(path, ["image", *known], table)


def write_crosses(tags: dict[str, list[str]], path: Path) -> None:
    known = sorted({label for labels in tags.values() for label in labels})
    table = ([image, *(" x"[one in labels].strip() for one in known)] for image, labels in tags.items())
    rows(path, ["image", *known], table, "\t")


def write_json(tags: dict[str, list[str]], path: Path) -> None:
    records = [{"id": image, "tags": labels} for image, labels in tags.items()]
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")


def write_json_lines(tags: dict[str, list[str]], path: Path) -> None:
    lines = (json.dumps({"file": {"name": image}, "tags": labels}) for image, labels in tags.items())
    path.write_text("".join(f"{line}\n" for line in lines))


def write_json_object(tags: dict[str, list[str]], path: Path) -> None:
    path.write_text(json.dumps(tags))


def write_danbooru(tags: dict[str, list[str]], path: Path) -> None:
    posts = (
        {"id": image, "tag_string_general": " ".join(labels[:1]), "tag_string_meta": " ".join(labels[1:])}
        for image, labels in tags.items()
    )
    path.write_text("".join(f"{json.dumps(post)}\n" for post in posts))


def write_exiftool_csv(tags: dict[str, list[str]], path: Path) -> None:
    table = ([image, "##".join(labels[:2]), "##".join(labels[1:])] for image, labels in tags.items())
    rows(path, ["SourceFile", "Keywords", "Subject"], table)


def write_exiftool_json(tags: dict[str, list[str]], path: Path) -> None:
    def one(labels: list[str]) -> Any:
        values = [int(label) if label in ("2024", "7") else label for label in labels]
        return values[0] if len(values) == 1 else values

    records = [{"SourceFile": image} | ({"Subject": one(labels)} if labels else {}) for image, labels in tags.items()]
    path.write_text(json.dumps(records))


def write_parquet(tags: dict[str, list[str]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = pa.array(list(tags.values()), pa.list_(pa.string()))
    pq.write_table(pa.table({"file_name": pa.array(list(tags), pa.string()), "labels": lists}), path)


def _pictures(tags: dict[str, list[str]], path: Path) -> Iterable[tuple[Path, list[str]]]:
    for image, labels in tags.items():
        picture = path / image
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.touch()
        yield picture, labels


def write_sidecar_text(tags: dict[str, list[str]], path: Path) -> None:
    path.mkdir(exist_ok=True)
    for at, (picture, labels) in enumerate(_pictures(tags, path)):
        if labels or at % 2:
            beside = picture.with_suffix(".txt") if at % 3 else picture.with_name(f"{picture.name}.txt")
            beside.write_text(", ".join(labels) + (",\n" if labels else ""), encoding="utf-8")


def write_sidecar_xmp(tags: dict[str, list[str]], path: Path) -> None:
    path.mkdir(exist_ok=True)
    for at, (picture, labels) in enumerate(_pictures(tags, path)):
        if labels or at % 2:
            items = "".join(f"<rdf:li>{escape(label)}</rdf:li>" for label in labels)
            beside = picture.with_suffix(".xmp") if at % 3 else picture.with_name(f"{picture.name}.xmp")
            beside.write_text(XMP.format(f"<dc:subject>{BAG.format(items)}</dc:subject>"), encoding="utf-8")


without = lambda of, marks: of.filter(lambda name: not any(mark in name for mark in marks))  # noqa: E731
one_line = table_names.filter(lambda name: len(name.splitlines()) == 1 and not set(name) & set(",\t"))
words = st.text("abcdéß-_()", min_size=1, max_size=5)
# XML has no character for these.
in_xml = one_line.filter(lambda name: not any(c in "\ufffe\uffff" or "\x7f" <= c <= "\x9f" for c in name))
pictures = st.builds(
    "{}{}.{}".format, st.sampled_from(["", "birds/", "a b/c/"]), words, st.sampled_from(["jpg", "PNG"])
)

LAYOUTS = {
    "native": Layout("native", write_pairs, images=names, labels=names),
    "npz": Layout("npz", write_pairs, keeps_names=False),
    "pairs": Layout("pairs", write_pairs, {"separator": "none"}, keeps_untagged=False),
    "cells": Layout(
        "pairs", write_cells, {"separator": ";"},
        labels=without(table_names, ';"'), says="have no label|contains the separator",
    ),
    "one-hot": Layout("one-hot", write_onehot, labels=table_names.filter(lambda name: not is_usual(name))),
    "one-hot of crosses": Layout("one-hot", write_crosses, {"format": "one-hot"}, images=one_line, labels=one_line),
    "json": Layout("json", write_json, images=names, labels=names, says="have no label"),
    "json lines": Layout(
        "json", write_json_lines, {"image_column": "file.name"}, images=names, labels=names, says="have no label"
    ),
    "json object": Layout("json", write_json_object, images=names, labels=names, says="have no label"),
    "parquet": Layout("parquet", write_parquet, images=names, labels=names, says="have no label"),
    "danbooru": Layout("danbooru", write_danbooru, images=names, labels=words, says="have no label"),
    "exiftool csv": Layout(
        "exiftool", write_exiftool_csv, {"separator": "##"},
        images=without(table_names, ["./"]), labels=without(table_names, '#"'), says="have no label",
    ),
    "exiftool json": Layout(
        "exiftool", write_exiftool_json, images=without(names, ["./"]), labels=names | st.sampled_from(["7", "2024"]),
        says="have no label",
    ),
    "sidecar text": Layout(
        "sidecar-text", write_sidecar_text, {"separator": ","}, images=pictures, labels=without(one_line, '"'),
        is_folder=True, says="no text next to|several pictures|two texts",
    ),
    "sidecar xmp": Layout(
        "sidecar-xmp", write_sidecar_xmp, images=pictures, labels=in_xml, is_folder=True, says="have no sidecar"
    ),
}  # fmt: skip

assert {layout.reader for layout in LAYOUTS.values()} <= set(READER_NAMES)

try:
    import pyarrow  # noqa: F401
except ImportError:
    del LAYOUTS["parquet"]
