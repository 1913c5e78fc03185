"""Measure the quality of suggestions from features for pictures without tags, and the time of training.

    python -m benchmarks features openclipart                     hold out half of the pictures
    python -m benchmarks features train.arff test.arff            use a given split
    python -m benchmarks features seen.h5 unseen.h5 --peers       compare with other methods
    python -m benchmarks features openclipart --inputs features labels labels+features features+labels

Methods are queried for pictures without tags. Models with labels among their inputs are also queried for pictures with
all tags but one: "with tags" in the table. Inputs without features are queried only "with tags", and features alone in
both ways.

The peers are nearest neighbours by cosine, with the number of neighbours that is best on the test pictures; one
logistic regression per label (scikit-learn); and LightFM with image features (WARP, 64 components, extra `bench`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

import vsenumba as vse
from benchmarks.peer_methods import FactorScorer

METRICS = ("precision@1", "precision@5", "mrr")
NEIGHBOURS = (1, 5, 10, 20, 40)

Scores = np.ndarray


def main(arguments: Sequence[str]) -> None:
    """Train, measure, print the table, and write `features.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks features", description=__doc__.splitlines()[0])
    parser.add_argument("train", help="a set with features")
    parser.add_argument("test", nargs="?", help="a set of other pictures; by default half of TRAIN")
    parser.add_argument(
        "--without", default="", metavar="PREFIX,...", help="leave out images whose id begins with PREFIX"
    )
    parser.add_argument("--inputs", nargs="+", default=["features"], metavar="INPUTS")
    parser.add_argument("--epochs", nargs="+", type=int, default=[30], metavar="N", help="passes over all pairs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    lines = []
    for seed in range(options.seeds):
        train, test = halves(options, seed)
        methods: dict[str, Callable[[], Any]] = {
            f"{inputs}, {n} epochs": partial(ours, train, inputs, n, seed, options.threads)
            for inputs in options.inputs
            for n in options.epochs
        }
        if options.peers and seed == 0:
            methods |= {f"{k} nearest": partial(neighbours, train, test, k) for k in NEIGHBOURS}
            methods |= {
                "logistic regression": partial(regression, train, test),
                "LightFM": partial(lightfm, train, test, options.threads or 2),
            }
        for name, make in methods.items():
            started = time.perf_counter()
            try:
                model = make()
            except ImportError as error:
                print(f"{name} is left out: {error}")
                continue
            seconds = time.perf_counter() - started
            for asked, held_out, known in questions(name.split(",")[0], test, several=len(options.inputs) > 1):
                found = vse.evaluate(model, held_out, exclude=known, metrics=METRICS).mean
                lines.append({"method": name, "asked": asked, "seed": seed, "seconds": seconds, **found})
                numbers = " ".join(f"{m} {found[m]:.3f}" for m in METRICS)
                print(f"{name:26} {asked:12} seed {seed} {numbers} {seconds:8.2f} s")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "features.json").write_text(json.dumps(lines, indent=1), encoding="utf-8")


def halves(options: argparse.Namespace, seed: int) -> tuple[vse.AnnotationSet, vse.AnnotationSet]:
    """Return the training pictures and the test pictures."""
    train = vse.load_dataset(options.train)
    if options.test is not None:
        test = vse.load_dataset(options.test)
        columns = train.label_names.find(test.label_names)
        test = test.with_pairs((columns >= 0)[test.indices]).with_columns(columns, train.label_names)
        return train, test.select_images(np.flatnonzero(test.labels_per_image))
    prefixes = tuple(filter(None, options.without.split(",")))
    rows = np.array([i for i, name in enumerate(train.image_ids) if not (prefixes and name.startswith(prefixes))])
    rows = np.random.default_rng(seed).permutation(rows)
    half = len(rows) // 2
    return train.select_images(np.sort(rows[:half])), train.select_images(np.sort(rows[half:]))


def questions(
    name: str, test: vse.AnnotationSet, *, several: bool
) -> Iterator[tuple[str, vse.AnnotationSet, vse.AnnotationSet | None]]:
    """Yield the queries for a method: a name, the tags to find, and the known tags."""
    if name != "labels":
        yield "without tags", test, None
    if (several and name in ("labels", "features")) or "+" in name:
        known, held_out = vse.leave_one_out(test, rng=0)
        yield "with tags", held_out, known


def ours(train: vse.AnnotationSet, inputs: str, n_epochs: int, seed: int, n_threads: int | None) -> Any:
    """Return the model of this package, with its defaults except for the number of epochs."""
    names = tuple(inputs.split("+"))
    model = vse.ImageAnnotator(
        inputs=names, n_epochs=n_epochs, max_neighbours=0, n_threads=n_threads, random_state=seed
    )
    return model.fit(train)


class Table(FactorScorer):
    """Precomputed scores, with the interface that `vsenumba.evaluate` needs."""

    uses_features = True

    def __init__(self, train: vse.AnnotationSet, scores: Scores) -> None:
        super().__init__(train, scores, np.zeros((0, 0)))

    def known_for(self, test: vse.AnnotationSet, exclude: vse.AnnotationSet | None) -> vse.AnnotationSet:
        """Return nothing but the features."""
        return test.with_pairs(np.zeros(test.n_pairs, bool))

    def score_block(self, known: vse.AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the rows."""
        return np.asarray(self._images[rows], np.float32)


def dense(data: vse.AnnotationSet) -> np.ndarray:
    """Return the features, float32."""
    features = data.features.toarray() if sp.issparse(data.features) else np.asarray(data.features)
    return features.astype(np.float32)


def neighbours(train: vse.AnnotationSet, test: vse.AnnotationSet, k: int) -> Table:
    """Return the labels of the nearest pictures, weighted by cosine."""
    seen, unseen = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9) for x in (dense(train), dense(test)))
    labels, likeness = train.to_csr(), unseen @ seen.T
    nearest = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    weights = np.take_along_axis(likeness, nearest, axis=1).ravel()
    chosen = sp.csr_array((weights, nearest.ravel(), np.arange(len(unseen) + 1) * k), (len(unseen), len(seen)))
    return Table(train, (chosen @ labels).toarray())


def regression(train: vse.AnnotationSet, test: vse.AnnotationSet) -> Table:
    """Return the probabilities by a logistic regression for each label."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(dense(train))
    seen, unseen = scaler.transform(dense(train)), scaler.transform(dense(test))
    labels, scores = train.to_csr().toarray() > 0, np.zeros((test.n_images, train.n_labels), np.float32)
    for j in range(train.n_labels):
        if 0 < labels[:, j].sum() < len(labels):
            model = LogisticRegression(C=0.01, max_iter=200).fit(seen, labels[:, j])
            scores[:, j] = model.decision_function(unseen)
        else:
            scores[:, j] = -100.0
    return Table(train, scores)


def lightfm(train: vse.AnnotationSet, test: vse.AnnotationSet, n_threads: int) -> Table:
    """Return the scores of LightFM, whose users are images with features."""
    from lightfm import LightFM
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(dense(train))
    seen, unseen = (np.hstack([scaler.transform(dense(x)) / 16, np.ones((x.n_images, 1))]) for x in (train, test))
    model = LightFM(no_components=64, loss="warp", learning_rate=0.05, random_state=0)
    rows, columns = (one.astype(np.int32) for one in train.pairs())  # LightFM accepts only this dtype
    labels = sp.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), train.shape)
    numbers = sp.csr_matrix(seen, dtype=np.float32)
    model.fit(labels, user_features=numbers, epochs=30, num_threads=n_threads)
    return Table(train, unseen @ model.user_embeddings @ model.item_embeddings.T + model.item_biases)
