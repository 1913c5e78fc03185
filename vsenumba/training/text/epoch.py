"""The compiled loop over tokens, for every architecture, sampler and optimiser.

Shards of sentences run in parallel and update the tables without locks, as in `vsenumba.training.annotation.epoch`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.kernels.random import begin_draws, next_below, next_bits
from vsenumba.training.text.architecture import gather_window, scatter_window
from vsenumba.training.text.draws import BLOCK, PER_PAIR, PER_WINDOW, THINNING, WINDOWS, draw_negatives
from vsenumba.training.text.step import train_words
from vsenumba.training.text.tally import KEPT

# Memory is prefetched for the word that comes this number of places after the longest window.
_AHEAD = 2


class WindowWork(NamedTuple):
    """The work space of all shards.

    Attributes
    ----------
    kept : (n_shards, longest sentence) int32
        The words of a sentence that subsampling keeps.
    vectors : (n_shards, 2, k) float32
        The vector of the window, and its gradient.
    words : (n_shards, 3, positives + negatives) int32
        The chosen words (the negatives, then the positives), and the window's positives, as they come and sorted.
    numbers : (n_shards, 2, positives + negatives) float32
        The gradients and the losses of the chosen words.
    tally : (n_shards, TALLY_COLUMNS) float64
        The counts; see `vsenumba.training.text.tally`.
    """

    kept: np.ndarray
    vectors: np.ndarray
    words: np.ndarray
    numbers: np.ndarray
    tally: np.ndarray


@kernel(parallel=True)
def run_launch(
    tokens, offsets, bounds, keep, window, inputs, input_sums, outputs, output_sums, architecture, sampler, optimiser,
    learning_rate, draws_per, n_draws, n_negatives, states, work,
):  # fmt: skip
    """Train on the sentences of `offsets`; shard s trains on those from ``bounds[s]`` to ``bounds[s + 1] - 1``.

    Parameters
    ----------
    tokens, offsets : (n,) int32, (n_sentences + 1,) int64
        Sentence i is ``tokens[offsets[i] - offsets[0]:offsets[i + 1] - offsets[0]]``.
    bounds : (n_shards + 1,) int64
        The parts of the shards.
    keep : (W,) uint64
        How many of 2^32 tokens of each word are kept.
    window : int
        The largest number of words on each side. The number is drawn for each centre, from 1 to `window`.
    inputs, input_sums : (W, k) float32, (W,) or (0,) float32
        The word factors, and the optimiser's sums of them.
    outputs, output_sums : (W, k) float32, (W,) or (0,) float32
        The output factors, and the optimiser's sums of them.
    architecture, sampler, optimiser : NamedTuple
        States; their classes select the implementation.
    learning_rate : float32
        The learning rate.
    draws_per : int
        The number of windows that share a draw of negatives; 0 for a draw per pair; see `vsenumba.training.text.draws`.
    n_draws, n_negatives : int
        The number of negatives in a draw, and the weight of the negatives of each positive.
    states : (n_shards, 8) uint64
        The random states, with the key of the epoch.
    work : WindowWork
        The work space of the shards.
    """
    for number in prange(bounds.shape[0] - 1):
        # Else compiled twice, as in `vsenumba.training.annotation.epoch`.
        shard = np.int64(number)
        for sentence in range(bounds[shard], bounds[shard + 1]):
            run_sentence(
                tokens, offsets[sentence], offsets[sentence] - offsets[0], offsets[sentence + 1] - offsets[0], keep,
                window, inputs, input_sums, outputs, output_sums, architecture, sampler, optimiser, learning_rate,
                draws_per, n_draws, n_negatives, states, shard, work.kept[shard], work.vectors[shard, 0],
                work.vectors[shard, 1], work.words[shard, 0], work.words[shard, 1], work.words[shard, 2],
                work.numbers[shard, 0], work.numbers[shard, 1], work.tally[shard],
            )  # fmt: skip


@kernel
def run_sentence(
    tokens, number, begin, end, keep, window, inputs, input_sums, outputs, output_sums, architecture, sampler,
    optimiser, learning_rate, draws_per, n_draws, n_negatives, states, shard, kept, vector, gradient, chosen, positives,
    own, grads, losses, tally,
):  # fmt: skip
    """Train on every window of the sentence ``tokens[begin:end]``; the text has `number` tokens before it."""
    n_kept = 0
    begin_draws(states, shard, number, THINNING)
    for t in range(begin, end):
        word = tokens[t]
        if next_bits(states, shard) < keep[word]:
            kept[n_kept] = word
            n_kept += 1
    tally[KEPT] += n_kept
    n_drawn = 0
    for at in range(n_kept):
        if at % BLOCK == 0:
            begin_draws(states, shard, number + at, WINDOWS)
        reach = 1 + next_below(states, shard, window)
        first, last = max(0, at - reach), min(n_kept, at + reach + 1)
        # The next new word of a window is the one at its end.
        coming = at + window + _AHEAD
        if coming < n_kept:
            prefetch_row(inputs, kept[coming])
            prefetch_row(outputs, kept[coming])
        # If every pair has its own draw, a round trains on one pair. Otherwise it trains on all pairs of the window.
        n_done, n_positives = 0, min(last - first - 1, 1)
        while n_done < n_positives:
            n_positives = gather_window(architecture, inputs, kept, at, first, last, vector, positives)
            n_taken = 1 if draws_per == PER_PAIR else n_positives
            if draws_per <= PER_WINDOW or at % draws_per == 0:
                # All windows of a block share its draws, so a positive of one window may be a negative of another.
                n_excluded = n_taken if draws_per <= PER_WINDOW else 0
                n_drawn = draw_negatives(
                    sampler, states, shard, vector, outputs, own, positives, n_done, n_done + n_excluded, n_draws,
                    chosen, tally,
                )  # fmt: skip
            for j in range(n_taken):
                chosen[n_drawn + j] = positives[n_done + j]
            train_words(
                vector, gradient, outputs, output_sums, optimiser, learning_rate, chosen, n_drawn, n_drawn + n_taken,
                np.float32(n_negatives * n_taken) / np.float32(n_draws), grads, losses, tally,
            )  # fmt: skip
            scatter_window(
                architecture, inputs, input_sums, optimiser, learning_rate, kept, at, first, last, gradient
            )  # fmt: skip
            n_done += n_taken
