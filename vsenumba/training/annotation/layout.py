"""The work space of a shard, and the meaning of its rows.

A shard trains the pairs of a *block* together. A block has the pairs of several images, or some of one image's pairs. A
*step* is a pair of the block with a negative. A *slot* is a row of `Work.vectors` that holds the vector of an image.
All steps of an image share one slot, unless the image's vector depends on the pair; then each step has its own slot.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.random import counted_states

# The number of pairs per block: enough to keep the CPU busy, and few enough for the first-level cache.
BLOCK = 32

# The rows of `vectors`: slot r is row r, and its gradient is row BLOCK + r. The last row is work space for the inputs.
SCRATCH = 2 * BLOCK
VECTOR_ROWS = 2 * BLOCK + 1

# The rows of `steps`: the slot (-1 if the pair has no vector); the two labels (the negative is -1 if none was found);
# the number of labels tried; the range of the image's labels; the pair's position among those of all images; and the
# range of the image's absences, if the data has any.
SLOT, POSITIVE, NEGATIVE, TRIED, BEGIN, END, PAIR, ABSENT_BEGIN, ABSENT_END = range(9)
STEP_ROWS = 9

# The rows of `numbers`. By slot: the sum of the squared lengths of the vector's gradients, and their number. By step:
# the difference of the two scores, and the gradient of the loss with respect to it; the squared lengths of the vector
# and of the difference between the two labels; the learning rates of the positive and of the negative.
GRADIENT_SQUARE, N_GRADIENTS, DIFFERENCE, GRADIENT, VECTOR_SQUARE, GAP_SQUARE, UP, DOWN = range(8)
NUMBER_ROWS = 8

# The rows of `visits`: the image's row in the data, its place in the launch, and the first and last of its pairs in the
# block.
ROW, PLACE, FIRST, LAST = range(4)
VISIT_ROWS = 4

# The columns of the tally: steps taken and skipped, the loss and the violations of the steps taken, the labels tried,
# and the draws. The counts of a shard fill a whole cache line.
STEPS, SKIPPED, LOSS, VIOLATIONS, TRIALS, DRAWS = range(6)
TALLY_COLUMNS = 8


class Visit(NamedTuple):
    """One visit of an image in a block, for some or all of its pairs.

    Attributes
    ----------
    row, place : int
        The image's row in the data, and its place in the order of the launch.
    begin, end : int
        The range of its labels in the data's `indices`.
    first, last : int
        The pairs of this visit are ``indices[first:last]``.
    slot, n_slots : int
        The first slot, and the number of slots: one per pair, or one for all pairs.
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
    """The work space of all shards.

    Attributes
    ----------
    vectors : (n_shards, VECTOR_ROWS, k) float32
        The slots, their gradients, and a row of work space for the inputs.
    steps : (n_shards, STEP_ROWS, BLOCK) int64
        The labels and positions of each step.
    numbers : (n_shards, NUMBER_ROWS, BLOCK) float32
        The computed numbers of each slot and each step.
    visits : (n_shards, VISIT_ROWS, BLOCK) int64
        The images of the block.
    tally : (n_shards, TALLY_COLUMNS) float64
        The counts of each shard.
    scores : (n_shards, BLOCK, n) float32
        The scores of all labels, or of the drawn labels, by slot. Empty if negatives are drawn one after another.
    drawn : (n_shards, BLOCK, n or 0) int32
        The drawn labels by slot; -1 if a draw found no negative.
    """

    vectors: np.ndarray
    steps: np.ndarray
    numbers: np.ndarray
    visits: np.ndarray
    tally: np.ndarray
    scores: np.ndarray
    drawn: np.ndarray


def work_space(n_shards: int, n_factors: int, n_scores: int = 0, n_drawn: int = 0) -> Work:
    """Return a new work space, with `n_scores` scores and `n_drawn` drawn labels per slot."""
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
    """Return the random states of the shards for an epoch, with room for the draws of a block."""
    return counted_states(seeds, n_shards, BLOCK)


def work_bytes(n_shards: int, n_factors: int, n_scores: int = 0, n_drawn: int = 0) -> int:
    """Return the bytes of `work_space`, without its small arrays."""
    return 4 * n_shards * (VECTOR_ROWS * n_factors + BLOCK * (n_scores + n_drawn))
