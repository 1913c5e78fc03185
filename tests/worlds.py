"""The models that are trained, each with data of its world, small and quick: what the contract of models runs for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from checkerboards import PLAIN, checkerboard
from scenes import scenes

import vsenumba as vse


class World(NamedTuple):
    """A model's class and parameters, data to learn from, other data, and what can be held out (None where nothing)."""

    model: type
    parameters: dict[str, Any]
    data: Any
    other: Any
    validation: Any
    metric: str | None

    def make(self, **parameters):
        return self.model(**self.parameters | parameters)

    def evaluated(self):
        """Return the arguments of `fit` that have it evaluate every epoch."""
        return {} if self.validation is None else {"validation": self.validation}


class Ears(vse.Callback):
    """Hears of epochs and of parts of them, and stops after the second."""

    heard = ()

    def during_epoch(self, model, done):
        self.heard += (done,)

    def after_epoch(self, model, record):
        self.heard += ("epoch",)
        return record["epoch"] == 2


def sentences(seed):
    rng = np.random.default_rng(seed)
    return [[f"w{word}" for word in rng.integers(0, 9, 6)] for _ in range(30)]


TRAIN, TEST = vse.leave_one_out(checkerboard(), rng=0)
ANNOTATION = PLAIN | {"n_epochs": 4, "deterministic": True}
WORDS = {"n_factors": 4, "n_epochs": 4, "subsample": 0.0, "deterministic": True, "random_state": 0}
CAPTIONS = {"n_factors": 6, "word_factors": 4, "min_count": 1, "n_epochs": 4, "batch_size": 8, "random_state": 0}

CAPTIONS |= {"n_threads": 1}

WORLDS = {
    "labels": World(vse.ImageAnnotator, ANNOTATION, TRAIN, checkerboard(seed=1), TEST, "mrr"),
    "ids": World(vse.ImageAnnotator, ANNOTATION | {"inputs": "ids"}, TRAIN, checkerboard(seed=1), TEST, "mrr"),
    "labels + ids": World(
        vse.ImageAnnotator, ANNOTATION | {"inputs": ("labels", "ids")}, TRAIN, checkerboard(seed=1), TEST, "mrr"
    ),
    "words": World(vse.WordEmbedder, WORDS, sentences(0), sentences(1)[:20], None, None),
    "captions": World(
        vse.CrossModalRetriever, CAPTIONS, scenes(copies=1), scenes(copies=2, seed=3), scenes(seed=5, copies=1), "rsum"
    ),
}
