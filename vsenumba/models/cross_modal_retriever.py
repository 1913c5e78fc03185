"""CrossModalRetriever: a head that brings images and captions into one space, on features of any backbone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from vsenumba import storage
from vsenumba.checks import is_number, is_whole
from vsenumba.data.caption_set import CaptionSet
from vsenumba.data.ragged import Ragged
from vsenumba.data.semantics import caption_semantics
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.data.word_vectors import WordVectors
from vsenumba.errors import InputError
from vsenumba.evaluation.retrieval import RetrievalScores, evaluate_vectors
from vsenumba.kernels.random import RandomLike, seed_sequence
from vsenumba.kernels.threads import one_blas_thread, threads
from vsenumba.models.parameters import from_json, to_json
from vsenumba.models.seeds import seeds_from_element, seeds_to_element, spawned
from vsenumba.objectives import Objective, as_objective
from vsenumba.poolings import Pooling, as_pooling
from vsenumba.training.callbacks import Callback, following, should_stop
from vsenumba.training.history import History
from vsenumba.training.retrieval.adamw import AdamW
from vsenumba.training.retrieval.branch import Branch
from vsenumba.training.retrieval.captions import Captions, TokenCaptions, WordCaptions, caption_words
from vsenumba.training.retrieval.projections import Projection, as_projection
from vsenumba.training.retrieval.trainer import RetrievalTrainer, side_of
from vsenumba.training.schedules import scheduled_rate

# Items that are embedded together.
_BLOCK = 256

# Cosines of a batch that differ by less on average are taken for equal.
_COLLAPSED = 0.01


class Found(NamedTuple):
    """An image or a caption that was found, and its cosine with the query."""

    name: str
    score: float


class CrossModalRetriever(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
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
    longest_gradient : float
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
    tables_ : dict
        All parameters by name.
    history_ : History
        One record per epoch: also ``group_size`` (negatives of a query), ``gradient`` (its length) and ``spread``
        (standard deviation of a batch's cosines), each the mean over batches; and the validation metrics.
    best_epoch_ : int
        With validation, the epoch whose parameters were kept, by "rsum".
    provenance_ : dict
        How many images and captions were trained on, and where the words came from.

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
        longest_gradient: float = 2.0,
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
        self.longest_gradient = longest_gradient
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
        callbacks: Iterable[Callback | Callable[..., object]] = (),
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
        callbacks : iterable of callables
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
        self._check_parameters()
        if not isinstance(data, CaptionSet):
            raise InputError(f"data must be a CaptionSet, not {type(data).__name__}")
        if len(np.unique(data.image_subjects)) < 2:
            raise InputError("all images have one subject; there is nothing to tell apart")
        self._seeds = seed_sequence(self.random_state, "random_state")
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History()
        self.best_epoch_, self._best_value = 0, -np.inf
        self._best: dict[str, np.ndarray] = {}
        self.words_ = caption_words(data.captions, self.min_count) if data.tokens is None else None
        self.provenance_ = {
            "n_images": data.n_images,
            "n_captions": data.n_captions,
            "words_from": "the training captions" if data.tokens is None else "rows of tokens that were given",
        }
        self._image_width = data.images.width
        self._moments: dict[str, np.ndarray] | None = None
        self._semantics: np.ndarray | None = None
        rng = np.random.default_rng(spawned(self._seeds, 0))
        self.tables_ = self._fresh_tables(data, words, rng)
        return self._train(data, validation, callbacks)

    def resume(
        self,
        data: CaptionSet,
        *,
        validation: CaptionSet | None = None,
        callbacks: Iterable[Callback | Callable[..., object]] = (),
    ) -> CrossModalRetriever:
        """Go on from a checkpoint to the last of `n_epochs`, with the same data, as if training had never stopped."""
        check_is_fitted(self)
        if self._moments is None:
            raise InputError("the model was saved without the optimiser's memory: only a checkpoint can be resumed")
        return self._train(data, validation, callbacks)

    def _check_parameters(self) -> None:
        as_projection(self.image_projection)
        as_pooling(self.image_pooling)
        as_pooling(self.caption_pooling)
        as_objective(self.objective)
        scheduled_rate(self.schedule, 1.0, 0, 1)
        for name, least in (
            ("n_factors", 1), ("word_factors", 1), ("min_count", 1), ("n_epochs", 1), ("batch_size", 2),
            ("warmup_epochs", 0),
        ):  # fmt: skip
            if not is_whole(getattr(self, name), least):
                raise InputError(f"{name} must be a whole number of at least {least}, not {getattr(self, name)!r}")
        for name in ("learning_rate", "longest_gradient"):
            if not is_number(getattr(self, name)) or not 0 < getattr(self, name) < np.inf:
                raise InputError(f"{name} must be positive and finite, not {getattr(self, name)!r}")
        for name in ("weight_decay", "row_dropout"):
            if not is_number(getattr(self, name)) or not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, not {getattr(self, name)!r}")

    def _fresh_tables(
        self, data: CaptionSet, words: WordVectors | None, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        width = self.word_factors if data.tokens is None else data.tokens.width
        sides = (("image", self._image_branch, data.images.width), ("caption", self._caption_branch, width))
        tables = {
            f"{side}.{name}": table
            for side, branch, columns in sides
            for name, table in branch.fresh_parameters(columns, self.n_factors, rng).items()
        }
        if self.words_ is None:
            return tables
        table = rng.uniform(-0.1, 0.1, (len(self.words_), width)).astype(np.float32)
        if words is not None:
            if words.factors.shape[1] != width:
                raise InputError(f"words have {words.factors.shape[1]} dimensions, word_factors is {width}")
            found = words.words.find(self.words_)
            table[found >= 0] = words.factors[found[found >= 0]]
        return {"words": table, **tables}

    @property
    def _image_branch(self) -> Branch:
        return Branch(projection=as_projection(self.image_projection), pooling=as_pooling(self.image_pooling))

    @property
    def _caption_branch(self) -> Branch:
        return Branch(projection=as_projection("linear"), pooling=as_pooling(self.caption_pooling))

    def _captions(self, data: CaptionSet) -> Captions:
        if self.words_ is None:
            if data.tokens is None:
                raise InputError("the model was trained on rows of tokens; the data has none")
            return self._token_captions(data.tokens)
        if data.captions is None:
            raise InputError("the model was trained on texts; the data has none")
        return WordCaptions(data.captions, self.words_)

    def _token_captions(self, tokens: Ragged) -> TokenCaptions:
        width = len(self.tables_["caption.projection.weights"])
        if tokens.width != width:
            raise InputError(f"captions must have rows of {width} numbers, not {tokens.width}")
        return TokenCaptions(tokens)

    def _train(
        self,
        data: CaptionSet,
        validation: CaptionSet | None,
        functions: Iterable[Callback | Callable[..., object]],
    ) -> CrossModalRetriever:
        objective = as_objective(self.objective)
        if objective.needs_semantics and self._semantics is None:
            if data.captions is None:
                raise InputError("semantic margins need the captions' texts; the data has rows of tokens only")
            self._semantics = caption_semantics(data.captions)
        captions = self._captions(data)
        if isinstance(captions, WordCaptions) and captions.known_share == 0:
            raise InputError(f"no word of the captions stands min_count={self.min_count} times; lower it")
        if validation is not None:
            self._check_images(validation.images)
            validation_captions = self._captions(validation)
        optimiser = AdamW(self.tables_, self.weight_decay, self.longest_gradient, self._moments)
        self._moments = optimiser.moments
        trainer = RetrievalTrainer(
            data, captions, self.tables_, image_branch=self._image_branch, caption_branch=self._caption_branch,
            objective=objective, semantics=self._semantics, optimiser=optimiser, batch_size=int(self.batch_size),
            row_dropout=self.row_dropout, warmup_epochs=int(self.warmup_epochs), n_threads=self.n_threads,
            seeds=spawned(self._seeds, 1),
        )  # fmt: skip
        first = len(self.history_)
        if first:
            trainer.steps, trainer.seconds = int(self.history_[-1]["steps"]), float(self.history_[-1]["seconds"])

        def rate_at(done: float) -> float:
            return scheduled_rate(self.schedule, self.learning_rate, done, self.n_epochs)

        with following(functions, self, self.n_epochs - first) as callbacks:

            def tell(done: float) -> None:
                for callback in callbacks:
                    callback.during_epoch(self, done)

            for epoch in range(first + 1, self.n_epochs + 1):
                record = trainer.run_epoch(epoch, rate_at, tell)
                if validation is not None:
                    record |= self._evaluate(validation, validation_captions, 1).mean
                    self._keep_if_best(epoch, record["rsum"])
                self.history_.append(record)
                if record["spread"] < _COLLAPSED:
                    warnings.warn(
                        f"epoch {epoch}: the cosines of a batch are nearly equal (spread {record['spread']:.4f}), the "
                        "space has collapsed; raise warmup_epochs, lower learning_rate, or use an objective with more "
                        "negatives",
                        UserWarning,
                        stacklevel=3,
                    )
                if should_stop(callbacks, self, record):
                    break
        if self._best:
            for name, table in self._best.items():
                self.tables_[name][:] = table
        return self

    def _keep_if_best(self, epoch: int, value: float) -> None:
        if value > self._best_value:
            self.best_epoch_, self._best_value = epoch, value
            self._best = {name: table.copy() for name, table in self.tables_.items()}

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
        """
        check_is_fitted(self)
        if isinstance(captions, CaptionSet):
            source, n = self._captions(captions), captions.n_captions
        elif self.words_ is not None:
            texts = [captions] if isinstance(captions, str) else list(captions)
            source, n = WordCaptions(texts, self.words_), len(texts)
        else:
            tokens = Ragged.of(captions, "caption")
            source, n = self._token_captions(tokens), len(tokens)
        return self._embed_captions(source, n)

    def _embed_captions(self, source: Captions, n: int) -> np.ndarray:
        def rows(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found, offsets = source.take(some)
            return source.rows(found, self.tables_), offsets

        return self._embed("caption", self._caption_branch, n, rows)

    def _embed(self, side: str, branch: Branch, n: int, rows: Callable[..., Any]) -> np.ndarray:
        parameters = side_of(self.tables_, side)
        result = np.empty((n, self.n_factors), np.float32)
        with threads(self.n_threads), one_blas_thread():
            for first in range(0, n, _BLOCK):
                some = np.arange(first, min(first + _BLOCK, n))
                found, offsets = rows(some)
                result[some] = branch.forward(found, offsets, parameters)[0]
        return result

    def evaluate(self, data: CaptionSet, *, n_folds: int = 1) -> RetrievalScores:
        """Rank all captions for every image, and all images for every caption; see `evaluate_vectors`."""
        check_is_fitted(self)
        return self._evaluate(data, self._captions(data), n_folds)

    def _evaluate(self, data: CaptionSet, captions: Captions, n_folds: int) -> RetrievalScores:
        return evaluate_vectors(
            self.embed_images(data), self._embed_captions(captions, data.n_captions), data.image_subjects,
            data.caption_subjects, classes=data.classes, n_folds=n_folds,
        )  # fmt: skip

    def find_images(self, text: str, data: CaptionSet, n: int = 10) -> list[Found]:
        """Return the ids of the images of a set that are closest to a text, and their cosines."""
        scores = self.embed_images(data) @ self.embed_captions([text])[0]
        return [Found(data.image_ids[int(i)], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:n]]

    def find_captions(self, image: str, data: CaptionSet, n: int = 10) -> list[Found]:
        """Return the captions of a set that are closest to one of its images, and their cosines."""
        if data.captions is None:
            raise InputError("the set has no texts to be found")
        (row,) = data.image_ids.index([image])
        scores = self.embed_captions(data) @ self.embed_images(data.images.select(np.array([row])))[0]
        return [Found(str(data.captions[i]), float(scores[i])) for i in np.argsort(-scores, kind="stable")[:n]]

    def save(self, path: str | PathLike[str], *, include_optimiser: bool = False) -> None:
        """Write the model to one ``.h5`` file; see ``docs/file-format.md``.

        Parameters
        ----------
        path : str or path
            The file; an existing one is replaced in one stroke.
        include_optimiser : bool
            Whether to write all that `resume` needs: the optimiser's memory, the best parameters so far, and what
            captions are about.
        """
        check_is_fitted(self)
        elements: dict[str, Any] = {
            "class": storage.Json(self.kind),
            "parameters": storage.Json(to_json(self.get_params(deep=False))),
            "arrays": self.tables_,
            "history": self.history_.to_columns(),
            "seed": seeds_to_element(self._seeds),
            "about": storage.Json(
                {**self.provenance_, "image_width": self._image_width, "best_epoch": self.best_epoch_}
            ),
        }
        if self.words_ is not None:
            elements["words"] = self.words_.to_element()
        if include_optimiser:
            elements |= {"moments": self._moments or {}, "best": self._best}
            elements["best_value"] = np.array([self._best_value])
            if self._semantics is not None:
                elements["semantics"] = self._semantics
        storage.write_file(path, "model", elements)

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> Self:
        """Make a model from what `save` wrote."""
        model = cls(**from_json(elements["parameters"]))
        about = dict(elements["about"])
        model._image_width, model.best_epoch_ = int(about.pop("image_width")), int(about.pop("best_epoch"))
        model.provenance_ = about
        model._seeds = seeds_from_element(elements["seed"])
        model.seed_entropy_ = model._seeds.entropy
        model.history_ = History.from_columns(elements["history"])
        model.tables_ = dict(elements["arrays"])
        model.words_ = Vocabulary.from_element(elements["words"], "word") if "words" in elements else None
        model._moments = dict(elements["moments"]) if elements.get("moments") else None
        model._best = dict(elements.get("best", {}))
        model._best_value = float(elements["best_value"][0]) if "best_value" in elements else -np.inf
        model._semantics = elements.get("semantics")
        return model
