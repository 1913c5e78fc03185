"""The methods that `benchmarks.peers` compares: ours and their peers, each with the grid for its tuning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from benchmarks.peer_curve import Curve
from vsenumba import AnnotationSet, EaseAnnotator, ImageAnnotator, PopularityAnnotator, Vocabulary

# The same settings for all sets: the package's defaults, with the parameters below.
OURS: dict[str, dict[str, Any]] = {
    "vsenumba ids": {"inputs": "ids"},
    "vsenumba ids, adaptive": {"inputs": "ids", "sampler": "adaptive"},
    "vsenumba labels": {"inputs": "labels"},
    "vsenumba labels, adaptive": {"inputs": "labels", "sampler": "adaptive", "max_neighbours": 0},
    "vsenumba labels, 128 factors": {"inputs": "labels", "n_factors": 128},
    "vsenumba labels, vectors alone": {"inputs": "labels", "max_neighbours": 0},
}


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """Return all combinations of the values of some parameters."""
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


class FactorScorer:
    """A peer's factors with the interface that `vsenumba.evaluate` needs; rows and columns are those of the split.

    Parameters
    ----------
    train : AnnotationSet
        The training set of the factors.
    images, labels : (n, k) and (L, k) arrays
        The factors.
    biases : (L,) array, optional
        Added to the scores.
    """

    def __init__(
        self, train: AnnotationSet, images: np.ndarray, labels: np.ndarray, biases: np.ndarray | None = None
    ) -> None:
        self.label_names: Vocabulary = train.label_names
        self._images = images
        self._labels = labels
        self._biases = 0 if biases is None else biases

    def align(self, data: AnnotationSet) -> AnnotationSet:
        """Return the set unchanged."""
        return data

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet) -> AnnotationSet:
        """Return the training set."""
        return exclude

    def score_block(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the dot products plus the biases."""
        return self._images[rows] @ self._labels.T + self._biases


class Method(ABC):
    """A method to compare.

    Attributes
    ----------
    grid : list of dict
        The parameter settings to search.
    rungs : tuple of int
        The number of epochs of a configuration in each round of the search.
    steps_per_pair : int
        The number of negatives per pair and epoch; 0 for a method without steps.
    needs : str
        The module of another package that the method needs, or "".
    own_threads : bool
        Whether the method has its own threads, so that BLAS must use only one.
    """

    grid: list[dict[str, Any]]
    rungs: tuple[int, ...] = (1,)
    steps_per_pair: int = 0
    needs: ClassVar[str] = ""
    own_threads: ClassVar[bool] = True

    @abstractmethod
    def fit(
        self,
        train: AnnotationSet,
        parameters: Mapping[str, Any],
        seed: int,
        n_epochs: int,
        n_threads: int,
        curve: Curve,
    ) -> None:
        """Train; start the curve when the data are ready, and pass it the model after every epoch."""


class Ours(Method):
    """An ImageAnnotator without tuning, with the package's default number of epochs."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.grid = [{name: str(value) for name, value in settings.items()}]

    def fit(self, train, parameters, seed, n_epochs, n_threads, curve):
        """Train; see `Method.fit`."""
        model = ImageAnnotator(**self.settings, n_threads=n_threads, random_state=seed)
        curve.start()
        model.fit(train, callbacks=[lambda model, record: curve.after_epoch(model)])
        self.steps_per_pair = int(model.chosen("n_negatives"))


class Closed(Method):
    """A model of this package with a closed-form solution."""

    own_threads = False

    def __init__(self, model: type[EaseAnnotator | PopularityAnnotator], grid: list[dict[str, Any]]) -> None:
        self.model = model
        self.grid = grid

    def fit(self, train, parameters, seed, n_epochs, n_threads, curve):
        """Train; see `Method.fit`."""
        curve.start()
        curve.after_epoch(self.model(**parameters).fit(train))


class LightFm(Method):
    """LightFM: matrix factorisation with biases, Adagrad with a rate per number, lock-free on OpenMP threads."""

    rungs = (8, 90)
    steps_per_pair = 1
    needs = "lightfm"

    def __init__(self, loss: str, **choices: Sequence[Any]) -> None:
        self.loss = loss
        self.grid = grid(**choices)

    def fit(self, train, parameters, seed, n_epochs, n_threads, curve):
        """Train; see `Method.fit`."""
        from lightfm import LightFM

        images, labels = (side.astype(np.int32) for side in train.pairs())
        pairs = sp.coo_matrix((np.ones(len(images), dtype=np.float32), (images, labels)), shape=train.shape)
        chosen = {**parameters, "user_alpha": parameters["item_alpha"]}
        model = LightFM(loss=self.loss, learning_schedule="adagrad", random_state=seed, **chosen)
        curve.start()
        for _ in range(n_epochs):
            model.fit_partial(pairs, num_threads=n_threads)
            curve.after_epoch(FactorScorer(train, model.user_embeddings, model.item_embeddings, model.item_biases))


class Implicit(Method):
    """A model of the `implicit` package."""

    needs = "implicit"

    def __init__(self, name: str, rungs: tuple[int, ...], steps_per_pair: int, grid: list[dict[str, Any]]) -> None:
        self.name = name
        self.rungs = rungs
        self.steps_per_pair = steps_per_pair
        self.grid = grid

    def fit(self, train, parameters, seed, n_epochs, n_threads, curve):
        """Train; see `Method.fit`."""
        from implicit.cpu import als, bpr

        models = {"als": als.AlternatingLeastSquares, "bpr": bpr.BayesianPersonalizedRanking}
        matrix = sp.csr_matrix(train.to_csr(), dtype=np.float32)
        model = models[self.name](iterations=n_epochs, num_threads=n_threads, random_state=seed, **parameters)
        curve.start()
        model.fit(
            matrix,
            show_progress=False,
            callback=lambda *_: curve.after_epoch(FactorScorer(train, model.user_factors, model.item_factors)),
        )


# The best settings of WARP are slow. LightFM's default rate, .05, converges faster, but to a lower MRR.
WARP = "LightFM WARP"
WARP_AT_ITS_RATE = "LightFM WARP, rate .05"
EASE = "EASE"

METHODS: dict[str, Method] = {
    "popularity": Closed(PopularityAnnotator, [{}]),
    EASE: Closed(EaseAnnotator, grid(l2=(5, 10, 20, 50, 100, 200, 500, 1000, 2000))),
    "EASE, 128 neighbours": Closed(
        EaseAnnotator, grid(max_neighbours=(128,), l2=(5, 10, 20, 50, 100, 200, 500, 1000, 2000))
    ),
    "implicit ALS": Implicit(
        "als",
        rungs=(4, 16),
        steps_per_pair=0,
        grid=grid(factors=(64, 128), regularization=(1, 10, 30, 100), alpha=(1, 5, 15, 40, 100)),
    ),
    "implicit BPR": Implicit(
        "bpr",
        rungs=(20, 150),
        steps_per_pair=1,
        grid=grid(factors=(64, 128), learning_rate=(0.01, 0.05, 0.1), regularization=(0.001, 0.01, 0.03)),
    ),
    "LightFM BPR": LightFm("bpr", learning_rate=(0.02, 0.05, 0.1), no_components=(64, 128), item_alpha=(0.0,)),
    WARP_AT_ITS_RATE: LightFm("warp", learning_rate=(0.05,), no_components=(64, 128), item_alpha=(0.0,)),
    WARP: LightFm(
        "warp", learning_rate=(0.01, 0.02, 0.05), no_components=(64, 128), item_alpha=(0.0, 1e-4), max_sampled=(10, 30)
    ),
    **{name: Ours(**settings) for name, settings in OURS.items()},
}
