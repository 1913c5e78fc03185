"""ImageAnnotator: vectors of images and labels, trained on which images have which labels."""

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
from vsenumba.models.devices import DEVICES, device_class, scores_on, trainer_on_cluster
from vsenumba.models.input_tables import InputTables
from vsenumba.models.label_pairs import LabelPairs
from vsenumba.models.learnable import why_nothing_can_be_learnt
from vsenumba.models.pair_strength import chosen_settings
from vsenumba.models.parameters import Choice, Flag, MemberOf, NameOrSum, Number, Parameter, Seed, Whole
from vsenumba.models.questions import as_label_lists
from vsenumba.models.seen_pictures import (
    SeenPictures,
    check_has_features,
    with_features_where_known,
)
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.samplers import Sampler, UniformSampler, as_sampler
from vsenumba.training.annotation.inputs import INPUTS, as_inputs
from vsenumba.training.annotation.task import Task, check_negatives
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.callbacks import Callbacks
from vsenumba.training.optimisers import Optimiser, as_optimiser
from vsenumba.training.run import Trainer
from vsenumba.training.schedules import SCHEDULES

if TYPE_CHECKING:
    from distributed import Client

    from vsenumba.gpu.scoring import CardScores

# A pair takes one step for each negative. More than a few dozen negatives brought no gain, and with millions you could
# not interrupt the training of a single image.
_MOST_NEGATIVES = 10_000

# What None stands for where `Recipe` says it.
_SUITED = "depends on the inputs, sampler, loss and optimiser"


class ImageAnnotator(InputTables):
    """Learn vectors for images and labels such that each image's own labels rank first.

    The score of a label for an image is the dot product of their vectors, ``s(i, a) = v_i · w_a``. Each training step
    takes an image and one of its labels (the positive), draws a label that the image does not have (the negative), and
    changes the vectors so that the positive scores higher than the negative.

    With `max_neighbours`, the model also solves for sparse weights between labels and adds them to the score. This
    makes suggestions more accurate, above all for rare labels.

    The page ``docs/explanation/model.md`` explains the model. ``docs/explanation/recipe.md`` explains the defaults, and
    how they were chosen.

    Parameters
    ----------
    inputs : {"labels", "features", "ids"} or tuple of these, default "labels"
        How an image is represented:

        - ``"labels"``: by the scaled sum of the context vectors of its other labels. New images need no training.
        - ``"features"``: by its features, which pass through a network with one hidden layer.
        - ``"ids"``: by a row of its own in a table. With the optimiser "sgd", this is the model of the VSE-ens paper.
          With any other optimiser, the first number of each row stays 1, so the first number of a label's vector is a
          bias.

        A tuple such as ``("labels", "features")`` adds the representations up. The defaults below are then those of its
        first entry.
    n_factors : int, default 64
        Length of the vectors, at least 1.
    sampler : Sampler or str, optional
        Sampler that draws the negatives: "uniform", "popularity", "warp", "dynamic", "rank" or "adaptive". The default
        depends on `inputs`. L is the number of labels:

        - labels or features: ``AdaptiveSampler(lam=0.1, n_candidates=c)`` with ``c = √L / 4``, at least 6 and at most
          16;
        - ids: ``DynamicSampler(n_candidates=c)`` with ``c = (√L - 8) / 2``, at least 1 and at most 64;
        - with ``loss=SoftmaxLoss(n_negatives=m)``: "uniform".
    loss : Loss or str, optional
        Loss to minimise: "logistic", "hinge", "warp" or "softmax". The default is "logistic". It is "softmax" if
        features are among the inputs, there are at most 4,096 labels, and you choose neither `sampler` nor
        `n_negatives`.

        "softmax" compares a positive with all labels that the image does not have. It draws no negatives, so `sampler`
        and `n_negatives` must be None. ``SoftmaxLoss(n_negatives=m)`` compares it with m drawn labels instead.
    optimiser : Optimiser or str, default "adagrad"
        How a row moves along its gradient: "adagrad", with one sum of squared gradients for each row, or "sgd".
    learning_rate : float, optional
        Learning rate of the first epoch, above 0. The default is 0.1 with labels or features. With ids it is given by
        the first case that applies, where m is the mean number of labels of an image:

        - optimiser "sgd": 0.4 / √m with the loss "logistic", and 0.2 / √m with other losses;
        - loss "softmax": 0.3;
        - sampler "warp" or "popularity": 0.05;
        - loss "logistic": 0.3, multiplied by the cube root of 4 / m if m is above 4;
        - loss "hinge" or "warp": 0.1.
    schedule : {"linear", "constant", "cosine", "step"}, default "linear"
        How the learning rate changes over the epochs.
    l2 : float, optional
        Weight decay per step, at least 0. The default depends on `inputs` and on m, the mean number of labels of an
        image:

        - labels: 0.001, multiplied by m / 4 if m is above 4, and at most 0.01;
        - features: 0.001; 0.2 if features are the only input and the loss is the "softmax" over all labels;
        - ids with "sgd": 0.03 with the loss "logistic", and 0.1 with other losses;
        - ids with "adagrad": 0.1 with the loss "softmax", 0.02 with "hinge" or "warp", and 0.05 with "logistic" or with
          the sampler "warp" or "popularity".

        With ids and "adagrad", the row of an image with m labels decays by √(6 / m) times this value.
    n_negatives : int, optional
        Number of negatives for each pair, from 1 to 10,000. The default is 1. With ids and "adagrad" it is 3, fewer if
        images have more than 4 labels on average, and 1 with the sampler "warp" or "popularity" or the loss "softmax".
    n_epochs : int, default 30
        Number of passes over all pairs.
    max_neighbours : int, optional
        Approximate number of weights to other labels that each label has on average; 0 for a model without these
        weights. The default is 128 if labels are among the inputs, ids are not, and there are at most 10 million pairs.
        Otherwise it is 0. `fit` chooses the strength and the weight decay of these weights itself: it trains a first
        model without some of the labels, and tries several values on these labels.
    n_threads : int, optional
        Number of threads; by default all. The draws do not depend on it. Updates are lock-free, however, so with more
        than one thread two runs with the same seed differ slightly.
    deterministic : bool, default False
        Whether the same seed must give bit-identical factors on the same machine. This uses one thread and needs
        ``device="cpu"``.
    device : {"cpu", "cuda"}, default "cpu"
        Device for training and evaluation. "cuda" uses an NVIDIA GPU (``docs/how-to/gpu.md``); it is never chosen
        automatically. Model files store neither `device` nor `n_threads`, so you choose them again when you load a
        model.
    random_state : int, Generator, SeedSequence or None, default None
        Random seed; None for a different one each time.

    Attributes
    ----------
    label_factors_ : (n_labels, n_factors) float32 array
        Vectors of the labels.
    image_factors_ : (n_images, n_factors) float32 array
        Vectors of the images, if ``"ids"`` is among the inputs.
    context_factors_ : (n_labels, n_factors) float32 array
        Context vectors of the labels, if ``"labels"`` is among the inputs. Their sum represents an image.
    pairs_ : LabelPairs or None
        The weights between labels, and their strength.
    tables_, history_, best_, best_epoch_, seed_entropy_, provenance_
        See `Trained`.
    seen_, image_ids_, label_names_, n_features_in_
        See `Annotator`.

    References
    ----------
    Guo et al., "VSE-ens: Visual-Semantic Embeddings with Efficient Negative Sampling", AAAI 2018.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, for the weights between labels.

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
            "How an image is represented; join several inputs by + to add their vectors.",
            resolve=as_inputs,
            names=INPUTS,
        ),
        "n_factors": Whole("Vector length."),
        "sampler": MemberOf("Negative sampler.", "depends on the inputs", family=as_sampler),
        "loss": MemberOf("Loss to minimise.", "depends on the inputs", family=as_loss),
        "optimiser": MemberOf("Optimiser.", family=as_optimiser),
        "learning_rate": Number("Learning rate of the first epoch.", _SUITED, above=0),
        "schedule": Choice("Learning rate schedule.", names=SCHEDULES),
        "l2": Number("Weight decay per step.", _SUITED),
        "n_negatives": Whole("Number of negatives per pair.", _SUITED, most=_MOST_NEGATIVES),
        "n_epochs": Whole("Number of training epochs."),
        "max_neighbours": Whole("Approximate number of weights from a label to other labels.", _SUITED, least=0),
        "n_threads": Whole("Number of threads.", "all cores", in_file=False),
        "deterministic": Flag("Whether the same seed gives bit-equal factors; uses one thread."),
        "device": Choice("Device to train on.", names=DEVICES, in_file=False),
        "random_state": Seed("Random seed."),
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
        """Train a new model on a set of images and labels.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            The training pairs. Rows are images, columns are labels.
        y : None
            Ignored; present for compatibility with scikit-learn.
        validation : like X, optional
            Held-out pairs, which are evaluated after every epoch. The clock stops meanwhile, and the pairs of `X` are
            left out of the ranking. Pairs with a label that the model does not know are skipped, with a warning.
        metrics : sequence of str, default ("mrr",)
            Metrics to compute on `validation`; see `vsenumba.evaluate`.
        callbacks : callable, or iterable of them
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.
        client : distributed.Client, optional
            Cluster to train on (``docs/how-to/cluster.md``). `X` may then be a list of file paths, where each file
            contains some of the images.

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
            If nothing can be learnt from the data. The model then suggests nothing.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator
        >>> model = ImageAnnotator(n_factors=8, n_epochs=2, random_state=0).fit([["cat", "pet"], ["dog", "pet"]])
        >>> len(model.history_)
        2
        """
        self.check_parameters()
        data = as_annotation_set(X if client is None else whole_of(X))
        check_has_features(data, self.inputs)
        self._check_memory(*data.shape, data.n_features)
        self._begin_with(data)
        why = why_nothing_can_be_learnt(data, self.inputs)
        if why is not None:
            warnings.warn(f"the model cannot learn anything and will suggest nothing: {why}", UserWarning, stacklevel=2)
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
        """Continue training on more pairs; new images and labels get rows of their own.

        The model trains on the pairs of `X` and adds them to those it has seen. The learning rate runs through its
        schedule once more, over these epochs.

        With ``schedule="constant"``, ``deterministic=True`` and the same set, training in two parts makes no
        difference: `fit` for a epochs and then `partial_fit` for b give exactly the factors of `fit` for a + b epochs.

        Parameters
        ----------
        X, y, validation, metrics, callbacks
            As in `fit`. Images are matched by id and labels by name. Label lists and matrices have no image ids, so
            their rows count as new images each time. The columns of a matrix are the model's labels.
        n_epochs : int, default 1
            Number of passes over `X`.

        Returns
        -------
        ImageAnnotator
            The model itself.

        Raises
        ------
        InputError, TrainingDivergedError
            As in `fit`; also if parameters have changed in a way that does not fit the model's tables.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator
        >>> model = ImageAnnotator(n_factors=8, n_epochs=2, random_state=0).fit([["cat", "pet"], ["dog", "pet"]])
        >>> model.partial_fit([["cow", "farm"]]).label_factors_.shape
        (5, 8)
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
        # The measurement belongs to the model before this training.
        self.provenance_.pop("measured", None)
        self._remember(union)
        if begun and self.pairs_ is not None:
            # A model keeps its weights, even if there are now too many pairs for a new model to begin with weights.
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
            # The kept vectors of all other images were computed with the network's weights before this training.
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
        """Continue from a checkpoint up to `n_epochs`, as if training had never stopped.

        Parameters
        ----------
        X, validation, metrics, callbacks, client
            As in `fit`. `X` must be the data that training began with.

        Returns
        -------
        ImageAnnotator
            The model itself.

        Raises
        ------
        InputError
            If the model was saved without the optimiser's memory, or if `X` is not the data that it was trained on.
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
        """The backbone that computed the training features, if it is known."""
        check_is_fitted(self)
        return self._pictures.backbone

    def check_parameters(self) -> None:
        """Check all parameters, and raise an error for the first that cannot be used; see `Fitted.check_parameters`."""
        super().check_parameters()
        check_negatives(self.member("loss"), self.sampler, self.member("sampler"), self.n_negatives)
        if self.max_neighbours and any(part.needs_image_rows for part in self._inputs.parts):
            raise InputError(
                f"max_neighbours={self.max_neighbours} needs labels or features as inputs; set max_neighbours=0 with "
                f"inputs={self.inputs!r}"
            )

    def _label_pairs(self, data: AnnotationSet) -> LabelPairs | None:
        """Solve for the weights between labels, with settings chosen on held-out labels; None if there are none."""
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
        """Forget everything, and take from a set all that is needed before the first epoch."""
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
        """Return the dot products of the image and label vectors, plus the weights between labels, if there are any.

        See `Annotator.score_block`.
        """
        scores = self._vectors(known, rows) @ self.label_factors_[labels].T
        return scores if self.pairs_ is None else self.pairs_.add_to(scores, known, rows, labels)

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return a scorer on the model's device; None for the CPU. See `vsenumba.models.devices`."""
        return scores_on(self.device, functools.partial(self._vectors, known), self.label_factors_, self.pairs_, known)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a vector; none if no training step was made. See `Annotator.knows`."""
        if len(self.history_) and not any(record.get("steps", 1) for record in self.history_):
            return np.zeros(len(rows), dtype=bool)
        return self._inputs.knows(self._arrays, self._table_rows(known, rows), known, rows)

    def _as_images(self, X: Any) -> AnnotationSet:
        """Return the data as a set; lists and matrices get image ids that are new to the model."""
        data = as_annotation_set(X)
        if isinstance(X, AnnotationSet) or not isinstance(data.image_ids, NumberedVocabulary):
            return data
        if isinstance(data.label_names, NumberedVocabulary):
            data = self.align(X)
        return with_free_ids(data, self.image_ids_)

    def embed(self, data: Any) -> np.ndarray:
        """Return the vectors of a set's images.

        With ``inputs="labels"``, the vector of an image is computed from its labels in `data`. With ``inputs="ids"``,
        it is the row that was trained for the image's id.

        Parameters
        ----------
        data : AnnotationSet, sparse matrix, array or list of label lists
            The images, with their known labels.

        Returns
        -------
        (n_images, n_factors) float32 array
            The vectors; 0 for images about which nothing is known.

        Raises
        ------
        UnknownNameError
            With ``inputs="ids"``, if the model was not trained on an image; use `fold_in` for such images.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> data = synthetic(60, 12, 240, rng=0)
        >>> ImageAnnotator(n_factors=8, n_epochs=1, random_state=0).fit(data).embed(data).shape
        (60, 8)
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
        """Return vectors of new images, computed from a few labels each; the model does not change.

        With ``inputs="labels"``, this is the scaled sum of context vectors that represents any image. With
        ``inputs="ids"``, the model trains a row for each image, with the label factors frozen. The result is the same
        each time.

        Parameters
        ----------
        labels : sequence of sequences of str
            The known labels of each image.

        Returns
        -------
        (len(labels), n_factors) float32 array
            The vectors, for `annotate_factors`.

        Raises
        ------
        UnknownNameError
            If the model does not know a label; the message suggests the nearest names.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> model = ImageAnnotator(n_factors=8, n_epochs=1, random_state=0).fit(synthetic(60, 12, 240, rng=0))
        >>> model.fold_in([model.label_names_.take([0, 1]).tolist()]).shape
        (1, 8)
        """
        return self._fold(self.align(as_label_lists(labels)))
