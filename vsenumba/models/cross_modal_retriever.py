"""CrossModalRetriever: a retrieval model for images and captions, trained on features of any backbone."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from vsenumba.checks import RandomLike
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.readers import load_caption_set
from vsenumba.data.captions.semantics import caption_semantics
from vsenumba.data.captions.texts import as_captions
from vsenumba.data.matches import Match, best_matches, checked_count
from vsenumba.data.text.reading import words_of
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, UnknownNameError, unknown_name
from vsenumba.evaluation.retrieval import RetrievalScores, evaluate_vectors
from vsenumba.kernels.gate import readable
from vsenumba.kernels.threads import one_blas_thread, threads
from vsenumba.models.branch_tables import BranchTables
from vsenumba.models.caption_checks import check_data, check_set, warn_of_collapse, warn_of_unknown
from vsenumba.models.parameters import Choice, MemberOf, Number, Parameter, Seed, Whole
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.objectives import Objective, as_objective
from vsenumba.poolings import Pooling, as_pooling
from vsenumba.training.adamw import AdamW
from vsenumba.training.callbacks import Callbacks, as_callbacks
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import Captions, WordCaptions, caption_words
from vsenumba.training.captions.projections import Projection, as_projection
from vsenumba.training.captions.trainer import CaptionTrainer, side_of
from vsenumba.training.schedules import SCHEDULES

# Number of items to embed at once.
BLOCK = 256


class CrossModalRetriever(BranchTables):
    """Learn to place images and captions that belong together close to each other.

    An image is one or more feature rows: regions, grid cells, or one vector from any backbone. A caption is a sequence
    of words or of feature rows. The model projects the rows of each, pools them into one vector, and scales it to
    length 1. The score of an image and a caption is the cosine of their vectors.

    The model trains no image encoder, recurrent network or transformer: features stay as they are.

    Parameters
    ----------
    image_projection : {"residual", "linear"} or Projection, default "residual"
        Projection of the image rows into the common space. Caption rows are always projected linearly.
    image_pooling, caption_pooling : Pooling or str, default "adpool"
        How the rows of an image or a caption become one vector: "mean", "max", "top-mean", "gpo" or "adpool".
    objective : Objective or str, default "adopt"
        Objective to minimise: "adopt", "lseh", "sum-of-hinges", "max-of-hinges", "infonce", "constant-k" or "random-k".
    n_factors : int, default 256
        Number of dimensions of the common space.
    word_factors : int, default 128
        Number of dimensions of the word vectors, which start at random and are trained.
    min_count : int, default 2
        Words that occur fewer times in the training captions share one vector for unknown words.
    n_epochs : int, default 25
        Number of passes over all matching pairs.
    batch_size : int, default 128
        Number of pairs in a batch, at least 2.
    learning_rate : float, default 1e-3
        Learning rate of AdamW at the start, above 0.
    weight_decay : float, default 0.01
        Weight decay of AdamW, from 0 and below 1.
    schedule : {"step", "linear", "cosine", "constant"}, default "step"
        How the learning rate changes over the epochs. "step" divides it by ten after 60 % of the epochs.
    warmup_epochs : int, default 1
        Number of first epochs in which all negatives of a batch count, and the learning rate rises from 0. Starting
        with the hardest negative alone can make all cosines equal.
    max_grad_norm : float, default 2.0
        Maximum length of a batch's gradient, above 0. Longer gradients are scaled down to it.
    row_dropout : float, default 0.2
        Share of the image rows and words that are left out of each batch at random, from 0 and below 1.
    n_threads : int, optional
        Number of threads for the kernels of this package; by default all.
    random_state : int, Generator, SeedSequence or None, default None
        Random seed; None for a different one each time.

    Attributes
    ----------
    words_ : Vocabulary or None
        The words of the training captions. The first entry represents all other words. None if captions are feature
        rows.
    history_ : History
        One record for each epoch. Beside the validation metrics, it contains means over the batches: ``group_size``
        (number of negatives of a query), ``gradient`` (length of the gradient) and ``spread`` (standard deviation of
        the cosines).
    best_epoch_ : int
        With validation, the epoch whose parameters were kept. It is the best by "rsum", unless an `EarlyStopping` uses
        another metric.
    provenance_ : dict
        Numbers of training images and captions, the source of the words, and the device.
    tables_, best_, seed_entropy_
        See `Trained`.

    References
    ----------
    Zhang et al., "Improving Visual-Semantic Embedding with Adaptive Pooling and Optimization Objective", EACL 2023, for
    "adpool" and "adopt".

    Gong & Cosma, "Improving visual-semantic embeddings by learning semantically-enhanced hard negatives for cross-modal
    information retrieval", Pattern Recognition 2023, for "lseh".

    Examples
    --------
    >>> import vsenumba as vse
    >>> images = np.eye(4, dtype=np.float32)
    >>> data = vse.CaptionSet.from_lists(images, ["a red cat", "a blue dog", "one green bird", "two fish"])
    >>> model = vse.CrossModalRetriever(n_factors=8, min_count=1, n_epochs=60, random_state=0).fit(data)
    >>> model.embed_images(images).shape
    (4, 8)
    """

    kind: ClassVar[str] = "cross-modal-retriever"
    subject: ClassVar[str] = "images and captions"
    exports: ClassVar[tuple[str, ...]] = ("images", "captions")
    memory_element: ClassVar[str] = "moments"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "image_projection": MemberOf("Projection of the image regions.", family=as_projection),
        "image_pooling": MemberOf("Pooling of the image regions into one vector.", family=as_pooling),
        "caption_pooling": MemberOf("Pooling of the caption's words into one vector.", family=as_pooling),
        "objective": MemberOf("Objective to minimise.", family=as_objective),
        "n_factors": Whole("Dimension of the joint space."),
        "word_factors": Whole("Dimension of the word vectors."),
        "min_count": Whole("Treat words that occur less often as one unknown word."),
        "n_epochs": Whole("Number of training epochs."),
        "batch_size": Whole("Number of pairs per batch.", least=2),
        "learning_rate": Number("Initial learning rate.", above=0),
        "weight_decay": Number("Weight decay of AdamW.", below=1),
        "schedule": Choice("Learning rate schedule.", names=SCHEDULES),
        "warmup_epochs": Whole("Number of initial epochs that use all negatives.", least=0),
        "max_grad_norm": Number("Maximum gradient norm; longer gradients are scaled down.", above=0),
        "row_dropout": Number("Share of regions and words dropped per batch.", below=1),
        "n_threads": Whole("Number of threads.", "all cores", in_file=False),
        "random_state": Seed("Random seed."),
    }

    def __init__(
        self,
        image_projection: Projection | str = "residual",
        image_pooling: Pooling | str = "adpool",
        caption_pooling: Pooling | str = "adpool",
        objective: Objective | str = "adopt",
        n_factors: int = 256,
        word_factors: int = 128,
        min_count: int = 2,
        n_epochs: int = 25,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.01,
        schedule: str = "step",
        warmup_epochs: int = 1,
        max_grad_norm: float = 2.0,
        row_dropout: float = 0.2,
        n_threads: int | None = None,
        random_state: RandomLike = None,
    ) -> None:
        self.image_projection = image_projection
        self.image_pooling = image_pooling
        self.caption_pooling = caption_pooling
        self.objective = objective
        self.n_factors = n_factors
        self.word_factors = word_factors
        self.min_count = min_count
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup_epochs = warmup_epochs
        self.max_grad_norm = max_grad_norm
        self.row_dropout = row_dropout
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(
        self,
        data: CaptionSet,
        y: Any = None,
        *,
        validation: CaptionSet | None = None,
        words: WordVectors | None = None,
        callbacks: Callbacks = (),
    ) -> CrossModalRetriever:
        """Train a new model on images and captions.

        Parameters
        ----------
        data : CaptionSet
            The training set. The vocabulary comes from its captions alone.
        y : None
            Ignored; present for compatibility with scikit-learn.
        validation : CaptionSet, optional
            Set to evaluate after every epoch. Training ends with the parameters of the epoch with the highest "rsum".
        words : WordVectors, optional
            Initial values of the word vectors, for the words that it contains. Their length must be `word_factors`.
        callbacks : callable, or iterable of them
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.

        Returns
        -------
        CrossModalRetriever
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
            If all cosines of a batch become nearly equal.
        """
        self.check_parameters()
        self._start(data, words)
        return self._train(data, self.n_epochs, 0, validation, callbacks)

    def _start(self, data: CaptionSet, words: WordVectors | None) -> None:
        """Forget everything, and create new tables for a set."""
        check_data(data)
        self._check_memory(data)
        self._begin()
        self.words_ = caption_words(data.captions, self.min_count) if data.tokens is None else None
        self.provenance_ = {
            "n_images": data.n_images,
            "n_captions": data.n_captions,
            "data_sha256": data.digest(),
            "words_from": "the training captions" if data.tokens is None else "feature rows in the data",
        }
        self._image_width = data.images.width
        self.tables_ = self._fresh_tables(data, words, np.random.default_rng(self._spawned(0)))

    def partial_fit(
        self,
        data: CaptionSet,
        y: Any = None,
        *,
        n_epochs: int = 1,
        validation: CaptionSet | None = None,
        callbacks: Callbacks = (),
    ) -> CrossModalRetriever:
        """Continue training on other images and captions; words that the model does not know stay unknown.

        The learning rate runs through its schedule once more, over these epochs, without `warmup_epochs`.

        Parameters
        ----------
        data, y, validation, callbacks
            As in `fit`.
        n_epochs : int, default 1
            Number of passes over the matching pairs of `data`.

        Returns
        -------
        CrossModalRetriever
            The model itself.

        Raises
        ------
        InputError, TrainingDivergedError
            As in `fit`; also if parameters or features do not fit the model's tables.
        """
        self.check_parameters()
        self.PARAMETERS["n_epochs"].check("n_epochs", n_epochs)
        if not hasattr(self, "history_"):
            self._start(data, None)
        check_data(data)
        self._check_images(data.images)
        self._check_memory(data)
        self._check_trainable()
        self.best_ = None
        return self._train(data, n_epochs, 0, validation, callbacks)

    def resume(
        self, data: CaptionSet, *, validation: CaptionSet | None = None, callbacks: Callbacks = ()
    ) -> CrossModalRetriever:
        """Continue from a checkpoint up to `n_epochs`, as if training had never stopped.

        Parameters
        ----------
        data, validation, callbacks
            As in `fit`. `data` must be the set that training began with.

        Returns
        -------
        CrossModalRetriever
            The model itself.

        Raises
        ------
        InputError
            If the model was saved without the optimiser's memory, or if `data` is not the set that it was trained on.
        """
        check_is_fitted(self)
        check_set(data)
        same = [data.n_images, data.n_captions] == [self.provenance_.get(name) for name in ("n_images", "n_captions")]
        done = self._check_resumable(same and self._began_with(data))
        if done >= self.n_epochs:
            return self._ended()
        return self._train(data, self.n_epochs, done, validation, callbacks)

    def _train(
        self, data: CaptionSet, n_epochs: int, done: int, validation: CaptionSet | None, callbacks: Callbacks
    ) -> CrossModalRetriever:
        objective, semantics = self.member("objective"), None
        if objective.needs_semantics:
            if data.captions is None:
                raise InputError("semantic margins need captions as texts; the data has feature rows only")
            semantics = caption_semantics(data.captions)
        captions = self._captions(data)
        if isinstance(captions, WordCaptions) and captions.known_share == 0:
            raise InputError(f"no word occurs min_count={self.min_count} times in the captions; lower min_count")
        validate = None
        if validation is not None:
            check_set(validation, "validation")
            self._check_images(validation.images)
            validate = functools.partial(self._metrics, validation, self._captions(validation))
        optimiser = AdamW(self.tables_, self.weight_decay, self.max_grad_norm, self._memory or None)
        self._memory = optimiser.moments
        trainer = CaptionTrainer(
            data, captions, self.tables_, image_branch=self._image_branch, caption_branch=self._caption_branch,
            objective=objective, semantics=semantics, optimiser=optimiser, batch_size=int(self.batch_size),
            row_dropout=self.row_dropout, warmup_epochs=int(self.warmup_epochs), n_threads=self.n_threads,
            seeds=self._spawned(1),
        )  # fmt: skip

        self._run(
            trainer,
            n_epochs=n_epochs,
            done=done,
            validate=validate,
            keep="rsum",
            callbacks=[warn_of_collapse, *as_callbacks(callbacks)],
        )
        return self

    def embed_images(self, images: Any) -> np.ndarray:
        """Return the vectors of images.

        Parameters
        ----------
        images : CaptionSet, Ragged, array or list of arrays
            Feature rows of the images; see `CaptionSet.from_lists`.

        Returns
        -------
        (n, n_factors) float32 array
            Vectors of length 1.

        Raises
        ------
        InputError
            If the rows have a different width than the training images.
        """
        check_is_fitted(self)
        rows = images.images if isinstance(images, CaptionSet) else Ragged.of(images, "image")
        self._check_images(rows)
        return self._embed("image", self._image_branch, len(rows), rows.take)

    def _check_images(self, rows: Ragged) -> None:
        if rows.width != self._image_width:
            raise InputError(f"image rows must have {self._image_width} numbers, not {rows.width}")

    def embed_captions(self, captions: CaptionSet | Sequence[str] | Any) -> np.ndarray:
        """Return the vectors of captions.

        Parameters
        ----------
        captions : CaptionSet, sequence of str, array or list of arrays
            The captions: texts, or feature rows if the model was trained on feature rows.

        Returns
        -------
        (n, n_factors) float32 array
            Vectors of length 1.

        Raises
        ------
        InputError
            If the captions are not of the kind that the model was trained on.

        Warns
        -----
        UserWarning
            If some captions contain no known word. They all get the same vector, which carries no information.
        """
        check_is_fitted(self)
        if isinstance(captions, CaptionSet):
            source, n = self._captions(captions), captions.n_captions
        elif self.words_ is not None:
            texts = as_captions([captions] if isinstance(captions, str) else captions)
            source, n = WordCaptions(texts, self.words_), len(texts)
        else:
            tokens = Ragged.of(captions, "caption")
            source, n = self._token_captions(tokens), len(tokens)
        warn_of_unknown(source.unknown, "their vectors carry no information")
        return self._embed_captions(source, n)

    def _embed_captions(self, source: Captions, n: int) -> np.ndarray:
        def rows(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found, offsets = source.take(some)
            return source.rows(found, self.tables_), offsets

        return self._embed("caption", self._caption_branch, n, rows)

    def _embed(self, side: str, branch: Branch, n: int, rows: Callable[..., Any]) -> np.ndarray:
        self._check_tables()
        parameters = {
            name: readable(f"tables_[{name!r}]", table, table.shape)
            for name, table in side_of(self.tables_, side).items()
        }
        result = np.empty((n, self.n_factors), np.float32)
        with threads(self.n_threads), one_blas_thread():
            for first in range(0, n, BLOCK):
                some = np.arange(first, min(first + BLOCK, n))
                found, offsets = rows(some)
                result[some] = branch.forward(found, offsets, parameters)[0]
        return result

    def _named_vectors(self, what: str, data: Any) -> tuple[Vocabulary, np.ndarray]:
        if data is None:
            raise InputError("a retriever does not store its training set; pass the set to embed as data (--data)")
        source = data if isinstance(data, CaptionSet) else load_caption_set(data)
        if what == "images":
            return source.image_ids, self.embed_images(source)
        return source.caption_ids, self.embed_captions(source)

    def evaluate(self, data: CaptionSet, *, n_folds: int = 1) -> RetrievalScores:
        """Rank all captions for every image, and all images for every caption.

        Parameters
        ----------
        data : CaptionSet
            The test set.
        n_folds : int, default 1
            Number of parts to evaluate separately; results are averaged. See `evaluate_vectors`.

        Returns
        -------
        RetrievalScores
            Recalls, ranks, and "rsum".
        """
        check_is_fitted(self)
        check_set(data)
        return self._evaluate(data, self._captions(data), n_folds)

    def _metrics(self, data: CaptionSet, captions: Captions) -> Mapping[str, float]:
        return self._evaluate(data, captions, 1).mean

    def _evaluate(self, data: CaptionSet, captions: Captions, n_folds: int) -> RetrievalScores:
        return evaluate_vectors(
            self.embed_images(data), self._embed_captions(captions, data.n_captions), data.image_subjects,
            data.caption_subjects, classes=data.classes, n_folds=n_folds,
        )  # fmt: skip

    def score(self, data: CaptionSet, y: Any = None) -> float:
        """Return the mean reciprocal rank of the best match, over images and captions as queries.

        Parameters
        ----------
        data : CaptionSet
            The test set.
        y : None
            Ignored; present for compatibility with scikit-learn.

        Returns
        -------
        float
            From 0 to 1; higher is better. Both directions have the same weight.
        """
        scores = self.evaluate(data)
        return float(np.mean([(1 / ranks).mean() for ranks in (scores.image_ranks, scores.caption_ranks)]))

    def find_images(self, text: str, data: CaptionSet, n: int = 10) -> list[Match]:
        """Find the images of a set that are closest to a text.

        Parameters
        ----------
        text : str
            The query.
        data : CaptionSet
            The images to search.
        n : int, default 10
            Maximum number of images.

        Returns
        -------
        list of Match
            Image ids with their cosines, best first.

        Raises
        ------
        UnknownNameError
            If the model knows no word of the text.

        Warns
        -----
        UserWarning
            If the model does not know some words of the text.
        """
        check_is_fitted(self)
        n = checked_count(n)
        check_set(data)
        self._check_text(text)
        return best_matches(self.embed_images(data) @ self.embed_captions([text])[0], n, data.image_ids)

    def _check_text(self, text: Any) -> None:
        """Raise an error if no word of a text is known, and warn if some are unknown."""
        if self.words_ is None:
            raise InputError("the model was trained on feature rows and knows no words; embed the text's rows instead")
        (text,) = as_captions([text])
        words = list(dict.fromkeys(words_of(text)))
        if not words:
            raise InputError(f"the text has no words: {text!r:.60}")
        unknown = [word for word, place in zip(words, self.words_.find(words), strict=True) if place < 0]
        if len(unknown) == len(words):
            hint = unknown_name("word", unknown[0], itertools.islice(self.words_, 1, None))
            raise UnknownNameError(f"the model knows no word of {text!r:.60}: {hint}")
        if unknown:
            names = ", ".join(map(repr, unknown))
            warnings.warn(f"the model does not know {names}; treating it as a rare word", UserWarning, stacklevel=3)

    def find_captions(self, image: str, data: CaptionSet, n: int = 10) -> list[Match]:
        """Find the captions of a set that are closest to one of its images.

        Parameters
        ----------
        image : str
            Id of the image.
        data : CaptionSet
            The set that contains the image and the captions to search.
        n : int, default 10
            Maximum number of captions.

        Returns
        -------
        list of Match
            Captions with their cosines, best first.

        Raises
        ------
        InputError
            If the set's captions are not texts.
        UnknownNameError
            If the set does not contain the image.

        Warns
        -----
        UserWarning
            If captions are left out because they contain no known word.
        """
        check_is_fitted(self)
        n = checked_count(n)
        check_set(data)
        if data.captions is None:
            raise InputError("the set's captions are feature rows; find_captions needs texts")
        (row,) = data.image_ids.index([image])
        captions = self._captions(data)
        warn_of_unknown(captions.unknown, "they are left out")
        vector = self.embed_images(data.images.select(np.array([row])))[0]
        cosines = self._embed_captions(captions, data.n_captions) @ vector
        cosines[captions.unknown] = -np.inf
        return best_matches(cosines, n, data.captions)
