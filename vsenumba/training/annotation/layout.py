"""The work space of a shard: what stands in which row of which matrix.

A shard trains the pairs of a *block* together, those of several images or some of one image's. A *step* is a pair of
the block with a negative; a *slot* is a row of `Work.vectors` that holds the vector of an image. The steps of an image
share one slot, or each has a slot of its own where an image's vector depends on the pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.random import counted_states

# Pairs of a block: enough to keep the processor busy, few enough for the nearest cache.
BLOCK = 32

# Rows of `vectors`: slot r is row r, the gradient in it is row BLOCK + r; last comes a row that the inputs work in.
SCRATCH = 2 * BLOCK
VECTOR_ROWS = 2 * BLOCK + 1

# Rows of `steps`: the slot, -1 where the pair has no vector; the two labels, the negative -1 where none was found; how
# many labels were tried; where the image's own labels stand, and the pair among those of all images; and where the
# image's absences stand, if the data has any.
SLOT, POSITIVE, NEGATIVE, TRIED, BEGIN, END, PAIR, ABSENT_BEGIN, ABSENT_END = range(9)
STEP_ROWS = 9

# Rows of `numbers`. By slot: the sum of the squared lengths of the gradients in its vector, and how many these are.
# By step: the difference of the two scores and the loss's gradient in it; the squared lengths of the vector and of the
# gap between the two labels; the rates of the positive and of the negative.
GRADIENT_SQUARE, N_GRADIENTS, DIFFERENCE, GRADIENT, VECTOR_SQUARE, GAP_SQUARE, UP, DOWN = range(8)
NUMBER_ROWS = 8

# Rows of `visits`: the image's row in the data, its place in the launch, and the first and last of the pairs that the
# block has of it.
ROW, PLACE, FIRST, LAST = range(4)
VISIT_ROWS = 4

# Columns of the tally: steps taken and not taken, the loss and the violations of those taken; how many labels were
# tried, in how many draws. A shard's fills a cache line of its own.
STEPS, SKIPPED, LOSS, VIOLATIONS, TRIALS, DRAWS = range(6)
TALLY_COLUMNS = 8


class Visit(NamedTuple):
    """An image's turn in a block, for some or all of its pairs.

    Attributes
    ----------
    row, place : int
        The image's row in the data, and its place in the order of the launch.
    begin, end : int
        Where its labels stand in the data's `indices`.
    first, last : int
        The pairs of the turn are those of ``indices[first:last]``.
    slot, n_slots : int
        Its slots: one for each of the pairs, or one for all of them.
    """

    row: int
    place: int
    begin: int
    end: int
    first: int
    last: int
    slot: int
    n_slots: int


class Work(NamedTuple):
    """The work space of every shard.

    Attributes
    ----------
    vectors : (n_shards, VECTOR_ROWS, k) float32
        The slots, the gradients in them, and a row that the inputs work in.
    steps : (n_shards, STEP_ROWS, BLOCK) int64
        What each step is of.
    numbers : (n_shards, NUMBER_ROWS, BLOCK) float32
        What is computed of each slot and each step.
    visits : (n_shards, VISIT_ROWS, BLOCK) int64
        The images of the block.
    tally : (n_shards, TALLY_COLUMNS) float64
        Added to.
    scores : (n_shards, BLOCK, n) float32
        By slot, the scores of all labels, or of those that were drawn for it; none where one is drawn after another.
    drawn : (n_shards, BLOCK, n or 0) int32
        By slot, the labels that were drawn for it, -1 where a draw was given up.
    """

    vectors: np.ndarray
    steps: np.ndarray
    numbers: np.ndarray
    visits: np.ndarray
    tally: np.ndarray
    scores: np.ndarray
    drawn: np.ndarray


def work_space(n_shards: int, n_factors: int, n_scores: int = 0, n_drawn: int = 0) -> Work:
    """Return a fresh work space, with room for so many scores and drawn labels a slot."""
    vectors = aligned_empty((n_shards, VECTOR_ROWS, n_factors))
    vectors[:] = 0
    return Work(
        vectors,
        np.zeros((n_shards, STEP_ROWS, BLOCK), np.int64),
        np.zeros((n_shards, NUMBER_ROWS, BLOCK), np.float32),
        np.zeros((n_shards, VISIT_ROWS, BLOCK), np.int64),
        np.zeros((n_shards, TALLY_COLUMNS)),
        np.zeros((n_shards, BLOCK, n_scores), np.float32),
        np.zeros((n_shards, BLOCK, n_drawn), np.int32),
    )


def block_states(seeds: np.random.SeedSequence, n_shards: int) -> np.ndarray:
    """Return the random states of the shards in an epoch that is seeded so, with room for a block's draws."""
    return counted_states(seeds, n_shards, BLOCK)


def work_bytes(n_shards: int, n_factors: int, n_scores: int = 0, n_drawn: int = 0) -> int:
    """Return how much memory `work_space` takes, but for what is small."""
    return 4 * n_shards * (VECTOR_ROWS * n_factors + BLOCK * (n_scores + n_drawn))
