"""WordEmbedder: word vectors from running text, by skip-gram or CBOW with any negative sampler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vsenumba.checks import RandomLike
from vsenumba.data.matches import Match
from vsenumba.data.text.corpus import Corpus, as_corpus
from vsenumba.data.text.corpus_parts import whole_corpus
from vsenumba.data.text.reading import LONGEST_SENTENCE
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.kernels.gate import readable
from vsenumba.memory import check_memory
from vsenumba.models.devices import TEXT_DEVICES, device_class, text_trainer_on_cluster
from vsenumba.models.parameters import Choice, Flag, MemberOf, Number, Parameter, Seed, Whole
from vsenumba.models.trained import Trained
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.samplers import Sampler, as_sampler
from vsenumba.storage import schema
from vsenumba.training.callbacks import Callbacks
from vsenumba.training.optimisers import Optimiser, as_optimiser
from vsenumba.training.run import Trainer
from vsenumba.training.schedules import SCHEDULES
from vsenumba.training.text import Architecture, as_architecture
from vsenumba.training.text.draws import DRAWS_PER
from vsenumba.training.text.host import N_SHARDS
from vsenumba.training.text.task import TextTask, text_task
from vsenumba.training.text.trainer import TextTrainer

if TYPE_CHECKING:
    from distributed import Client

# A window takes as long as it has draws, for which every shard has room; more than some dozens are of no use.
_MOST_NEGATIVES, _MOST_DRAWS = 10_000, 100_000


class WordEmbedder(Trained):
    """Learn vectors for words so that words in like company are alike.

    Each step takes a window of text. With skip-gram the word in its middle should score high with every other word of
    the window, with CBOW the mean of the others with the middle; and low with negatives, which the sampler draws.
    With the adaptive sampler this is self-embedded negative sampling: negatives are drawn by what the vectors say now.

    Parameters
    ----------
    architecture : {"skipgram", "cbow"}
        Whether the word in the middle of a window predicts the others, or these the word in the middle.
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
    draws_per : {"pair", "window", "block"}, optional
        For what negatives are drawn: for every pair of words, as in word2vec; for a window, whose pairs share them; or
        for a block of eight windows that follow each other. None for "block" with skip-gram, and for "window" with
        CBOW and where the sampler looks at vectors, as "adaptive" does, which cannot draw for a block.
    n_draws : int, optional
        Negatives drawn at a time: each counts so many times that every pair has `n_negatives`. More make steps steadier
        and slower. None for `n_negatives` a pair; three times as many a window, and six times a block, with skip-gram;
        and twice and four times with CBOW, whose windows are one pair.
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
        Whether the same seed must give bit-equal vectors on the same machine; takes one thread and "cpu".
    device : {"cpu", "cuda"}
        Where to train: "cuda" takes an NVIDIA card (docs/how-to/gpu.md), never chosen by itself. It and
        `n_threads` are not in the model's file: who reads it decides anew.
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
        ``negative_gradient`` (mean length of the gradient in the vector of a negative that counts once).
    tables_, best_, best_epoch_, seed_entropy_, provenance_
        See `Trained`.

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
    subject: ClassVar[str] = "words"
    exports: ClassVar[tuple[str, ...]] = ("words",)
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "architecture": MemberOf("Predict context words (skipgram) or the centre word (cbow).", family=as_architecture),
        "n_factors": Whole("Vector length."),
        # No sentence has more words.
        "window": Whole("Maximum number of context words on each side.", most=LONGEST_SENTENCE),
        "subsample": Number("Randomly skip words whose share of the text is above this value; 0 keeps all."),
        "sampler": MemberOf("Negative sampler.", family=as_sampler),
        "n_negatives": Whole("Number of negatives per pair of words.", most=_MOST_NEGATIVES),
        "draws_per": Choice(
            "Draw new negatives for each pair, window or block of windows.",
            "depends on architecture and sampler",
            names=DRAWS_PER,
        ),
        "n_draws": Whole(
            "Number of negatives to draw for each pair, window or block.",
            "depends on the architecture",
            most=_MOST_DRAWS,
        ),
        "optimiser": MemberOf("Optimiser.", family=as_optimiser),
        "learning_rate": Number("Initial learning rate.", "depends on the architecture", above=0),
        "schedule": Choice("Learning rate schedule.", names=SCHEDULES),
        "n_epochs": Whole("Number of training epochs."),
        "n_threads": Whole("Number of threads.", "all cores", in_file=False),
        "deterministic": Flag("Whether the same seed gives bit-equal vectors; uses one thread."),
        "device": Choice("Device to train on.", names=TEXT_DEVICES, in_file=False),
        "random_state": Seed("Random seed."),
    }

    def __init__(
        self,
        architecture: str = "skipgram",
        n_factors: int = 100,
        window: int = 5,
        subsample: float = 1e-3,
        sampler: Sampler | str = "popularity",
        n_negatives: int = 5,
        draws_per: str | None = None,
        n_draws: int | None = None,
        optimiser: Optimiser | str = "sgd",
        learning_rate: float | None = None,
        schedule: str = "linear",
        n_epochs: int = 5,
        n_threads: int | None = None,
        deterministic: bool = False,
        device: str = "cpu",
        random_state: RandomLike = None,
    ) -> None:
        self.architecture = architecture
        self.n_factors = n_factors
        self.window = window
        self.subsample = subsample
        self.sampler = sampler
        self.n_negatives = n_negatives
        self.draws_per = draws_per
        self.n_draws = n_draws
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.n_epochs = n_epochs
        self.n_threads = n_threads
        self.deterministic = deterministic
        self.device = device
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Refuse parameters that cannot be used; see `Fitted.check_parameters`."""
        super().check_parameters()
        sampler = self.member("sampler")
        if self.draws_per == "block" and sampler.by_vector:
            raise InputError(
                f"{sampler} draws by a window's vector, and so not for a block of windows: "
                "draws_per must be 'window', 'pair' or None"
            )

    def fit(self, X: Any, y: Any = None, *, callbacks: Callbacks = (), client: Client | None = None) -> WordEmbedder:
        """Train afresh.

        Parameters
        ----------
        X : Corpus, or iterable of lists of words
            The text.
        y : None
            Ignored, as scikit-learn's conventions ask for it.
        callbacks : callable, or iterable of them
            Called after every epoch with the model and the epoch's record; see `vsenumba.training.callbacks`.
        client : distributed.Client, optional
            A cluster to train on (docs/how-to/cluster.md); X may then be a path or paths of files that are parts of one
            text: token files, or texts as `Corpus.from_text` reads them.

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
        self.check_parameters()
        corpus = as_corpus(X if client is None else whole_corpus(X))
        self._check_memory(corpus.n_words)
        self._begin()
        return self._train(corpus, self.n_epochs, callbacks, client)

    def _check_memory(self, n_words: int) -> None:
        """Refuse to make tables, and what a launch works in, that do not fit into memory."""
        check_memory(
            4 * int(self.n_factors) * 2 * (n_words + N_SHARDS),
            f"training with n_factors={self.n_factors} on {n_words:,} words",
            "lower n_factors, or leave out rare words",
        )

    def _begin(self) -> None:
        super()._begin()
        self.words_ = Vocabulary([], "word")
        self.counts_ = np.zeros(0, np.int64)

    def partial_fit(self, X: Any, y: Any = None, *, n_epochs: int = 1, callbacks: Callbacks = ()) -> WordEmbedder:
        """Train on with more text; words that are new get vectors of their own, and counts are added up.

        The rate goes through its schedule once more, over these epochs.

        Parameters
        ----------
        X, y, callbacks
            As in `fit`.
        n_epochs : int
            Passes over `X`.

        Returns
        -------
        WordEmbedder
            The model itself.
        """
        self.check_parameters()
        self.PARAMETERS["n_epochs"].check("n_epochs", n_epochs)
        if not hasattr(self, "words_"):
            self._begin()
        self._check_trainable()
        corpus = as_corpus(X)
        self._check_memory(len(self.words_) + int((self.words_.find(corpus.words) < 0).sum()))
        self.best_ = None
        return self._train(corpus, n_epochs, callbacks)

    def resume(self, X: Any, *, callbacks: Callbacks = (), client: Client | None = None) -> WordEmbedder:
        """Go on from a checkpoint to the last of `n_epochs`, with the text of `fit`, as if it had never stopped.

        Parameters
        ----------
        X, callbacks, client
            As in `fit`.

        Raises
        ------
        InputError
            If the model was not saved as a checkpoint is, or `X` is not what it was trained on.
        """
        check_is_fitted(self)
        corpus = as_corpus(X if client is None else whole_corpus(X))
        same = np.array_equal(corpus.counts, self.counts_) and corpus.words == self.words_
        done = self._check_resumable(same and self._began_with(corpus))
        if done >= self.n_epochs:
            return self._ended()
        return self._train_on(corpus, None, self.n_epochs, done, callbacks, client)

    def _train(self, corpus: Corpus, n_epochs: int, callbacks: Callbacks, client: Client | None = None) -> WordEmbedder:
        if corpus.n_tokens == corpus.n_sentences:
            raise InputError(f"there is nothing to learn from: {corpus!r} has no sentence of two words")
        if corpus.n_words < 2 and len(self.words_) == 0:
            raise InputError(f"there is nothing to learn from: the text has one word only, {corpus.words[0]!r}")
        if len(self.words_) == 0:
            self.provenance_["data_sha256"] = corpus.digest()
        return self._train_on(corpus, self._grow(corpus), n_epochs, 0, callbacks, client)

    def _train_on(
        self,
        corpus: Corpus,
        rows: np.ndarray | None,
        n_epochs: int,
        done: int,
        callbacks: Callbacks,
        client: Client | None,
    ) -> WordEmbedder:
        task = text_task(
            self.counts_, LONGEST_SENTENCE, architecture=self._recipe, sampler=self.member("sampler"),
            optimiser=self.member("optimiser"), window=self.window, subsample=self.subsample,
            n_negatives=self.n_negatives, draws_per=self.draws_per, n_draws=self.n_draws,
        )  # fmt: skip
        trainer = self._trainer(corpus, rows, task, client)
        self._run(trainer, n_epochs=n_epochs, done=done, callbacks=callbacks)
        return self

    def _trainer(self, corpus: Corpus, rows: np.ndarray | None, task: TextTask, client: Client | None) -> Trainer:
        tables, sums, seeds = self.tables_, self._memory or {}, self._spawned(1)
        if client is not None:
            # Of a fresh model every word has the row of its own number.
            return text_trainer_on_cluster(self.device, corpus, task, client, tables, sums, seeds, self._threads)
        device = device_class(self.device, TEXT_DEVICES)(task, self._threads)
        return TextTrainer(corpus, rows, task, device, tables, sums, seeds)

    @property
    def _recipe(self) -> Architecture:
        return as_architecture(self.architecture)

    def _grow(self, corpus: Corpus) -> np.ndarray | None:
        """Give every new word a fresh row in each table; return the rows of the corpus's words, None for their own."""
        known = self.words_.find(corpus.words)
        new = np.flatnonzero(known < 0)
        before = len(self.words_)
        known[new] = np.arange(before, before + len(new))
        self.words_ = corpus.words if before == 0 else Vocabulary([*self.words_, *corpus.words.take(new)], "word")
        self.counts_ = np.concatenate([self.counts_, np.zeros(len(new), np.int64)])
        self.counts_[known] += corpus.counts

        def near_zero(fresh: np.ndarray) -> None:
            rng = np.random.default_rng(self._spawned(0, before))
            rng.random(out=fresh, dtype=np.float32)
            fresh -= np.float32(0.5)
            fresh /= np.float32(self.n_factors)

        # As in word2vec: words begin near 0, outputs at 0.
        shape = (len(self.words_), self.n_factors)
        for name, fill in (("word_factors", near_zero), ("output_factors", lambda fresh: fresh.fill(0))):
            self._grow_table(name, shape, fill, self.member("optimiser").fresh_sums(len(self.words_)))
        return None if np.array_equal(known, np.arange(len(known))) else known.astype(np.int32)

    def _sizes(self) -> schema.Sizes:
        return {"n_words": len(self.words_)}

    def _check_tables(self) -> None:
        super()._check_tables()
        readable("counts_", self.counts_, (len(self.words_),), np.int64)

    @property
    def word_vectors_(self) -> WordVectors:
        """The words with their vectors."""
        check_is_fitted(self)
        return WordVectors(self.words_, self.word_factors_)

    def _named_vectors(self, what: str, data: Any) -> tuple[Vocabulary, np.ndarray]:
        check_is_fitted(self)
        return self.words_, self.word_factors_

    def neighbors(self, word: str | int | np.ndarray, n: int = 10) -> list[Match]:
        """Find the words whose vectors have the largest cosine with a word's; see `WordVectors.neighbors`."""
        return self.word_vectors_.neighbors(word, n)

    def analogy(self, a: str, b: str, c: str, n: int = 10, *, method: str = "3cosadd") -> list[Match]:
        """Find what is to c as b is to a; see `WordVectors.analogy`."""
        return self.word_vectors_.analogy(a, b, c, n, method=method)

    def _to_elements(self) -> dict[str, Any]:
        return {"words": self.words_.to_element(), "counts": self.counts_, **super()._to_elements()}

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        named = {"words": schema.Names("n_words"), "counts": schema.Counts("n_words")}
        return schema.check(schema.Elements(named), elements)

    def _table_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("word_factors", "output_factors"), (sizes["n_words"], int(self.n_factors)))

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        self.words_ = Vocabulary.from_element(elements["words"], "word")
        self.counts_ = elements["counts"]
