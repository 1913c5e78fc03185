"""Build the data set that ships with the package from Debian's ``openclipart-svg`` package.

Prerequisites: the package file (``apt-get download openclipart-svg``; the shipped set was built from version
1:0.18+dfsg-19), ``dpkg-deb`` to unpack it, ``rsvg-convert`` (Debian: ``librsvg2-bin``; the shipped set was
built with 2.54.7), and in Python Pillow and this package with what it needs.

    python tools/build_openclipart.py openclipart-svg_0.18+dfsg-19_all.deb

takes about two minutes on two cores. The same package file and the same versions of the tools give the same
bytes; another version of ``rsvg-convert`` may draw a few pixels differently. What is kept, what is left out
and why is written in ``docs/reference/data.md``, with the counts that this script prints.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from openclipart.metadata import PUBLIC_DOMAIN, Picture, clean_keywords, clean_text, read_picture
from openclipart.thumbnails import is_blank, render_all, same_picture

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.pictures.backbones.descriptors import describe

MIN_PICTURES = 3
MIN_LABELS = 2


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the .deb file, or a folder that it was unpacked to")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("vsenumba/data/shipped/openclipart.h5"),
        help="the file to write (default: %(default)s)",
    )
    args = parser.parse_args()
    if args.source.is_dir():
        data = build(args.source)
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "--extract", str(args.source), folder], check=True)
            data = build(Path(folder))
    data.save(args.out)
    print(f"{data!r} written to {args.out}, {args.out.stat().st_size:,} bytes")


def build(folder: Path) -> AnnotationSet:
    """Make the set from an unpacked package, and print what was left out at every step."""
    root = folder / "usr/share/openclipart/svg"
    # The links are the same files again, filed under a second folder.
    paths = {_id(root, path): path for path in root.rglob("*.svg") if not path.is_symlink()}
    if not paths:
        raise SystemExit(f"{root} holds no .svg files; is {folder} the unpacked openclipart-svg package?")
    ids = sorted(paths)
    print(f"{len(ids):,} SVG files, links not counted")
    pictures = [read_picture(paths[one]) for one in ids]

    free = np.array([picture.licence in PUBLIC_DOMAIN for picture in pictures])
    print(f"{np.sum(~free):,} left out: their own metadata do not say public domain")
    ids, pictures = _take(free, ids, pictures)

    thumbnails = render_all([paths[one] for one in ids])
    blank = is_blank(thumbnails)
    print(f"{np.sum(blank):,} left out: (nearly) blank thumbnails")
    ids, pictures = _take(~blank, ids, pictures)
    thumbnails = thumbnails[~blank]

    titles = [clean_text(picture.title) for picture in pictures]
    first = same_picture(thumbnails, titles)
    print(f"{np.sum(first != np.arange(len(first))):,} merged into an earlier picture that shows the same")
    keywords: list[set[str]] = [set() for _ in pictures]
    for i, picture in enumerate(pictures):
        keywords[first[i]].update(clean_keywords(picture.keywords, picture.creator))

    labels = frequent_only(keywords)
    rows = [i for i, names in enumerate(labels) if names]
    distinct = len(np.unique(first))
    print(f"{distinct - len(rows):,} left out: fewer than {MIN_LABELS} labels with {MIN_PICTURES} pictures")

    names = sorted({name for one in labels for name in one})
    column = {name: j for j, name in enumerate(names)}
    return AnnotationSet(
        np.cumsum([0] + [len(labels[i]) for i in rows]),
        np.concatenate([sorted(column[name] for name in labels[i]) for i in rows]),
        len(names),
        [ids[i] for i in rows],
        names,
        describe(thumbnails[rows]),
        [titles[i] for i in rows],
    )


def frequent_only(keywords: list[set[str]]) -> list[set[str]]:
    """Return the keywords that enough pictures have, none for a picture with too few of them, till stable."""
    while True:
        count = Counter(name for names in keywords for name in names)
        kept = [{name for name in names if count[name] >= MIN_PICTURES} for names in keywords]
        kept = [names if len(names) >= MIN_LABELS else set() for names in kept]
        if kept == keywords:
            return kept
        keywords = kept


def _id(root: Path, path: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _take(keep: np.ndarray, ids: list[str], pictures: list[Picture]) -> tuple[list[str], list[Picture]]:
    rows = np.flatnonzero(keep)
    return [ids[i] for i in rows], [pictures[i] for i in rows]


if __name__ == "__main__":
    main()
