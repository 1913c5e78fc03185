"""ImageAnnotator: embeddings of images and labels, learnt from which images have which labels."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vsenumba.checks import RandomLike
from vsenumba.cluster.parts import whole_of
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.data.annotation.coercion import as_annotation_set, with_free_ids
from vsenumba.data.annotation.pairs import check_structure
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation import evaluate
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.losses import Loss, as_loss
from vsenumba.models.annotator import Annotator
from vsenumba.models.devices import DEVICES, device_class, scores_on, trainer_on_cluster
from vsenumba.models.folding import folded_in
from vsenumba.models.input_tables import InputTables
from vsenumba.models.label_pairs import LABEL_PAIRS, LabelPairs
from vsenumba.models.learnable import why_nothing_can_be_learnt
from vsenumba.models.new_images import FoldedImages, NewImages, UnseenImages
from vsenumba.models.pair_strength import chosen_settings
from vsenumba.models.parameters import Choice, Flag, MemberOf, NameOrSum, Number, Parameter, Seed, Whole
from vsenumba.models.questions import as_label_lists
from vsenumba.models.seen_pictures import (
    FEATURE_SIZES,
    FEATURE_VECTORS,
    SeenPictures,
    check_has_features,
    picture_schema,
    with_features_where_known,
)
from vsenumba.models.trained import Trained
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.samplers import Sampler, UniformSampler, as_sampler
from vsenumba.storage import schema
from vsenumba.training.annotation.inputs import INPUTS, as_inputs
from vsenumba.training.annotation.inputs.kind import Counts, Recipe
from vsenumba.training.annotation.task import Task, check_negatives
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.callbacks import Callbacks
from vsenumba.training.optimisers import Optimiser, as_optimiser
from vsenumba.training.run import Trainer
from vsenumba.training.schedules import SCHEDULES

if TYPE_CHECKING:
    from distributed import Client

    from vsenumba.gpu.scoring import CardScores

# Each pair has so many steps, in turn; with more than some dozens nothing was gained, and a launch of one image with
# millions could not be interrupted.
_MOST_NEGATIVES = 10_000

# What None stands for where `Recipe` says it.
_SUITED = "what suits the inputs, sampler, loss and optimiser"


class ImageAnnotator(InputTables):
    """Learn vectors for images and labels so that an image's labels rank first.

    The score of a label for an image is the dot product of their vectors. Each step takes a pair of an image and a
    label it has, draws a negative label with the sampler, and moves the vectors so that the positive scores higher
    than the negative. With `max_neighbours`, sparse weights between labels are solved for beside the vectors, and what
    they say of an image by its known labels is added to the score: more accurate, above all for rare labels.

    Parameters
    ----------
    inputs : {"labels", "ids"} or tuple of these
        What stands for an image. With ``"labels"`` an image is the scaled sum of its other labels' context vectors:
        more accurate, without an image table, and new images need no training. With ``"ids"`` every image has a row
        of its own, whose first number stays 1 unless the optimiser is "sgd": labels have a bias then. With "sgd" it is
        the model of the VSE-ens paper. ``("labels", "ids")`` adds the two up; defaults are then those of the first.
    n_factors : int
        Length of the vectors.
    sampler : Sampler or str, optional
        Where negatives come from: "uniform", "popularity", "warp", "dynamic", "rank" or "adaptive"; None for
        ``AdaptiveSampler(lam=0.1, n_candidates=c)`` with labels as inputs, c a quarter of the square root of the number
        of labels, from 6 to 16; with ids for ``DynamicSampler(n_candidates=c)``, c = (√L - 8) / 2, from 1 to 64.
    loss : Loss or str, optional
        "logistic", "hinge", "warp" or "softmax"; None for "logistic", and for "softmax" with features among the inputs,
        up to 4,096 labels, and neither `sampler` nor `n_negatives` chosen. The softmax loss compares a label with all
        labels that the image lacks at once: it draws no negatives, so `sampler` and `n_negatives` must be None.
        ``SoftmaxLoss(n_negatives=m)`` compares it with m that are drawn, by "uniform" unless told otherwise.
    optimiser : Optimiser or str
        "adagrad" (one sum per row) or "sgd".
    learning_rate : float, optional
        The rate of the first epoch; None for 0.1 with labels as inputs. With ids None stands, as for `l2` and
        `n_negatives`, for what suits the rest: 0.3 with the loss "softmax"; 0.3 with "logistic", times (4 / m)^⅓ where
        images have m > 4 labels in the mean; 0.1 with another; 0.05 with the sampler "warp" or "popularity"; with the
        optimiser "sgd" 0.4, or 0.2 with another loss than the logistic, over √m.
    schedule : {"constant", "linear", "cosine", "step"}
        How the rate changes over the epochs.
    l2 : float, optional
        Weight decay per step; None for 0.001, and with labels as inputs for up to 0.01, the more labels images have
        above 4 in the mean; with features alone and the softmax of all labels for 0.2; with ids for 0.05, 0.1 with
        "softmax", 0.02 with another loss, and with "sgd" 0.03 or 0.1. But for "sgd", rows of images with m labels take
        √(6 / m) of it.
    n_negatives : int, optional
        Negatives per pair; None for 1; with ids for 3, fewer where images have more than 4 labels in the mean, but
        for 1 with the sampler "warp" or "popularity" or the optimiser "sgd".
    n_epochs : int
        Passes over all pairs.
    max_neighbours : int, optional
        About how many weights to other labels a label has in the mean, beside its vector; 0 for vectors alone. None for
        128 with labels among the inputs and no ids, up to 10 million pairs, and otherwise for 0. How much the weights
        count, and their weight decay, is tried on labels that a first model is trained without.
    n_threads : int, optional
        Threads; None for all. The draws do not depend on it, but lock-free updates do: with more than one thread two
        runs with one seed differ a little.
    deterministic : bool
        Whether the same seed must give bit-equal factors on the same machine; takes one thread and "cpu".
    device : {"cpu", "cuda"}
        Where to train and to be evaluated: "cuda" takes an NVIDIA card (docs/how-to/gpu.md), never chosen by itself. It
        and `n_threads` are not in the model's file: who reads it decides anew.
    random_state : int, Generator, SeedSequence or None
        Where the randomness comes from; None for fresh entropy.

    Attributes
    ----------
    label_factors_ : (n_labels, n_factors) float32 array
        The labels' vectors.
    image_factors_ : (n_images, n_factors) float32 array
        The images' vectors (with ``"ids"`` among the inputs).
    context_factors_ : (n_labels, n_factors) float32 array
        The vectors whose sum stands for an image (with ``"labels"`` among the inputs).
    pairs_ : LabelPairs or None
        The weights between labels, and how much they count.
    tables_, history_, best_, best_epoch_, seed_entropy_, provenance_
        See `Trained`.
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
    exports: ClassVar[tuple[str, ...]] = ("labels", "images")
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "inputs": NameOrSum(
            "What stands for an image; several joined by + are added up.", resolve=as_inputs, names=INPUTS
        ),
        "n_factors": Whole("Length of the vectors."),
        "sampler": MemberOf("Where negatives come from.", "what suits the inputs", family=as_sampler),
        "loss": MemberOf("Loss to minimise.", "what suits the inputs", family=as_loss),
        "optimiser": MemberOf("How rows move along their gradients.", family=as_optimiser),
        "learning_rate": Number("Learning rate of the first epoch.", _SUITED, above=0),
        "schedule": Choice("How the rate changes over the epochs.", names=SCHEDULES),
        "l2": Number("Weight decay per step.", _SUITED),
        "n_negatives": Whole("Negatives per pair.", _SUITED, most=_MOST_NEGATIVES),
        "n_epochs": Whole("Passes over all pairs."),
        "max_neighbours": Whole("About how many weights to others a label has beside its vector.", _SUITED, least=0),
        "n_threads": Whole("Threads to train with.", "all", in_file=False),
        "deterministic": Flag("Whether the same seed must give bit-equal factors, which takes one thread."),
        "device": Choice("Where to train.", names=DEVICES, in_file=False),
        "random_state": Seed("Where the randomness comes from."),
    }

    def __init__(
        self,
        inputs: str | Sequence[str] = "labels",
        n_factors: int = 64,
        sampler: Sampler | str | None = None,
        loss: Loss | str | None = None,
        optimiser: Optimiser | str = "adagrad",
        learning_rate: float | None = None,
        schedule: str = "linear",
        l2: float | None = None,
        n_negatives: int | None = None,
        n_epochs: int = 30,
        max_neighbours: int | None = None,
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
        self.max_neighbours = max_neighbours
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
        callbacks: Callbacks = (),
        client: Client | None = None,
    ) -> ImageAnnotator:
        """Train afresh.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            The pairs to learn from; rows are images, columns are labels.
        y : None
            Ignored, as scikit-learn's conventions ask for it.
        validation : like X, optional
            Pairs held out, evaluated after every epoch outside the clock, with X left out of the ranking. Pairs whose
            label the model does not know are left out, with a warning.
        metrics : sequence of str
            What to evaluate on `validation`.
        callbacks : callable, or iterable of them
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.
        client : distributed.Client, optional
            A cluster to train on (docs/how-to/cluster.md); X may then be paths of files, each with some of the images.

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

        Warns
        -----
        UserWarning
            If nothing can be learnt from the data: the model will suggest nothing.
        """
        self.check_parameters()
        data = as_annotation_set(X if client is None else whole_of(X))
        check_has_features(data, self.inputs)
        self._check_memory(*data.shape, data.n_features)
        self._begin_with(data)
        why = why_nothing_can_be_learnt(data, self.inputs)
        if why is not None:
            warnings.warn(f"the model can learn nothing, and so suggests nothing: {why}", UserWarning, stacklevel=2)
        self._grow()
        return self._train(data, self.n_epochs, 0, validation, metrics, callbacks, client)

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        n_epochs: int = 1,
        validation: Any = None,
        metrics: Sequence[str] = ("mrr",),
        callbacks: Callbacks = (),
    ) -> ImageAnnotator:
        """Train on with more pairs, from where the model is; new images and labels get rows of their own.

        The pairs of `X` are trained on, and added to those the model has seen. The rate goes through its schedule once
        more, over these epochs. With ``schedule="constant"``, the same set and ``deterministic=True``, `fit` for a + b
        epochs gives the very factors of `fit` for a and then `partial_fit` for b.

        Parameters
        ----------
        X, y, validation, metrics, callbacks
            As in `fit`. Images are matched by id, labels by name. Label lists and the rows of a matrix have no ids:
            they are new images each time. The columns of a matrix are the model's labels.
        n_epochs : int
            Passes over `X`.

        Returns
        -------
        ImageAnnotator
            The model itself.
        """
        self.check_parameters()
        self.PARAMETERS["n_epochs"].check("n_epochs", n_epochs)
        begun = hasattr(self, "seen_")
        data = self._as_images(X) if begun else as_annotation_set(X)
        check_has_features(data, self.inputs)
        if not begun:
            self._begin_with(data)
        elif self.uses_features:
            self._pictures.check(data, self._sizes()["n_features"])
        self._check_trainable()
        union = self.seen_.union(data)
        self._check_memory(*union.shape, data.n_features)
        self.best_ = None
        # It was of the model before it learnt more.
        self.provenance_.pop("measured", None)
        self._remember(union)
        if begun and self.pairs_ is not None:
            # Also where there are by now too many pairs to begin with weights: a model does not lose those it has.
            max_neighbours = self.max_neighbours or max(part.recipe.max_neighbours for part in self._inputs.parts)
            self._check_pair_memory(union, max_neighbours)
            self.pairs_ = LabelPairs.of(union, self.pairs_.l2, self.pairs_.strength, max_neighbours, self._threads)
        self._grow()
        data = data.with_columns(self.label_names_.index(data.label_names), self.label_names_)
        aligned = data.reindex_images(self.image_ids_)
        if self.uses_features and aligned.features is None:
            aligned = with_features_where_known(aligned, data)
        self._train(aligned, n_epochs, 0, validation, metrics, callbacks)
        if self.uses_features and self.seen_.features is None:
            # Of the other images it had vectors by weights that have moved since.
            self._pictures.vectors = self._picture_vectors(aligned)
            self._pictures.vectors[data.image_ids.find(self.image_ids_) < 0] = 0
        return self

    def resume(
        self,
        X: Any,
        *,
        validation: Any = None,
        metrics: Sequence[str] = ("mrr",),
        callbacks: Callbacks = (),
        client: Client | None = None,
    ) -> ImageAnnotator:
        """Go on from a checkpoint to the last of `n_epochs`, with the data of `fit`, as if it had never stopped.

        Parameters
        ----------
        X, validation, metrics, callbacks, client
            As in `fit`.

        Raises
        ------
        InputError
            If the model was not saved as a checkpoint is, or `X` is not what it was trained on.
        """
        check_is_fitted(self)
        data = self.align(X if client is None else whole_of(X))
        check_has_features(data, self.inputs)
        done = self._check_resumable(data.digest() == self.seen_.digest())
        if done >= self.n_epochs:
            return self._ended()
        if self.uses_features:
            self._pictures.check(data, self._sizes()["n_features"])
            self.seen_ = self.seen_.with_features_of(data.reindex_images(self.image_ids_))
        return self._train(self.seen_, self.n_epochs, done, validation, metrics, callbacks, client)

    @property
    def backbone_(self) -> BackboneId | None:
        """What the features it was trained on were computed with, where that is known."""
        check_is_fitted(self)
        return self._pictures.backbone

    @property
    def _recipe(self) -> Recipe:
        sampler = None if self.sampler is None else as_sampler(self.sampler)
        chosen = "logistic" if self.loss is None and self.n_negatives is not None else self.loss  # negatives are drawn
        loss = None if chosen is None else as_loss(chosen)
        seen = getattr(self, "seen_", None)
        counts = Counts(1, 1, 1) if seen is None else Counts(seen.n_images, seen.n_labels, seen.n_pairs)
        return self._inputs.recipe_for(sampler, loss, as_optimiser(self.optimiser), counts)

    def check_parameters(self) -> None:
        """Refuse parameters that cannot be used; see `Fitted.check_parameters`."""
        super().check_parameters()
        check_negatives(self.member("loss"), self.sampler, self.member("sampler"), self.n_negatives)
        if self.max_neighbours and any(part.needs_image_rows for part in self._inputs.parts):
            raise InputError(
                f"max_neighbours={self.max_neighbours} goes with labels or features, not with inputs={self.inputs!r}"
            )

    def _label_pairs(self, data: AnnotationSet) -> LabelPairs | None:
        """Solve for weights between labels, where there are to be some, having tried how much they are to count."""
        max_neighbours = int(self.chosen("max_neighbours"))
        if not max_neighbours or why_nothing_can_be_learnt(data, self.inputs) is not None:
            return None
        check_structure(data.indptr, data.indices, data.shape)
        self._check_pair_memory(data, max_neighbours)
        parameters = self.get_params(deep=False) | {"max_neighbours": 0, "n_threads": self._threads}

        def train(part: AnnotationSet) -> ImageAnnotator:
            return ImageAnnotator(**parameters | {"random_state": self._spawned(3)}).fit(part)

        rng = np.random.default_rng(self._spawned(4))
        l2, strength = chosen_settings(train, data, max_neighbours, rng, self._threads)
        return LabelPairs.of(data, l2, strength, max_neighbours, self._threads)

    def _begin_with(self, data: AnnotationSet) -> None:
        """Forget everything, and take from a set what comes before the first epoch."""
        self._begin()
        self._remember(data)
        self._pictures = SeenPictures(data.backbone if self.uses_features else None)
        self.pairs_ = self._label_pairs(data)
        self.tables_ |= self._inputs.measure(data)

    def _task(self, data: AnnotationSet, *, frozen_labels: bool = False) -> Task:
        loss = self.member("loss")
        return Task(
            data=data,
            inputs=self._inputs,
            sampler=UniformSampler() if loss.takes_all else self.member("sampler"),
            loss=loss,
            optimiser=self.member("optimiser"),
            l2=self.chosen("l2"),
            n_negatives=int(self.chosen("n_negatives")),
            frozen_labels=frozen_labels,
        )

    def _trainer(
        self, task: Task, tables: Any, sums: Any, seeds: np.random.SeedSequence, client: Client | None = None
    ) -> Trainer:
        if client is not None:
            return trainer_on_cluster(self.device, task, client, tables, sums, seeds, self._threads)
        return AnnotationTrainer(task, device_class(self.device, DEVICES)(task, self._threads), tables, sums, seeds)

    def _train(
        self,
        data: AnnotationSet,
        n_epochs: int,
        done: int,
        validation: Any,
        metrics: Sequence[str],
        callbacks: Callbacks,
        client: Client | None = None,
    ) -> ImageAnnotator:
        validate = None
        if validation is not None:
            held_out, _ = with_known_labels(
                self._named(validation, "validation"), self.label_names_, "validation", stacklevel=4
            )
            held_out = self.align(held_out)
            validate = functools.partial(self._metrics, held_out, tuple(metrics))
        trainer = self._trainer(self._task(data), self.tables_, self._memory, self._spawned(1), client)
        self._run(trainer, n_epochs=n_epochs, done=done, validate=validate, callbacks=callbacks)
        return self

    def _metrics(self, held_out: AnnotationSet, metrics: Sequence[str]) -> dict[str, float]:
        return evaluate(self, held_out, exclude=self.seen_, metrics=metrics, n_threads=self.n_threads).mean

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the dot products of the images' and the labels' vectors, and what pairs of labels add to them.

        See `Annotator.score_block`.
        """
        scores = self._vectors(known, rows) @ self.label_factors_[labels].T
        return scores if self.pairs_ is None else self.pairs_.add_to(scores, known, rows, labels)

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return what scores on the model's device, None for the processor; see `vsenumba.models.devices`."""
        return scores_on(self.device, functools.partial(self._vectors, known), self.label_factors_, self.pairs_, known)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a vector, none where no step was ever made; see `Annotator.knows`."""
        if len(self.history_) and not any(record.get("steps", 1) for record in self.history_):
            return np.zeros(len(rows), dtype=bool)
        return self._inputs.knows(self._arrays, self._table_rows(known, rows), known, rows)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._inputs.vectors(self._arrays, self._table_rows(known, rows), known, rows)

    @property
    def _arrays(self) -> Mapping[str, np.ndarray]:
        """The tables, and what is kept of pictures that are not at hand."""
        kept = self._pictures.vectors
        return self.tables_ if kept is None else self.tables_ | {FEATURE_VECTORS: kept}

    def _picture_vectors(self, data: AnnotationSet) -> np.ndarray:
        """Return what the features of a set's images, which are the model's, add to their vectors."""
        rows = np.arange(data.n_images)
        return as_inputs("features").vectors(self.tables_, rows, data, rows)

    def _table_rows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        self._check_tables()
        if self.uses_features:
            self._pictures.check(known, self._sizes()["n_features"])
        if "image_factors" not in self.tables_ and self._pictures.vectors is None:
            return np.full(len(rows), -1)  # no part goes by ids, and to look up millions takes long
        same = known.image_ids is self.image_ids_
        rows = rows if same else self.image_ids_.find(known.image_ids.take(rows))
        if "image_factors" not in self.tables_:
            return rows
        # The row of an image that had no label is as it was drawn: it says nothing.
        indptr = self.seen_.indptr
        return np.where((rows >= 0) & (indptr[rows] < indptr[rows + 1]), rows, -1)

    def _as_images(self, X: Any) -> AnnotationSet:
        """Return a set; what has no ids, as lists and matrices, gets some that the model does not have yet."""
        data = as_annotation_set(X)
        if isinstance(X, AnnotationSet) or not isinstance(data.image_ids, NumberedVocabulary):
            return data
        if isinstance(data.label_names, NumberedVocabulary):
            data = self.align(X)
        return with_free_ids(data, self.image_ids_)

    def _check_images(self, data: AnnotationSet) -> None:
        if self._inputs.needs_image_rows:
            self.image_ids_.index(data.image_ids)

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
        self._check_images(data)
        return np.ascontiguousarray(self._vectors(data, np.arange(data.n_images)), dtype=np.float32)

    def _named_vectors(self, what: str, data: Any) -> tuple[Vocabulary, np.ndarray]:
        check_is_fitted(self)
        if what == "labels":
            return self.label_names_, self.label_factors_
        images = self.seen_ if data is None else data if isinstance(data, AnnotationSet) else load_dataset(data)
        return images.image_ids, self.embed(images)

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
        return self._fold(self.align(as_label_lists(labels)))

    def _fold(self, data: AnnotationSet) -> np.ndarray:
        """Return the factors of images as if they had never been seen; 0 for those without a label."""
        inputs = self._inputs
        if not inputs.needs_image_rows:
            return self._for_new_images(data)._vectors(data, np.arange(data.n_images))
        self._check_tables()
        return folded_in(self, data)

    def _for_new_images(self, known: AnnotationSet) -> NewImages:
        if self._inputs.needs_image_rows:
            return FoldedImages(self, self._fold(known), self.label_factors_)
        self._check_tables()
        if self.uses_features:
            self._pictures.check(known, self._sizes()["n_features"])
        return UnseenImages(self, self._inputs, self.tables_, self.pairs_)

    def _to_elements(self) -> dict[str, Any]:
        elements = {**Annotator._to_elements(self), **Trained._to_elements(self)}
        if self.uses_features:
            at_hand = self.seen_.features is not None
            vectors = self._picture_vectors(self.seen_) if at_hand else self._pictures.vectors
            elements |= self._pictures.to_elements(vectors)
        return elements if self.pairs_ is None else elements | {"pairs": self.pairs_.to_elements()}

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        Annotator._from_elements(self, elements)
        Trained._from_elements(self, elements)
        self._pictures = SeenPictures.from_elements(elements)
        pairs = elements.get("pairs")
        self.pairs_ = None if pairs is None else LabelPairs.from_elements(pairs, len(self.label_names_))

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        sizes = Annotator._found_sizes(self, elements)
        if self.uses_features:
            schema.check(FEATURE_SIZES, elements, **sizes)
            sizes["n_features"] = len(elements["arrays"]["feature_mean"])
        return sizes

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        pictures = picture_schema(int(self.n_factors)) if self.uses_features else {}
        return Trained._schema(self, sizes) | pictures | {"pairs": schema.Optional(LABEL_PAIRS)}
