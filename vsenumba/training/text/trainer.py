"""The Python around the compiled loop over tokens: launches, refreshes, the falling rate, counting."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping

import numpy as np

from vsenumba.data.text.corpus import Corpus
from vsenumba.data.text.reading import LONGEST_SENTENCE
from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.gate import admit, below, readable, segments
from vsenumba.kernels.random import counted_states, spawned
from vsenumba.kernels.threads import thread_count, threads
from vsenumba.samplers import Sampler
from vsenumba.storage import release_pages
from vsenumba.training.divergence import check_finite
from vsenumba.training.optimisers import Optimiser
from vsenumba.training.text.architecture import Architecture
from vsenumba.training.text.draws import DRAWS_PER
from vsenumba.training.text.epoch import WindowWork, run_launch
from vsenumba.training.text.step import LANES
from vsenumba.training.text.tally import (
    DRAWS,
    GRADIENT,
    KEPT,
    LOSS,
    NEGATIVES,
    SKIPPED,
    STEPS,
    TALLY_COLUMNS,
    TRIALS,
)

N_SHARDS = 32

# Tokens of a launch, after which the learning rate falls and Python may be interrupted; at least so many launches an
# epoch where there are enough tokens for it.
_TOKENS_PER_LAUNCH = 400_000
_LEAST_LAUNCHES = 20
_TOKENS_PER_THREAD = 2_000

_CELLS_PER_THREAD = 65_536

# For how many epochs of pairs an epoch of text counts where refreshes become rarer with the epochs. At the pace of the
# first epoch sorting took a third of the time and more with 300 factors; with twice this number vectors were a little
# worse (similarities by .007, two seeds, by hand).
_EPOCHS_OF_TEXT = 6


class TextTrainer:
    """Trains word vectors on a corpus; a `vsenumba.training.run.Trainer`.

    Parameters
    ----------
    corpus : Corpus
        The text.
    rows : (corpus.n_words,) int32 array or None
        The tables' row of each word of the corpus; None where it is the word's own number.
    counts : (W,) int64 array
        How often each row's word stands in all text seen, for subsampling and for popularity.
    tables, sums : mapping from str to array
        ``"word_factors"`` and ``"output_factors"``, (W, k) float32, changed in place; and the optimiser's sums. Arrays
        that cannot be changed are replaced by copies.
    architecture, sampler, optimiser
        What to train with.
    window : int
        The most words on each side.
    subsample : float
        The share of the text above which a word is thinned out; 0 for never.
    n_negatives : int
        Negatives per pair.
    draws_per : {"pair", "window", "block"} or None
        For what negatives are drawn; None for what suits the architecture and the sampler.
    n_draws : int or None
        How many are drawn at a time; None for what suits the architecture.
    n_threads : int or None
        Threads; the draws of samplers that do not look at the tables do not depend on it.
    seeds : numpy.random.SeedSequence
        Epoch e draws from ``SeedSequence(seeds.entropy, spawn_key=(e,))``.
    """

    def __init__(
        self,
        corpus: Corpus,
        rows: np.ndarray | None,
        counts: np.ndarray,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        *,
        architecture: Architecture,
        sampler: Sampler,
        optimiser: Optimiser,
        window: int,
        subsample: float,
        n_negatives: int,
        draws_per: str | None,
        n_draws: int | None,
        n_threads: int | None,
        seeds: np.random.SeedSequence,
    ) -> None:
        self.tables = tables
        self.sums = sums
        self.steps = 0
        self.seconds = 0.0
        self._corpus = corpus
        self._rows = rows
        n_factors = np.shape(tables["word_factors"])[-1]
        counts = readable("counts_", counts, (None,), np.int64)
        self._shapes = dict.fromkeys(("word_factors", "output_factors"), (len(counts), n_factors))
        self._sum_shapes = dict.fromkeys(self._shapes, optimiser.fresh_sums(len(counts)).shape)
        self._architecture = architecture.state()
        self._sampler = sampler
        self._state = sampler.state(counts, n_factors, N_SHARDS)
        self._optimiser = optimiser.state()
        self._window = int(window)
        self._n_negatives = int(n_negatives)
        draws_per = draws_per or ("window" if sampler.by_vector else architecture.draws_per)
        self._draws_per = DRAWS_PER[draws_per]
        self._n_draws = int(n_negatives * architecture.draws_per_negative[draws_per] if n_draws is None else n_draws)
        self._keep = kept_of_each_word(counts, subsample)
        self._n_threads = thread_count(n_threads)
        self._seeds = seeds
        width = architecture.most_positives(self._window) + self._n_draws
        width += -width % LANES
        self._work = WindowWork(
            kept=np.zeros((N_SHARDS, LONGEST_SENTENCE), np.int32),
            vectors=aligned_empty((N_SHARDS, 2, n_factors)),
            words=np.zeros((N_SHARDS, 3, width), np.int32),
            numbers=np.zeros((N_SHARDS, 2, width), np.float32),
            tally=np.zeros((N_SHARDS, TALLY_COLUMNS)),
        )
        # Compile, or load from the cache, before the clock runs.
        self._refresh()
        self._launch(0, 0, 0.0, counted_states(seeds, N_SHARDS))

    def _refresh(self) -> None:
        outputs = self.tables["output_factors"]
        with threads(min(self._n_threads, 1 + outputs.size // _CELLS_PER_THREAD)):
            self._sampler.refresh(self._state, outputs)

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch, at a rate that changes with every launch; see `vsenumba.training.run.Trainer`."""
        started = time.perf_counter()
        work, offsets = self._work, self._corpus.offsets
        work.tally[:] = 0
        states = counted_states(spawned(self._seeds, epoch), N_SHARDS)
        self._refresh()
        refreshes, drawn_before = 1, 0.0
        interval = self._sampler.refresh_interval(len(self._keep), _EPOCHS_OF_TEXT * epoch)
        n_tokens = self._corpus.n_tokens
        launch = max(min(_TOKENS_PER_LAUNCH, n_tokens // _LEAST_LAUNCHES), 1)
        first, done, rate, highest = 0, 0, 0.0, 0.0
        while done < n_tokens:
            if interval is not None and (drawn := work.tally[:, DRAWS].sum()) - drawn_before >= interval:
                self._refresh()
                refreshes, drawn_before = refreshes + 1, drawn
            last = max(int(np.searchsorted(offsets, done + launch, side="right")) - 1, first + 1)
            rate = rate_at(done / n_tokens)
            highest = max(highest, rate)
            self._launch(first, last, rate, states)
            first, done = last, int(offsets[last])
            progress(done / n_tokens)
        self.seconds += time.perf_counter() - started
        check_finite(self.tables, epoch, highest)
        return self._record(epoch, rate, 0 if interval is None else refreshes)

    def _launch(self, first: int, last: int, learning_rate: float, states: np.ndarray) -> None:
        """Train on the sentences first..last-1."""
        # Copies: for a map of a file, which is read-only, the kernel would be compiled once more.
        offsets = np.array(self._corpus.offsets[first : last + 1])
        tokens = np.array(self._corpus.tokens[offsets[0] : offsets[-1]])
        for mapped in (self._corpus.tokens, self._corpus.offsets):
            release_pages(mapped)
        tokens = below("the text's tokens", tokens, len(self._keep if self._rows is None else self._rows))
        if self._rows is not None:
            tokens = self._rows[tokens]
        segments("the text's offsets", offsets - offsets[0], len(tokens), last - first)
        admit("tables_", self.tables, self._shapes)
        admit("the optimiser's sums", self.sums, self._sum_shapes)
        shares = offsets[0] + len(tokens) * np.arange(1, N_SHARDS) // N_SHARDS
        bounds = np.concatenate(([0], np.searchsorted(offsets[:-1], shares), [last - first]))
        with threads(min(self._n_threads, 1 + len(tokens) // _TOKENS_PER_THREAD)):
            run_launch(
                tokens, offsets, bounds, self._keep, self._window, self.tables["word_factors"],
                self.sums["word_factors"], self.tables["output_factors"], self.sums["output_factors"],
                self._architecture, self._state, self._optimiser, np.float32(learning_rate), self._draws_per,
                self._n_draws, self._n_negatives, states, self._work,
            )  # fmt: skip

    def _record(self, epoch: int, learning_rate: float, refreshes: int) -> dict[str, float]:
        tally = self._work.tally.sum(axis=0)
        steps = max(tally[STEPS], 1)
        self.steps += int(tally[STEPS])
        return {
            "epoch": epoch,
            "seconds": self.seconds,
            "steps": self.steps,
            "skipped": int(tally[SKIPPED]),
            "loss": float(tally[LOSS] / steps),
            "tokens": self._corpus.n_tokens,
            "kept": int(tally[KEPT]),
            "negative_gradient": float(tally[GRADIENT] / max(tally[NEGATIVES], 1)),
            "trials": float(tally[TRIALS] / max(tally[DRAWS], 1)),
            "refreshes": refreshes,
            "learning_rate": learning_rate,
        }


def kept_of_each_word(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Return how many of 2^32 tokens of each word are trained on, (W,) uint64.

    A word that makes up the share f of the text is kept with probability ``sqrt(t / f) + t / f``, at most 1, t being
    `subsample`: the rule of word2vec's code, which is milder than its paper's.
    """
    share = counts / max(counts.sum(), 1)
    with np.errstate(divide="ignore"):
        relative = subsample / share if subsample > 0 else np.full(len(counts), np.inf)
    return (np.minimum(np.sqrt(relative) + relative, 1.0) * 2.0**32).astype(np.uint64)
