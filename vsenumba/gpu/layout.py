"""What a group works with: its shared memory, and what it has in the card's memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from vsenumba.gpu.backend import SIMULATED
from vsenumba.gpu.memory import xp
from vsenumba.training.annotation.layout import BLOCK, TALLY_COLUMNS


class Room(NamedTuple):
    """A group's shared memory, rows of padded k float32, and which of their numbers are a lane's.

    A lane works on the numbers ``LANES * r + lane`` of a row, r = 0..rounds - 1.

    Attributes
    ----------
    base : array
        What the image's vector is made of for all of its pairs.
    vector, pull : array
        The vector of a slot, and the gradient in it; see `vsenumba.training.annotation.layout`.
    pulls : array
        The sum of the gradients of the visit's slots.
    lane, rounds : int
        The lane, and how many numbers of a row each lane has.
    """

    base: Any
    vector: Any
    pull: Any
    pulls: Any
    lane: Any
    rounds: Any


# The rows among these.
ROOM_ROWS = 4

# What the groups of a block may have of a multiprocessor's memory together, and how many groups these are at most.
SHARED_BYTES = 48 * 1024
_MOST_PER_BLOCK = 1 if SIMULATED else 4


def group_bytes(width: int, n_rows: int) -> int:
    """Return the shared memory of a group with so many rows, and its tally."""
    return 4 * width * n_rows + 8 * TALLY_COLUMNS


def groups_per_block(width: int, n_rows: int) -> int:
    """Return how many groups work in a block; 0 where one has no room."""
    return min(_MOST_PER_BLOCK, SHARED_BYTES // group_bytes(width, n_rows))


def blocks_for(n_images: int, per_block: int, most_groups: int) -> int:
    """Return how many blocks of groups to launch: their groups are never more than there is work space for."""
    return max(min(n_images, most_groups) // per_block, 1)


class Data(NamedTuple):
    """Pairs as CSR: of the images by their rows, as in `AnnotationSet`."""

    indptr: Any
    indices: Any


class Pairs(NamedTuple):
    """The pairs that a launch trains on.

    Attributes
    ----------
    indptr, indices : (n + 1,) int64, (n_pairs,) int32
        The pairs as CSR: of all images by their rows, or of the launch's by their places in its order.
    numbers : (n,) int64 or (0,)
        If they are the launch's: the number that each image's first pair has in the set. Nothing if they are all.
    """

    indptr: Any
    indices: Any
    numbers: Any


class Visit(NamedTuple):
    """An image's turn, for some or all of its pairs.

    Attributes
    ----------
    row, place : int
        The image's row in the data, and its place in the order of the launch.
    begin, end : int
        Where its labels stand in the pairs' `indices`.
    first, last : int
        The pairs of the turn are those of ``indices[first:last]``.
    number : int
        What is added to a pair's place in `indices` to get its number in the set, by which its draws are counted.
    """

    row: Any
    place: Any
    begin: Any
    end: Any
    first: Any
    last: Any
    number: Any


class Labels(NamedTuple):
    """The label factors, (L, padded k), the optimiser's sums of them, and how they move.

    `n_factors` is k without the padding.
    """

    table: Any
    sums: Any
    optimiser: Any
    rate: Any
    l2: Any
    n_factors: Any


class Negatives(NamedTuple):
    """Where negatives come from, and how many each pair has."""

    sampler: Any
    absences: Any
    n_negatives: Any


class GroupWork(NamedTuple):
    """What every group has in the card's memory.

    Attributes
    ----------
    pulls : (n_groups, BLOCK or 0, padded k) float32
        The gradient in the vector of each slot, where an input has a vector for each pair.
    scores : (n_groups, n) float32
        The scores of all labels, or of those drawn, where the loss weighs several at once.
    drawn : (n_groups, n or 0) int32
        The labels drawn, likewise.
    tally : (n_groups, TALLY_COLUMNS) float64
        Added to; see `vsenumba.training.annotation.layout`.
    """

    pulls: Any
    scores: Any
    drawn: Any
    tally: Any


def group_work(n_groups: int, width: int, n_scores: int, n_drawn: int, *, keeps_pulls: bool) -> GroupWork:
    """Return fresh work space on the card."""
    return GroupWork(
        xp.zeros((n_groups, BLOCK if keeps_pulls else 0, width), xp.float32),
        xp.zeros((n_groups, n_scores), xp.float32),
        xp.zeros((n_groups, n_drawn), xp.int32),
        xp.zeros((n_groups, TALLY_COLUMNS), xp.float64),
    )


def group_work_bytes(n_groups: int, width: int, n_scores: int, n_drawn: int, *, keeps_pulls: bool) -> int:
    """Return how much memory `group_work` takes, but for what is small."""
    return 4 * n_groups * ((BLOCK * width if keeps_pulls else 0) + n_scores + n_drawn)
