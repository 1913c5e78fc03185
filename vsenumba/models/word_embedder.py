"""WordEmbedder: word vectors from running text, by skip-gram or CBOW with any negative sampler."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from vsenumba import storage
from vsenumba.checks import is_number, is_whole
from vsenumba.data.corpus import Corpus, as_corpus
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.data.word_vectors import Neighbor, WordVectors
from vsenumba.errors import InputError
from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.random import RandomLike, seed_sequence
from vsenumba.models.parameters import from_json, to_json
from vsenumba.models.seeds import seeds_from_element, seeds_to_element, spawned
from vsenumba.samplers import Sampler, as_sampler
from vsenumba.training.callbacks import Callback, following, should_stop
from vsenumba.training.history import History
from vsenumba.training.optimisers import Optimiser, as_optimiser
from vsenumba.training.schedules import scheduled_rate
from vsenumba.training.windows import as_architecture
from vsenumba.training.windows.trainer import WindowTrainer


class WordEmbedder(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learn vectors for words so that words in like company are alike.

    Each step takes a window of text. With skip-gram the word in its middle should score high with every other word of
    the window, with CBOW the mean of the others with the middle; and low with negatives, which the sampler draws.
    With the adaptive sampler this is self-embedded negative sampling: negatives are drawn by what the vectors say now.

    Parameters
    ----------
    architecture : {"skipgram", "cbow"}
        What foretells what.
    n_factors : int
        Length of the vectors.
    window : int
        The most words on each side; how many it is, is drawn for each window, so that near words count more.
    subsample : float
        Words that make up more than this share of the text are thinned out, as in word2vec; 0 for none.
    sampler : Sampler or str
        Where negatives come from: "popularity" as in word2vec, "adaptive", "uniform", "dynamic", ...
    n_negatives : int
        Negatives per pair of words.
    n_draws : int, optional
        Negatives drawn for a window, which its pairs share: each counts so many times that every pair has
        `n_negatives`. More make steps steadier and slower. None for three times `n_negatives` with skip-gram, and twice
        with CBOW, whose windows are one pair.
    optimiser : Optimiser or str
        "sgd" as in word2vec, or "adagrad" (one sum per row).
    learning_rate : float, optional
        The first rate; None for 0.05 with skip-gram and 0.15 with CBOW.
    schedule : {"linear", "cosine", "constant", "step"}
        How the rate falls with the words trained on.
    n_epochs : int
        Passes over the text.
    n_threads : int, optional
        Threads; None for all. With more than one, two runs with one seed differ a little, as updates are lock-free.
    deterministic : bool
        Whether the same seed must give bit-equal vectors on the same machine, which takes one thread.
    random_state : int, Generator, SeedSequence or None
        Where the randomness comes from; None for fresh entropy.

    Attributes
    ----------
    words_ : Vocabulary
        The words, those of the first text most frequent first.
    counts_ : (n_words,) int64 array
        How often each stood in the text.
    word_factors_ : (n_words, n_factors) float32 array
        The words' vectors.
    output_factors_ : (n_words, n_factors) float32 array
        What a window's vector is compared with.
    word_vectors_ : WordVectors
        The words with their vectors, to be asked and saved for other programs.
    history_ : History
        One record per epoch: also ``tokens`` and ``kept`` (words of the text, and what subsampling left of them) and
        ``negative_gradient`` (mean length of the gradient in a negative's vector).
    seed_entropy_ : int
        What the randomness was seeded with.

    References
    ----------
    Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", NIPS 2013.
    Chen et al., "Improving Negative Sampling for Word Representation using Self-embedded Features", WSDM 2018.

    Examples
    --------
    >>> from vsenumba import WordEmbedder
    >>> text = [["a", "cat", "sat", "on", "a", "mat"], ["a", "dog", "sat", "on", "a", "log"]]
    >>> model = WordEmbedder(n_factors=8, n_epochs=2, random_state=0).fit(text)
    >>> model.word_factors_.shape
    (7, 8)
    """

    kind: ClassVar[str] = "word-embedder"

    def __init__(
        self,
        architecture: str = "skipgram",
        n_factors: int = 100,
        window: int = 5,
        subsample: float = 1e-3,
        sampler: Sampler | str = "popularity",
        n_negatives: int = 5,
        n_draws: int | None = None,
        optimiser: Optimiser | str = "sgd",
        learning_rate: float | None = None,
        schedule: str = "linear",
        n_epochs: int = 5,
        n_threads: int | None = None,
        deterministic: bool = False,
        random_state: RandomLike = None,
    ) -> None:
        self.architecture = architecture
        self.n_factors = n_factors
        self.window = window
        self.subsample = subsample
        self.sampler = sampler
        self.n_negatives = n_negatives
        self.n_draws = n_draws
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.n_epochs = n_epochs
        self.n_threads = n_threads
        self.deterministic = deterministic
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, callbacks: Iterable[Callback | Callable[..., object]] = ()) -> WordEmbedder:
        """Train afresh.

        Parameters
        ----------
        X : Corpus, or iterable of lists of words
            The text.
        y : None
            Ignored, as scikit-learn's conventions ask for it.
        callbacks : iterable of callables
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.

        Returns
        -------
        WordEmbedder
            The model itself.

        Raises
        ------
        InputError
            If the text or a parameter cannot be used.
        TrainingDivergedError
            If a table becomes NaN or infinite.
        """
        self._begin()
        return self._train(as_corpus(X), self.n_epochs, callbacks)

    def _begin(self) -> None:
        self._check_parameters()
        self._seeds = seed_sequence(self.random_state, "random_state")
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History()
        self.words_ = Vocabulary([], "word")
        self.counts_ = np.zeros(0, np.int64)
        self.tables_: dict[str, np.ndarray] = {}
        self._sums: dict[str, np.ndarray] = {}

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        n_epochs: int = 1,
        callbacks: Iterable[Callback | Callable[..., object]] = (),
    ) -> WordEmbedder:
        """Train on with more text; words that are new get vectors of their own, and counts are added up.

        Parameters
        ----------
        X, y, callbacks
            As in `fit`.
        n_epochs : int
            Passes over `X`; the rate falls over them as it did in `fit`.

        Returns
        -------
        WordEmbedder
            The model itself.
        """
        if not hasattr(self, "words_"):
            self._begin()
        self._check_parameters()
        return self._train(as_corpus(X), n_epochs, callbacks)

    def _check_parameters(self) -> None:
        as_architecture(self.architecture)
        as_sampler(self.sampler)
        as_optimiser(self.optimiser)
        scheduled_rate(self.schedule, 1.0, 0, 1)
        for name in ("n_factors", "window", "n_negatives", "n_draws", "n_epochs"):
            value = getattr(self, name)
            if not (is_whole(value) or (value is None and name == "n_draws")):
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        if not is_number(self.subsample) or not 0 <= self.subsample < np.inf:
            raise InputError(f"subsample must be finite and not negative, not {self.subsample!r}")
        if self.learning_rate is not None and not 0 < self.learning_rate < np.inf:
            raise InputError(f"learning_rate must be positive and finite, not {self.learning_rate!r}")
        if self.deterministic and self.n_threads not in (None, 1):
            warnings.warn(f"deterministic=True reduces n_threads={self.n_threads} to 1", UserWarning, stacklevel=3)

    def _train(
        self, corpus: Corpus, n_epochs: int, functions: Iterable[Callback | Callable[..., object]]
    ) -> WordEmbedder:
        if corpus.n_tokens == corpus.n_sentences:
            raise InputError(f"there is nothing to learn from: {corpus!r} has no sentence of two words")
        if corpus.n_words < 2 and len(self.words_) == 0:
            raise InputError(f"there is nothing to learn from: the text has one word only, {corpus.words[0]!r}")
        rows = self._grow(corpus)
        architecture = as_architecture(self.architecture)
        first_rate = architecture.learning_rate if self.learning_rate is None else self.learning_rate
        first = len(self.history_)
        with following(functions, self, n_epochs) as callbacks:
            trainer = WindowTrainer(
                corpus, rows, self.counts_, self.tables_, self._sums, architecture=architecture,
                sampler=as_sampler(self.sampler), optimiser=as_optimiser(self.optimiser), window=self.window,
                subsample=self.subsample, n_negatives=self.n_negatives, n_draws=self.n_draws,
                n_threads=1 if self.deterministic else self.n_threads, seeds=spawned(self._seeds, 1),
            )  # fmt: skip
            if first:
                trainer.steps, trainer.seconds = int(self.history_[-1]["steps"]), float(self.history_[-1]["seconds"])

            def rate_at(done: float) -> float:
                return scheduled_rate(self.schedule, first_rate, done, n_epochs)

            def tell(done: float) -> None:
                for callback in callbacks:
                    callback.during_epoch(self, done)

            for epoch in range(n_epochs):
                record = trainer.run_epoch(first + epoch + 1, epoch, rate_at, tell)
                self.history_.append(record)
                if should_stop(callbacks, self, record):
                    break
        return self

    def _grow(self, corpus: Corpus) -> np.ndarray | None:
        """Give every new word a fresh row in each table; return the rows of the corpus's words, None for their own."""
        known = self.words_.find(corpus.words)
        new = np.flatnonzero(known < 0)
        before = len(self.words_)
        known[new] = np.arange(before, before + len(new))
        self.words_ = corpus.words if before == 0 else Vocabulary([*self.words_, *corpus.words.take(new)], "word")
        self.counts_ = np.concatenate([self.counts_, np.zeros(len(new), np.int64)])
        self.counts_[known] += corpus.counts
        optimiser = as_optimiser(self.optimiser)
        shape = (len(self.words_), self.n_factors)
        for name in ("word_factors", "output_factors"):
            old = self.tables_.get(name, np.zeros((0, self.n_factors), np.float32))
            table = aligned_empty(shape)
            table[:before] = old
            table[before:] = 0
            self.tables_[name] = table
            sums = self._sums.get(name, optimiser.fresh_sums(0))
            self._sums[name] = np.concatenate([sums, optimiser.fresh_sums(len(new))])
        # As in word2vec: words begin near 0, outputs at 0.
        rng = np.random.default_rng(spawned(self._seeds, 0, before))
        fresh = self.tables_["word_factors"][before:]
        rng.random(out=fresh, dtype=np.float32)
        fresh -= np.float32(0.5)
        fresh /= np.float32(self.n_factors)
        self._show_tables()
        return None if np.array_equal(known, np.arange(len(known))) else known.astype(np.int32)

    def _show_tables(self) -> None:
        self.word_factors_ = self.tables_["word_factors"]
        self.output_factors_ = self.tables_["output_factors"]

    @property
    def word_vectors_(self) -> WordVectors:
        """The words with their vectors."""
        check_is_fitted(self)
        return WordVectors(self.words_, self.word_factors_)

    def neighbors(self, word: str | np.ndarray, n: int = 10) -> list[Neighbor]:
        """Find the words whose vectors have the largest cosine with a word's; see `WordVectors.neighbors`."""
        return self.word_vectors_.neighbors(word, n)

    def analogy(self, a: str, b: str, c: str, n: int = 10, *, method: str = "3cosadd") -> list[Neighbor]:
        """Find what is to c as b is to a; see `WordVectors.analogy`."""
        return self.word_vectors_.analogy(a, b, c, n, method=method)

    def save(self, path: str | PathLike[str], *, include_optimiser: bool = False) -> None:
        """Write the model to one ``.h5`` file; see ``docs/file-format.md``.

        Parameters
        ----------
        path : str or path
            The file; an existing one is replaced in one stroke.
        include_optimiser : bool
            Whether to write the optimiser's memory too, without which `partial_fit` starts it afresh.
        """
        check_is_fitted(self)
        elements = {
            "class": storage.Json(self.kind),
            "parameters": storage.Json(to_json(self.get_params(deep=False))),
            "words": self.words_.to_element(),
            "counts": self.counts_,
            "arrays": self.tables_,
            "history": self.history_.to_columns(),
            "seed": seeds_to_element(self._seeds),
        }
        extra = {"optimiser_sums": self._sums} if include_optimiser else {}
        storage.write_file(path, "model", {**elements, **extra})

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> Self:
        """Make a model from what `save` wrote."""
        model = cls(**from_json(elements["parameters"]))
        model._seeds = seeds_from_element(elements["seed"])
        model.seed_entropy_ = model._seeds.entropy
        model.history_ = History.from_columns(elements["history"])
        model.words_ = Vocabulary.from_element(elements["words"], "word")
        model.counts_ = elements["counts"]
        model.tables_ = dict(elements["arrays"])
        optimiser = as_optimiser(model.optimiser)
        fresh = {name: optimiser.fresh_sums(len(table)) for name, table in model.tables_.items()}
        model._sums = dict(elements.get("optimiser_sums", fresh))
        model._show_tables()
        return model
