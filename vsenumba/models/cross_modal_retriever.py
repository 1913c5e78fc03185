"""CrossModalRetriever: a head that brings images and captions into one space, on features of any backbone."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from vsenumba import storage
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
from vsenumba.memory import check_memory
from vsenumba.models.caption_checks import check_data, check_set, check_words, warn_of_collapse, warn_of_unknown
from vsenumba.models.parameters import Choice, MemberOf, Number, Parameter, Seed, Whole
from vsenumba.models.trained import Trained
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.objectives import Objective, as_objective
from vsenumba.poolings import Pooling, as_pooling
from vsenumba.storage import schema
from vsenumba.training.adamw import AdamW
from vsenumba.training.callbacks import Callbacks, as_callbacks
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import Captions, TokenCaptions, WordCaptions, caption_words
from vsenumba.training.captions.projections import Projection, as_projection
from vsenumba.training.captions.trainer import CaptionTrainer, side_of
from vsenumba.training.schedules import SCHEDULES

# Items that are embedded together.
BLOCK = 256

# Numbers of four bytes for each of a table's, to train it: itself, its gradient and two moments; and for each pair of a
# batch's images and captions.
_PER_PARAMETER, _PER_COSINE = 4, 6


class CrossModalRetriever(Trained):
    """Learn to bring images and captions that belong together close to each other.

    Rows of images (regions, grid cells, or one vector of any backbone) and words of captions are projected, pooled to
    one vector, and brought to length 1; the cosine is the score. No image encoder, recurrent network or transformer is
    trained: features stay as they are.

    Parameters
    ----------
    image_projection : {"residual", "linear"} or Projection
        From the images' rows to the space; captions' rows are projected linearly.
    image_pooling, caption_pooling : Pooling or str
        "mean", "max", "top-mean", "gpo" or "adpool".
    objective : Objective or str
        "adopt", "lseh", "sum-of-hinges", "max-of-hinges", "infonce", "constant-k" or "random-k".
    n_factors : int
        Dimensions of the space.
    word_factors : int
        Dimensions of the words' vectors, which are trained from random ones.
    min_count : int
        Rarer words of the training captions count as one unknown word.
    n_epochs, batch_size : int
        Passes over all matching pairs, and pairs in a batch.
    learning_rate, weight_decay : float
        Of AdamW.
    schedule : {"step", "linear", "cosine", "constant"}
        How the rate falls; "step" divides it by ten after 60 % of the epochs.
    warmup_epochs : int
        In the first so many epochs all negatives of a batch count and the rate rises from 0: with the hardest negative
        alone all cosines may become equal.
    max_grad_norm : float
        Gradients of a batch that are longer are scaled down to this.
    row_dropout : float
        The share of regions and of words that each batch does without, from 0 and below 1.
    n_threads : int, optional
        Threads of the package's own kernels; None for all.
    random_state : int, Generator, SeedSequence or None
        Where the randomness comes from.

    Attributes
    ----------
    words_ : Vocabulary or None
        The words of the training captions, the first standing for all others; None with rows of tokens.
    history_ : History
        One record per epoch: also ``group_size`` (negatives of a query), ``gradient`` (its length) and ``spread``
        (standard deviation of a batch's cosines), each the mean over batches; and the validation metrics.
    best_epoch_ : int
        With validation, the epoch whose parameters were kept, by "rsum" unless an `EarlyStopping` says otherwise.
    provenance_ : dict
        How many images and captions were trained on, where the words came from, and where it was trained.
    tables_, best_, seed_entropy_
        See `Trained`.

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
        """Train afresh.

        Parameters
        ----------
        data : CaptionSet
            What to train on; words are taken from its captions alone.
        y : None
            Ignored, as scikit-learn's conventions ask for it.
        validation : CaptionSet, optional
            Evaluated after every epoch; the parameters of the epoch with the highest "rsum" are kept in the end.
        words : WordVectors, optional
            What the words' vectors begin as, where they are known; `word_factors` must be their length.
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
        """
        self.check_parameters()
        self._start(data, words)
        return self._train(data, self.n_epochs, 0, validation, callbacks)

    def _start(self, data: CaptionSet, words: WordVectors | None) -> None:
        """Forget everything, and make fresh tables for a set."""
        check_data(data)
        self._check_memory(data)
        self._begin()
        self.words_ = caption_words(data.captions, self.min_count) if data.tokens is None else None
        self.provenance_ = {
            "n_images": data.n_images,
            "n_captions": data.n_captions,
            "data_sha256": data.digest(),
            "words_from": "the training captions" if data.tokens is None else "rows of tokens that were given",
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
        """Train on with other images and captions, from where the model is; words that it does not know stay unknown.

        The rate goes through its schedule once more, over these epochs; of `warmup_epochs` none comes again.

        Parameters
        ----------
        data, y, validation, callbacks
            As in `fit`.
        n_epochs : int
            Passes over the matching pairs of `data`.

        Returns
        -------
        CrossModalRetriever
            The model itself.
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
        """Go on from a checkpoint to the last of `n_epochs`, with the data of `fit`, as if it had never stopped.

        Parameters
        ----------
        data, validation, callbacks
            As in `fit`.

        Raises
        ------
        InputError
            If the model was not saved as a checkpoint is, or `data` is not what it was trained on.
        """
        check_is_fitted(self)
        check_set(data)
        same = [data.n_images, data.n_captions] == [self.provenance_.get(name) for name in ("n_images", "n_captions")]
        done = self._check_resumable(same and self._began_with(data))
        if done >= self.n_epochs:
            return self._ended()
        return self._train(data, self.n_epochs, done, validation, callbacks)

    def _check_memory(self, data: CaptionSet) -> None:
        """Refuse to make parameters, or a batch's cosines, that do not fit into memory."""
        caption_width = int(self.word_factors) if data.tokens is None else data.tokens.width
        n, shapes = int(self.n_factors), self._branch_shapes(data.images.width, caption_width)
        n_parameters = sum(math.prod(shape) for shape in shapes.values()) + caption_width
        batch = min(int(self.batch_size), max(data.n_images, data.n_captions))
        check_memory(
            4 * (_PER_PARAMETER * n_parameters + _PER_COSINE * batch**2),
            f"training with n_factors={n}, word_factors={self.word_factors} and batch_size={self.batch_size}",
            "lower them",
        )

    def _sizes(self) -> schema.Sizes:
        widths = {"image_width": self._image_width, "caption_width": self._caption_width}
        return widths if self.words_ is None else {**widths, "other_words": len(self.words_) - 1}

    def _check_tables(self) -> None:
        expected = self._table_shapes(self._sizes())
        found = {name: np.shape(table) for name, table in self.tables_.items()}
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                raise InputError(
                    f"tables_[{name!r}] has the shape {found.get(name)}, not {expected.get(name)}: projections, "
                    "poolings or n_factors are not those that the model was fitted with; fit afresh"
                )
        super()._check_tables()

    @property
    def _caption_width(self) -> int:
        if self.words_ is not None:
            return int(np.shape(self.tables_.get("words", ((),)))[-1])
        return len(self.tables_.get("caption.projection.weights", ()))

    def _sides(self, image_width: int, caption_width: int) -> tuple[tuple[str, Branch, int], ...]:
        """Return the two branches: their names, what they are, and how wide the rows are that they take."""
        return (("image", self._image_branch, image_width), ("caption", self._caption_branch, caption_width))

    def _branch_shapes(self, image_width: int, caption_width: int) -> dict[str, tuple[int, ...]]:
        return {
            f"{side}.{name}": shape
            for side, branch, columns in self._sides(image_width, caption_width)
            for name, shape in branch.parameter_shapes(columns, int(self.n_factors)).items()
        }

    def _branch_tables(self, caption_width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {
            f"{side}.{name}": table
            for side, branch, columns in self._sides(self._image_width, caption_width)
            for name, table in branch.fresh_parameters(columns, self.n_factors, rng).items()
        }

    def _fresh_tables(
        self, data: CaptionSet, words: WordVectors | None, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        width = self.word_factors if data.tokens is None else data.tokens.width
        tables = self._branch_tables(width, rng)
        if self.words_ is None:
            return tables
        table = rng.uniform(-0.1, 0.1, (len(self.words_), width)).astype(np.float32)
        if words is not None:
            check_words(words, int(width))
            found = words.words.find(self.words_)
            table[found >= 0] = words.factors[found[found >= 0]]
        return {"words": table, **tables}

    @property
    def _image_branch(self) -> Branch:
        return Branch(projection=self.member("image_projection"), pooling=self.member("image_pooling"))

    @property
    def _caption_branch(self) -> Branch:
        return Branch(projection=as_projection("linear"), pooling=self.member("caption_pooling"))

    def _captions(self, data: CaptionSet) -> Captions:
        if self.words_ is None:
            if data.tokens is None:
                raise InputError("the model was trained on rows of tokens; the data has none")
            return self._token_captions(data.tokens)
        if data.captions is None:
            raise InputError("the model was trained on texts; the data has none")
        return WordCaptions(data.captions, self.words_)

    def _token_captions(self, tokens: Ragged) -> TokenCaptions:
        if tokens.width != self._caption_width:
            raise InputError(f"captions must have rows of {self._caption_width} numbers, not {tokens.width}")
        return TokenCaptions(tokens)

    def _train(
        self, data: CaptionSet, n_epochs: int, done: int, validation: CaptionSet | None, callbacks: Callbacks
    ) -> CrossModalRetriever:
        objective, semantics = self.member("objective"), None
        if objective.needs_semantics:
            if data.captions is None:
                raise InputError("semantic margins need the captions' texts; the data has rows of tokens only")
            semantics = caption_semantics(data.captions)
        captions = self._captions(data)
        if isinstance(captions, WordCaptions) and captions.known_share == 0:
            raise InputError(f"no word of the captions stands min_count={self.min_count} times; lower it")
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
        """Return the vectors of images, (n, n_factors) float32 of length 1.

        Parameters
        ----------
        images : CaptionSet, Ragged, array or list of arrays
            The images' rows; see `CaptionSet.from_lists`.
        """
        check_is_fitted(self)
        rows = images.images if isinstance(images, CaptionSet) else Ragged.of(images, "image")
        self._check_images(rows)
        return self._embed("image", self._image_branch, len(rows), rows.take)

    def _check_images(self, rows: Ragged) -> None:
        if rows.width != self._image_width:
            raise InputError(f"images must have rows of {self._image_width} numbers, not {rows.width}")

    def embed_captions(self, captions: CaptionSet | Sequence[str] | Any) -> np.ndarray:
        """Return the vectors of captions, (n, n_factors) float32 of length 1.

        Parameters
        ----------
        captions : CaptionSet or sequence of str; array or list of arrays for a model of rows of tokens
            The captions.

        Warns
        -----
        UserWarning
            If captions have no word that the model knows: all of them have the same vector, which says nothing.
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
        warn_of_unknown(source.unknown, "their vectors say nothing")
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
            raise InputError("a retriever embeds what it is given: name a set with --data")
        source = data if isinstance(data, CaptionSet) else load_caption_set(data)
        if what == "images":
            return source.image_ids, self.embed_images(source)
        return source.caption_ids, self.embed_captions(source)

    def evaluate(self, data: CaptionSet, *, n_folds: int = 1) -> RetrievalScores:
        """Rank all captions for every image, and all images for every caption; see `evaluate_vectors`."""
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
        """Return the mean reciprocal rank of the best match, of images' and of captions' queries alike; in 0..1."""
        scores = self.evaluate(data)
        return float(np.mean([(1 / ranks).mean() for ranks in (scores.image_ranks, scores.caption_ranks)]))

    def find_images(self, text: str, data: CaptionSet, n: int = 10) -> list[Match]:
        """Return the ids of the images of a set that are closest to a text, and their cosines.

        Raises
        ------
        UnknownNameError
            If the model knows no word of the text.

        Warns
        -----
        UserWarning
            If it knows some words only.
        """
        check_is_fitted(self)
        n = checked_count(n)
        check_set(data)
        self._check_text(text)
        return best_matches(self.embed_images(data) @ self.embed_captions([text])[0], n, data.image_ids)

    def _check_text(self, text: Any) -> None:
        """Refuse a text of which no word is known, and warn of words that are not."""
        if self.words_ is None:
            raise InputError("the model was trained on rows of tokens, and knows no words: embed a text's rows instead")
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
            warnings.warn(f"the model does not know {names}, which counts as any rare word", UserWarning, stacklevel=3)

    def find_captions(self, image: str, data: CaptionSet, n: int = 10) -> list[Match]:
        """Return the captions of a set that are closest to one of its images, and their cosines.

        Warns
        -----
        UserWarning
            If captions have no word that the model knows, which are left out.
        """
        check_is_fitted(self)
        n = checked_count(n)
        check_set(data)
        if data.captions is None:
            raise InputError("the set has no texts to be found")
        (row,) = data.image_ids.index([image])
        captions = self._captions(data)
        warn_of_unknown(captions.unknown, "they are left out")
        vector = self.embed_images(data.images.select(np.array([row])))[0]
        cosines = self._embed_captions(captions, data.n_captions) @ vector
        cosines[captions.unknown] = -np.inf
        return best_matches(cosines, n, data.captions)

    def _to_elements(self) -> dict[str, Any]:
        elements = super()._to_elements()
        elements["about"] = storage.Json({**elements["about"].value, "image_width": self._image_width})
        if self.words_ is not None:
            elements["words"] = self.words_.to_element()
        return elements

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        # The captions' rows are as wide as what projects them says.
        weights = {"caption.projection.weights": schema.Array(schema.FLOAT, ("caption_width", self.n_factors))}
        return schema.check(
            schema.Elements(
                {
                    "about": schema.Object({"image_width": schema.Whole(least=1, size="image_width")}),
                    "words": schema.Optional(schema.Names("other_words+1")),
                    "arrays": schema.Elements(weights),
                }
            ),
            elements,
        )

    def _table_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        shapes = self._branch_shapes(sizes["image_width"], sizes["caption_width"])
        if "other_words" in sizes:
            shapes["words"] = (sizes["other_words"] + 1, sizes["caption_width"])
        return shapes

    def _memory_schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        moments: dict[str, schema.Spec] = {"steps": schema.Array(schema.COUNT, (1,), least=0)}
        for name, shape in self._table_shapes(sizes).items():
            moments[f"1.{name}"] = schema.Array(schema.FLOAT, shape, finite=True)
            moments[f"2.{name}"] = schema.Array(schema.FLOAT, shape, finite=True, least=0)
        return moments

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        self._image_width = int(self.provenance_.pop("image_width"))
        self.words_ = Vocabulary.from_element(elements["words"], "word") if "words" in elements else None
