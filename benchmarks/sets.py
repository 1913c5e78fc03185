"""Create the sets for `peers` from published files.

    python -m benchmarks sets --out FOLDER --corel5k Corel5k-sparse.arff --nus-wide nuswide81_train.tsv.gz
    python -m benchmarks sets --out FOLDER --flickr8k Flickr8k.token.txt --emoji emoji.jsonl
    python -m benchmarks sets --out FOLDER --debian pairs.npz --movielens ml-100k.inter --planted

Each given file becomes one or two sets. If a set uses only a part of its source, a fixed seed draws this part.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from vsenumba import AnnotationSet, load_dataset, prune, synthetic

#: Caption words in fewer pictures than this are left out.
LEAST_PICTURES = 5
NUS_WIDE_PICTURES = 30_000
#: The minimum rating with which a film counts as a label of a user.
LEAST_RATING = 4

Named = Iterator[tuple[str, AnnotationSet]]


def _set(labels: Mapping[str, Iterable[str]]) -> AnnotationSet:
    return AnnotationSet.from_lists(labels.values(), labels.keys())


def corel5k(path: Path) -> Named:
    """Yield the keywords of 5,000 photos (Mulan's sparse ARFF)."""
    yield "corel5k", load_dataset(path)


def nus_wide(path: Path) -> Named:
    """Yield the concepts of a random part of NUS-WIDE's labelled pictures (row, id, comma-joined labels)."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        table = [line.rstrip("\n").split("\t") for line in lines]
    labelled = {row[0]: row[2].split(",") for row in table if len(row) > 2 and row[2] and row[0].isdigit()}
    names = sorted(labelled, key=int)
    chosen = np.random.default_rng(0).permutation(len(names))[:NUS_WIDE_PICTURES]
    yield "nus-wide-81", _set({names[i]: labelled[names[i]] for i in np.sort(chosen)})


def flickr8k(path: Path) -> Named:
    """Yield the words of each photo's captions (``image.jpg#n<TAB>caption``), without stop words."""
    words: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, tab, caption = line.partition("\t")
        if tab:
            found = set(re.findall("[a-z]+", caption.lower())) - ENGLISH_STOP_WORDS
            words.setdefault(name.partition("#")[0], set()).update(found)
    yield "flickr8k-words", prune(_set(words), min_images_per_label=LEAST_PICTURES, min_labels_per_image=1)


def emoji(path: Path) -> Named:
    """Yield the tags of each emoji, and its tags and keywords together."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    tags = {record["hex"]: set(record["tags"]) for record in records}
    both = {record["hex"]: set(record["tags"]) | set(record["keywords"]) for record in records}
    for name, labels in (("emoji-tags", tags), ("emoji-keywords", both)):
        yield name, _set({image: found for image, found in labels.items() if found})


def debian(path: Path) -> Named:
    """Yield the packages that each of Debian's packages depends on (a SciPy ``.npz``)."""
    yield "debian", AnnotationSet.from_csr(sp.load_npz(path))


def movielens(path: Path) -> Named:
    """Yield the films that each user of MovieLens-100k rated well (RecBole's ``.inter``)."""
    films: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        user, film, rating, _ = line.split("\t")
        if float(rating) >= LEAST_RATING:
            films.setdefault(user, []).append(film)
    yield "movielens", _set(films)


def planted() -> Named:
    """Yield two synthetic sets: one with a long tail of labels, and one with few labels."""
    yield "planted-3000", synthetic(20_000, 3_000, 160_000, rng=1)
    yield "planted-80", synthetic(5_000, 80, 20_000, rng=1)


SOURCES: dict[str, Callable[[Path], Named]] = {
    "corel5k": corel5k,
    "nus-wide": nus_wide,
    "flickr8k": flickr8k,
    "emoji": emoji,
    "debian": debian,
    "movielens": movielens,
}


def main(arguments: Sequence[str]) -> None:
    """Write a set for each given source, and print its size."""
    parser = argparse.ArgumentParser(prog="benchmarks sets", description=__doc__.splitlines()[0])
    for name, make in SOURCES.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=(make.__doc__ or "").rstrip("."))
    parser.add_argument("--planted", action="store_true", help=(planted.__doc__ or "").rstrip("."))
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    made = [make(path) for name, make in SOURCES.items() if (path := getattr(options, name.replace("-", "_")))]
    for named in [*made, *([planted()] if options.planted else [])]:
        for name, data in named:
            data.save(options.out / f"{name}.h5")
            print(f"{name}: {data.n_images} images × {data.n_labels} labels, {data.n_pairs} pairs")
