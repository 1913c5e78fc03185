"""ImageAnnotator: embeddings of images and labels, learnt from which images have which labels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from vsenumba.data.annotation_set import AnnotationSet, as_annotation_set
from vsenumba.errors import InputError
from vsenumba.evaluation import evaluate
from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.random import RandomLike, seed_sequence
from vsenumba.losses import Loss, as_loss
from vsenumba.models.annotator import Annotator, Suggestion, as_label_lists, best
from vsenumba.models.seeds import seeds_from_element, seeds_to_element, spawned
from vsenumba.samplers import Sampler, as_sampler
from vsenumba.training.callbacks import Callback, following, should_stop
from vsenumba.training.history import History
from vsenumba.training.inputs import as_inputs
from vsenumba.training.optimisers import Optimiser, as_optimiser
from vsenumba.training.schedules import scheduled_rate
from vsenumba.training.trainer import Trainer

# Epochs of `fold_in`, enough for a row of its own to settle.
_FOLD_EPOCHS = 30


class ImageAnnotator(Annotator):
    """Learn vectors for images and labels so that an image's labels rank first.

    The score of a label for an image is the dot product of their vectors. Each step takes a pair of an image and a
    label it has, draws a negative label with the sampler, and moves the vectors so that the positive scores higher
    than the negative.

    Parameters
    ----------
    inputs : {"labels", "ids"}
        What stands for an image. With ``"labels"`` an image is the scaled sum of its other labels' context vectors:
        more accurate, without an image table, and new images need no training. With ``"ids"`` every image has a row
        of its own, the model of the VSE-ens paper.
    n_factors : int
        Length of the vectors.
    sampler : Sampler or str, optional
        Where negatives come from: "uniform", "popularity", "warp", "dynamic", "rank" or "adaptive"; None for
        ``AdaptiveSampler(lam=0.1, n_candidates=c)`` with labels as inputs, c a quarter of the square root of the number
        of labels, from 6 to 16; with ids for ``DynamicSampler(n_candidates=c)``, c a fifth of it, from 2 to 32.
    loss : Loss or str
        "logistic", "hinge" or "warp".
    optimiser : Optimiser or str
        "adagrad" (one sum per row) or "sgd".
    learning_rate : float, optional
        The rate of the first epoch; None for 0.1 with labels as inputs and 0.2 with ids.
    schedule : {"constant", "linear", "cosine", "step"}
        How the rate changes over the epochs.
    l2 : float, optional
        Weight decay per step; None for 0.001 with labels as inputs and 0.03 with ids.
    n_negatives : int, optional
        Negatives per pair; None for 1 with labels as inputs and 3 with ids.
    n_epochs : int
        Passes over all pairs.
    n_threads : int, optional
        Threads; None for all. The draws do not depend on it, but lock-free updates do: with more than one thread two
        runs with one seed differ a little.
    deterministic : bool
        Whether the same seed must give bit-equal factors on the same machine, which takes one thread.
    device : {"cpu"}
        Where to train.
    random_state : int, Generator, SeedSequence or None
        Where the randomness comes from; None for fresh entropy.

    Attributes
    ----------
    label_factors_ : (n_labels, n_factors) float32 array
        The labels' vectors.
    image_factors_ : (n_images, n_factors) float32 array
        The images' vectors (``inputs="ids"`` only).
    context_factors_ : (n_labels, n_factors) float32 array
        The vectors whose sum stands for an image (``inputs="labels"`` only).
    tables_ : dict
        All of these by name, without the underscore.
    history_ : History
        One record per epoch.
    seed_entropy_ : int
        What the randomness was seeded with.
    seen_, image_ids_, label_names_, n_features_in_
        See `Annotator`.

    References
    ----------
    Guo et al., "VSE-ens: Visual-Semantic Embeddings with Efficient Negative Sampling", AAAI 2018.

    Examples
    --------
    >>> from vsenumba import AnnotationSet, ImageAnnotator
    >>> data = AnnotationSet.from_lists([["cat", "animal"], ["dog", "animal"], ["rose", "plant"], ["oak", "plant"]])
    >>> model = ImageAnnotator(n_factors=8, n_epochs=5, random_state=0).fit(data)
    >>> model.label_factors_.shape
    (6, 8)
    """

    kind: ClassVar[str] = "image-annotator"

    def __init__(
        self,
        inputs: str = "labels",
        n_factors: int = 64,
        sampler: Sampler | str | None = None,
        loss: Loss | str = "logistic",
        optimiser: Optimiser | str = "adagrad",
        learning_rate: float | None = None,
        schedule: str = "linear",
        l2: float | None = None,
        n_negatives: int | None = None,
        n_epochs: int = 30,
        n_threads: int | None = None,
        deterministic: bool = False,
        device: str = "cpu",
        random_state: RandomLike = None,
    ) -> None:
        self.inputs = inputs
        self.n_factors = n_factors
        self.sampler = sampler
        self.loss = loss
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.n_negatives = n_negatives
        self.n_epochs = n_epochs
        self.n_threads = n_threads
        self.deterministic = deterministic
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        validation: Any = None,
        metrics: Sequence[str] = ("mrr",),
        callbacks: Iterable[Callback | Callable[..., object]] = (),
    ) -> ImageAnnotator:
        """Train afresh.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            The pairs to learn from; rows are images, columns are labels.
        y : None
            Ignored, as scikit-learn's conventions ask for it.
        validation : like X, optional
            Pairs held out, evaluated after every epoch outside the clock, with X left out of the ranking.
        metrics : sequence of str
            What to evaluate on `validation`.
        callbacks : iterable of callables
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.

        Returns
        -------
        ImageAnnotator
            The model itself.

        Raises
        ------
        InputError
            If the data or a parameter cannot be used.
        TrainingDivergedError
            If a table becomes NaN or infinite.
        """
        data = as_annotation_set(X)
        self._begin(data)
        return self._train(data, self.n_epochs, validation, metrics, callbacks)

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        n_epochs: int = 1,
        validation: Any = None,
        metrics: Sequence[str] = ("mrr",),
        callbacks: Iterable[Callback | Callable[..., object]] = (),
    ) -> ImageAnnotator:
        """Train on from where the model is; images and labels that are new get rows of their own.

        The pairs of `X` are trained on, and added to those the model has seen. With ``schedule="constant"``, the same
        set and ``deterministic=True``, `fit` for a + b epochs gives the very factors of `fit` for a and then
        `partial_fit` for b.

        Parameters
        ----------
        X, y, validation, metrics, callbacks
            As in `fit`. Only an AnnotationSet can bring new labels, as they need names; the rows of a matrix are the
            images 0, 1, ... unless there are as many as the model has images.
        n_epochs : int
            Passes over `X`.

        Returns
        -------
        ImageAnnotator
            The model itself.
        """
        if not hasattr(self, "seen_"):
            self._begin(as_annotation_set(X))
        data = X if isinstance(X, AnnotationSet) else self.align(X)
        self._check_parameters()
        self._remember(self.seen_.union(data))
        self._grow()
        data = data.with_columns(self.label_names_.index(data.label_names), self.label_names_)
        return self._train(data.reindex_images(self.image_ids_), n_epochs, validation, metrics, callbacks)

    def _begin(self, data: AnnotationSet) -> None:
        self._check_parameters()
        self._seeds = seed_sequence(self.random_state, "random_state")
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History()
        self._remember(data)
        self.tables_: dict[str, np.ndarray] = {}
        self._sums: dict[str, np.ndarray] = {}
        self._grow()

    def _check_parameters(self) -> None:
        as_inputs(self.inputs)
        if self.sampler is not None:
            as_sampler(self.sampler)
        as_loss(self.loss)
        as_optimiser(self.optimiser)
        scheduled_rate(self.schedule, 1.0, 0, 1)
        for name in ("n_factors", "n_negatives", "n_epochs"):
            value = getattr(self, name)
            if value is None and name == "n_negatives":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.learning_rate is not None and not 0 < self.learning_rate < np.inf:
            raise InputError(f"learning_rate must be positive and finite, not {self.learning_rate!r}")
        if self.l2 is not None and not 0 <= self.l2 < np.inf:
            raise InputError(f"l2 must be finite and not negative, not {self.l2!r}")
        if self.device != "cpu":
            raise InputError(f"device must be 'cpu', not {self.device!r}")
        if self.deterministic and self.n_threads not in (None, 1):
            warnings.warn(f"deterministic=True reduces n_threads={self.n_threads} to 1", UserWarning, stacklevel=3)

    def _grow(self) -> None:
        """Give every image and label that has none a fresh row in each table."""
        optimiser = as_optimiser(self.optimiser)
        shape = (len(self.image_ids_), len(self.label_names_))
        rows = {"label_factors": shape[1]} | as_inputs(self.inputs).table_rows(*shape)
        for number, (name, n_rows) in enumerate(rows.items()):
            old = self.tables_.get(name, np.zeros((0, self.n_factors), np.float32))
            if len(old) < n_rows:
                rng = np.random.default_rng(spawned(self._seeds, 0, number, len(old)))
                # In place: a table can be most of the memory there is.
                table = aligned_empty((n_rows, self.n_factors))
                table[: len(old)] = old
                rng.standard_normal(out=table[len(old) :], dtype=np.float32)
                table[len(old) :] *= np.float32(as_inputs(self.inputs).recipe.initial_spread)
                self.tables_[name] = table
                sums = self._sums.get(name, optimiser.fresh_sums(0))
                self._sums[name] = np.concatenate([sums, optimiser.fresh_sums(n_rows - len(old))])
            setattr(self, f"{name}_", self.tables_[name])

    @property
    def _first_rate(self) -> float:
        return as_inputs(self.inputs).recipe.learning_rate if self.learning_rate is None else self.learning_rate

    def _trainer(
        self,
        data: AnnotationSet,
        tables: Mapping[str, np.ndarray],
        sums: Mapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
        *,
        frozen_labels: bool = False,
    ) -> Trainer:
        inputs = as_inputs(self.inputs)
        recipe = inputs.recipe
        return Trainer(
            data,
            tables,
            sums,
            inputs=inputs,
            sampler=as_sampler(
                inputs.default_sampler(len(tables["label_factors"])) if self.sampler is None else self.sampler
            ),
            loss=as_loss(self.loss),
            optimiser=as_optimiser(self.optimiser),
            l2=recipe.l2 if self.l2 is None else self.l2,
            n_negatives=recipe.n_negatives if self.n_negatives is None else self.n_negatives,
            n_threads=1 if self.deterministic else self.n_threads,
            seeds=seeds,
            frozen_labels=frozen_labels,
        )

    def _train(
        self,
        data: AnnotationSet,
        n_epochs: int,
        validation: Any,
        metrics: Sequence[str],
        functions: Iterable[Callback | Callable[..., object]],
    ) -> ImageAnnotator:
        held_out = None if validation is None else self.align(validation, "validation")
        first = len(self.history_)
        with following(functions, self, n_epochs) as callbacks:
            trainer = self._trainer(data, self.tables_, self._sums, spawned(self._seeds, 1))
            if first:
                trainer.steps, trainer.seconds = (
                    int(self.history_[-1]["steps"]),
                    float(self.history_[-1]["seconds"]),
                )
            for epoch in range(n_epochs):
                rate = scheduled_rate(self.schedule, self._first_rate, epoch, n_epochs)
                record = trainer.run_epoch(first + epoch + 1, rate)
                if held_out is not None:
                    scores = evaluate(self, held_out, exclude=self.seen_, metrics=metrics, n_threads=self.n_threads)
                    record |= scores.mean
                self.history_.append(record)
                if should_stop(callbacks, self, record):
                    break
        return self

    def score_block(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the dot products of the images' and the labels' vectors; see `Annotator.score_block`."""
        return self._vectors(known, rows) @ self.label_factors_.T

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        same = known.image_ids is self.image_ids_
        table_rows = rows if same else self.image_ids_.find(known.image_ids.take(rows))
        return as_inputs(self.inputs).vectors(self.tables_, table_rows, known, rows)

    def embed(self, data: Any) -> np.ndarray:
        """Return the vectors of a set's images, (n_images, n_factors) float32, whatever `inputs` is.

        With ``inputs="labels"`` the vector is made of the labels the image has in `data`; with ``inputs="ids"`` it is
        the row that was learnt for the image's id.

        Raises
        ------
        UnknownNameError
            With ``inputs="ids"``, if the model was not trained on an image; `fold_in` gives it factors.
        """
        data = self.align(data)
        if as_inputs(self.inputs).needs_image_rows:
            self.image_ids_.index(data.image_ids)
        return np.ascontiguousarray(self._vectors(data, np.arange(data.n_images)), dtype=np.float32)

    def fold_in(self, labels: Sequence[Sequence[str]]) -> np.ndarray:
        """Return factors of images never seen, from a few labels each, with the label factors frozen.

        With ``inputs="labels"`` this is the sum that stands for any image; with ``inputs="ids"`` a row is trained for
        each image, deterministically.

        Parameters
        ----------
        labels : sequence of sequences of str
            The known labels of each image.

        Returns
        -------
        (len(labels), n_factors) float32 array
            Factors, for `annotate_factors`.

        Raises
        ------
        UnknownNameError
            If a label is not known; the nearest names are suggested.
        """
        data = self.align(AnnotationSet.from_lists(as_label_lists(labels)))
        if not as_inputs(self.inputs).needs_image_rows:
            return self.embed(data)
        recipe = as_inputs(self.inputs).recipe
        rng = np.random.default_rng(spawned(self._seeds, 2))
        fresh = rng.standard_normal((data.n_images, self.n_factors), dtype=np.float32)
        tables = {"label_factors": self.label_factors_, "image_factors": np.float32(recipe.initial_spread) * fresh}
        # The labels' sums are scratch too: folding in must not change the model.
        optimiser = as_optimiser(self.optimiser)
        sums = {name: optimiser.fresh_sums(len(table)) for name, table in tables.items()}
        trainer = self._trainer(data, tables, sums, spawned(self._seeds, 2), frozen_labels=True)
        for epoch in range(_FOLD_EPOCHS):
            trainer.run_epoch(epoch + 1, self._first_rate)
        return tables["image_factors"]

    def annotate_factors(self, factors: np.ndarray, n: int = 10) -> list[list[Suggestion]]:
        """Suggest labels for images given by their factors, such as `fold_in` and `embed` return."""
        check_is_fitted(self)
        factors = np.ascontiguousarray(factors, dtype=np.float32)
        if factors.ndim != 2 or factors.shape[1] != self.label_factors_.shape[1]:
            raise InputError(f"factors must be (images, {self.label_factors_.shape[1]}), not {factors.shape}")
        return [best(row @ self.label_factors_.T, n, self.label_names_) for row in factors]

    def save(self, path: str | PathLike[str], *, include_optimiser: bool = False) -> None:
        """Write the model to one ``.h5`` file; see ``docs/file-format.md``.

        Parameters
        ----------
        path : str or path
            The file; an existing one is replaced in one stroke.
        include_optimiser : bool
            Whether to write the optimiser's memory too, without which `partial_fit` starts it afresh.
        """
        extra = {"optimiser_sums": self._sums} if include_optimiser else {}
        self._write(path, extra)

    def _to_elements(self) -> dict[str, Any]:
        return {
            "arrays": self.tables_,
            "history": self.history_.to_columns(),
            "seed": seeds_to_element(self._seeds),
        }

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        self._seeds = seeds_from_element(elements["seed"])
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History.from_columns(elements["history"])
        self.tables_ = dict(elements["arrays"])
        optimiser = as_optimiser(self.optimiser)
        fresh = {name: optimiser.fresh_sums(len(table)) for name, table in self.tables_.items()}
        self._sums = dict(elements.get("optimiser_sums", fresh))
        self._grow()
