"""Word vectors on a GPU: a group of lanes trains on a block of a sentence's windows, one window after another.

Most of the row updates of a block are updates of its negatives. They are added up in the group's shared memory while
windows are compared with these negatives, and are added to the table before the next draw (Randall, Allen & Ge, ICS
2021, "FULL-W2V"). The rows of the negatives themselves are read from the cache, because the same group reads them again
and again.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import float32, float64, uint64

from vsenumba.gpu.backend import cuda, device_function
from vsenumba.gpu.group import LANES, add_at, begin_sharing, count, end_sharing, from_lane, lane, together, total
from vsenumba.gpu.inputs import rate_for_all
from vsenumba.gpu.layout import ROOM_ROWS, Room
from vsenumba.gpu.sampling import aim_by_group, dot_by_group, draw_by_group
from vsenumba.kernels.compiler import dispatched
from vsenumba.kernels.logistic import logistic
from vsenumba.kernels.random import HIGH_KEY, LOW_KEY, begin_draws, next_below, next_bits
from vsenumba.training.text.cbow import CbowState
from vsenumba.training.text.draws import BLOCK, PER_PAIR, PER_WINDOW, THINNING, WINDOWS
from vsenumba.training.text.skipgram import SkipGramState
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

# The rows of a group's work space for words: the drawn negatives, the positives of a window in their order, and the
# sorted positives.
CHOSEN, POSITIVES, OWN = range(3)
WORD_ROWS = 3


class Text(NamedTuple):
    """The sentences of a launch.

    Attributes
    ----------
    tokens, offsets : (n,) int32, (n_sentences + 1,) int64
        The table rows of the words, and the start of each sentence, counted from the start of the whole text.
    kept, n_kept : (n,) int32, (n_sentences,) int32
        The words of each sentence that subsampling keeps, and their number. The first kernel writes them.
    blocks : (n_blocks,) int32
        The sentence of every block of windows. The blocks of a sentence follow each other.
    first_block : (n_sentences,) int64
        The first block of each sentence.
    """

    tokens: Any
    offsets: Any
    kept: Any
    n_kept: Any
    blocks: Any
    first_block: Any


class Windows(NamedTuple):
    """The settings of windows: their size, and the number and weight of their negatives; see `TextTask`."""

    architecture: Any
    sampler: Any
    window: Any
    draws_per: Any
    n_draws: Any
    n_negatives: Any


@cuda.jit
def thin_out(text, keep, key, tally):
    """Subsample the words, one thread per sentence. Each token of a word is kept with probability `keep` / 2^32."""
    states = cuda.local.array((1, 3), uint64)
    states[0, LOW_KEY], states[0, HIGH_KEY] = key[0], key[1]
    first, step = cuda.grid(1), cuda.gridsize(1)
    for sentence in range(first, text.n_kept.shape[0], step):
        begin, end = text.offsets[sentence] - text.offsets[0], text.offsets[sentence + 1] - text.offsets[0]
        begin_draws(states, 0, text.offsets[sentence], THINNING)
        n_kept = 0
        for t in range(begin, end):
            word = text.tokens[t]
            if next_bits(states, 0) < keep[word]:
                text.kept[begin + n_kept] = word
                n_kept += 1
        text.n_kept[sentence] = n_kept
        cuda.atomic.add(tally, KEPT, float64(n_kept))


@functools.lru_cache
def windows_for(rounds, per_block, n_draws):
    """Return the kernel for rows of ``rounds * LANES`` numbers, with `per_block` groups per block.

    The kernel's parameters are:

    text, windows : Text, Windows
        The sentences and the settings of windows.
    inputs, outputs : Labels
        The word factors and the output factors; see `vsenumba.gpu.layout`.
    key : (2,) uint64
        The key of the epoch.
    words : (n_groups, WORD_ROWS, n) int32
        The groups' work space for words.
    tally : (n_groups, TALLY_COLUMNS) float64
        The groups' counts.
    """
    shape, tally_shape = (per_block, ROOM_ROWS, rounds * LANES), (per_block, TALLY_COLUMNS)
    moved_shape = (per_block, n_draws, rounds * LANES)

    def run_launch(text, windows, inputs, outputs, key, words, tally):
        begin_sharing()
        shared = cuda.shared.array(shape, float32)
        moved = cuda.shared.array(moved_shape, float32)
        tallies = cuda.shared.array(tally_shape, float64)
        end_sharing()
        rows = shared[cuda.threadIdx.y]
        room = Room(rows[0], rows[1], rows[2], rows[3], lane(), outputs.table.shape[1] // LANES)
        states = cuda.local.array((1, 3), uint64)
        states[0, LOW_KEY], states[0, HIGH_KEY] = key[0], key[1]
        counts = tallies[cuda.threadIdx.y]
        if room.lane == 0:
            counts[:] = 0
        group = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
        for block in range(group, text.blocks.shape[0], cuda.gridDim.x * cuda.blockDim.y):
            sentence = text.blocks[block]
            at = BLOCK * (block - text.first_block[sentence])
            if at < text.n_kept[sentence]:
                train_block(
                    text, sentence, at, windows, inputs, outputs, room, moved[cuda.threadIdx.y], states, words[group],
                    group, counts,
                )  # fmt: skip
        if room.lane == 0:
            for column in range(TALLY_COLUMNS):
                tally[group, column] += counts[column]

    return cuda.jit(run_launch)


@device_function
def train_block(text, sentence, start, windows, inputs, outputs, room, moved, states, words, group, tally):
    """Train on up to `BLOCK` windows of a sentence, whose centres are its kept words from `start` on."""
    begin, n_kept = text.offsets[sentence] - text.offsets[0], np.int64(text.n_kept[sentence])
    kept = text.kept[begin : begin + n_kept]
    begin_draws(states, 0, text.offsets[sentence] + start, WINDOWS)
    n_drawn = 0
    for at in range(start, min(start + BLOCK, n_kept)):
        reach = 1 + next_below(states, 0, windows.window)
        first, last = max(0, at - reach), min(n_kept, at + reach + 1)
        n_done, n_positives = 0, min(last - first - 1, 1)
        while n_done < n_positives:
            n_positives = open_window(windows.architecture, inputs, kept, at, first, last, room, words[POSITIVES])
            n_taken = 1 if windows.draws_per == PER_PAIR else n_positives
            if windows.draws_per <= PER_WINDOW or at == start:
                # All windows of a block share its draws, so a positive of one window may be a negative of another.
                n_excluded = n_taken if windows.draws_per <= PER_WINDOW else 0
                n_drawn = draw_words(
                    windows, outputs, room, moved, n_drawn, states, words, n_done, n_done + n_excluded, group, tally
                )
            weight = np.float32(windows.n_negatives * n_taken) / np.float32(windows.n_draws)
            train_window(outputs, room, moved, words, n_drawn, n_done, n_done + n_taken, weight, tally)
            close_window(windows.architecture, inputs, kept, at, first, last, room)
            n_done += n_taken
    put_back(outputs, room, moved, words[CHOSEN], n_drawn)


@device_function
def put_back(outputs, room, moved, chosen, n_drawn):
    """Add the collected updates of the drawn rows to the table."""
    for j in range(n_drawn):
        row = outputs.table[chosen[j]]
        for r in range(room.rounds):
            f = LANES * r + room.lane
            add_at(row, f, moved[j, f])
    together()


@device_function
def draw_words(windows, outputs, room, moved, n_before, states, words, first, last, group, tally):
    """Write back the updates of the last draw, and draw negatives that differ from the positives first..last-1.

    The function returns the number of negatives.
    """
    chosen, positives, own = words[CHOSEN], words[POSITIVES], words[OWN]
    put_back(outputs, room, moved, chosen, n_before)
    n_own = 0
    if room.lane == 0:
        for j in range(first, last):
            place = n_own
            while place > 0 and own[place - 1] > positives[j]:
                place -= 1
            if place == 0 or own[place - 1] != positives[j]:
                for i in range(n_own, place, -1):
                    own[i] = own[i - 1]
                own[place] = positives[j]
                n_own += 1
    n_own = from_lane(n_own, 0)
    together()
    n_drawn = 0
    aimed = aim_by_group(windows.sampler, room)
    for j in range(windows.n_draws):
        pair = positives[first + j % max(last - first, 1)]
        word, trials = draw_by_group(aimed, states, group, room, outputs.table, own, 0, n_own, pair)
        count(room, tally, TRIALS, trials)
        if word >= 0:
            for r in range(room.rounds):
                moved[n_drawn, LANES * r + room.lane] = 0
            if room.lane == 0:
                chosen[n_drawn] = word
            n_drawn += 1
    count(room, tally, DRAWS, windows.n_draws)
    count(room, tally, SKIPPED, windows.n_draws - n_drawn)
    together()
    return n_drawn


@device_function
def train_window(outputs, room, moved, words, n_drawn, first, last, weight, tally):
    """Update the drawn rows and the positives first..last-1; leave the gradient of the vector in ``room.pull``."""
    square = np.float32(0)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        square += room.vector[f] * room.vector[f]
        room.pull[f] = 0
    square = total(square)
    loss, slopes, n_counted = np.float32(0), np.float32(0), 0
    for j in range(n_drawn):
        other = np.float32(1)
        for i in range(first, last):
            other = np.float32(0) if words[POSITIVES, i] == words[CHOSEN, j] else other
        row, part = outputs.table[words[CHOSEN, j]], np.float32(0)
        for r in range(room.rounds):
            f = LANES * r + room.lane
            part += room.vector[f] * (row[f] + moved[j, f])
        sigma, value = logistic(total(part))
        grad = weight * other * sigma
        loss += weight * other * value
        slopes += grad
        n_counted += grad > 0
        step = grad * rate_of(outputs, room, words[CHOSEN, j], grad * grad * square)
        for r in range(room.rounds):
            f = LANES * r + room.lane
            room.pull[f] += grad * (row[f] + moved[j, f])
            moved[j, f] -= step * room.vector[f]
    for i in range(first, last):
        row = outputs.table[words[POSITIVES, i]]
        sigma, value = logistic(-dot_by_group(room, outputs.table, words[POSITIVES, i]))
        loss += value
        step = -sigma * rate_of(outputs, room, words[POSITIVES, i], sigma * sigma * square)
        for r in range(room.rounds):
            f = LANES * r + room.lane
            room.pull[f] -= sigma * row[f]
            add_at(row, f, -step * room.vector[f])
    count(room, tally, STEPS, last - first)
    count(room, tally, LOSS, loss)
    count(room, tally, NEGATIVES, n_counted)
    count(room, tally, GRADIENT, slopes / weight * math.sqrt(square))
    together()


@device_function
def rate_of(table, room, word, square):
    """Return the learning rate of a word's row; `square` is the squared length of its gradient."""
    return rate_for_all(room, table.optimiser, table.rate, table.sums, word, square / np.float32(table.n_factors))


@dispatched
def open_window(architecture, inputs, kept, at, first, last, room, positives):
    """Write a window's vector and its positives, and return the number of positives; see `gather_window`."""
    raise TypeError(f"no GPU version of an architecture uses the state {type(architecture).__name__}")


@dispatched
def close_window(architecture, inputs, kept, at, first, last, room):
    """Update the word factors with the gradient of the window's vector; see `scatter_window`."""
    raise TypeError(f"no GPU version of an architecture uses the state {type(architecture).__name__}")


@open_window.implement(SkipGramState)
def _open_at_centre(architecture, inputs, kept, at, first, last, room, positives):
    row = inputs.table[kept[at]]
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.vector[f] = row[f]
    for i in range(first + room.lane, last, LANES):
        if i != at:
            positives[i - first - (i > at)] = kept[i]
    together()
    return last - first - 1


@close_window.implement(SkipGramState)
def _close_at_centre(architecture, inputs, kept, at, first, last, room):
    square = np.float32(0)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        square += room.pull[f] * room.pull[f]
    rate = rate_of(inputs, room, kept[at], total(square))
    row = inputs.table[kept[at]]
    for r in range(room.rounds):
        f = LANES * r + room.lane
        add_at(row, f, -rate * room.pull[f])
    together()


@open_window.implement(CbowState)
def _open_at_others(architecture, inputs, kept, at, first, last, room, positives):
    share = np.float32(1) / np.float32(last - first - 1)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        part = np.float32(0)
        for i in range(first, last):
            if i != at:
                part += inputs.table[kept[i], f]
        room.vector[f] = share * part
    if room.lane == 0:
        positives[0] = kept[at]
    together()
    return 1


@close_window.implement(CbowState)
def _close_at_others(architecture, inputs, kept, at, first, last, room):
    share = np.float32(1) / np.float32(last - first - 1)
    square = np.float32(0)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.pull[f] *= share
        square += room.pull[f] * room.pull[f]
    square = total(square)
    for i in range(first, last):
        if i != at:
            rate = rate_of(inputs, room, kept[i], square)
            row = inputs.table[kept[i]]
            for r in range(room.rounds):
                f = LANES * r + room.lane
                add_at(row, f, -rate * room.pull[f])
    together()
