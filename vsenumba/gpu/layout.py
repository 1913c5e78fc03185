"""The work space of a group in shared memory and in the GPU's main memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from vsenumba.gpu.backend import SIMULATED
from vsenumba.gpu.memory import xp
from vsenumba.training.annotation.layout import BLOCK, TALLY_COLUMNS


class Room(NamedTuple):
    """The shared memory of a group: rows of padded k float32, and the lane's share of their numbers.

    Lane l works on the numbers ``LANES * r + l`` of a row, for r from 0 to ``rounds - 1``.

    Attributes
    ----------
    base : array
        The part of the image's vector that all of its pairs share.
    vector, pull : array
        The vector of a slot, and its gradient; see `vsenumba.training.annotation.layout`.
    pulls : array
        The sum of the gradients of the visit's slots.
    lane, rounds : int
        The number of the lane, and how many numbers of a row each lane works on.
    """

    base: Any
    vector: Any
    pull: Any
    pulls: Any
    lane: Any
    rounds: Any


# The number of rows: base, vector, pull and pulls.
ROOM_ROWS = 4

# The shared memory that the groups of a block may use together, and the largest number of groups per block.
SHARED_BYTES = 48 * 1024
_MOST_PER_BLOCK = 1 if SIMULATED else 4


def group_bytes(width: int, n_rows: int) -> int:
    """Return the bytes of shared memory of a group with `n_rows` rows and its tally."""
    return 4 * width * n_rows + 8 * TALLY_COLUMNS


def groups_per_block(width: int, n_rows: int) -> int:
    """Return the number of groups per block; 0 if not even one group fits into shared memory."""
    return min(_MOST_PER_BLOCK, SHARED_BYTES // group_bytes(width, n_rows))


def blocks_for(n_images: int, per_block: int, most_groups: int) -> int:
    """Return the number of blocks to launch, so that there are never more groups than work spaces."""
    return max(min(n_images, most_groups) // per_block, 1)


class Data(NamedTuple):
    """Pairs in CSR form by the images' rows, as in `AnnotationSet`."""

    indptr: Any
    indices: Any


class Pairs(NamedTuple):
    """The pairs of a launch.

    Attributes
    ----------
    indptr, indices : (n + 1,) int64, (n_pairs,) int32
        The pairs in CSR form: of all images by their rows, or of the launch's images by their places in its order.
    numbers : (n,) int64 or (0,)
        Empty if the pairs of all images are here. Otherwise the number of each image's first pair in the whole set.
    """

    indptr: Any
    indices: Any
    numbers: Any


class Visit(NamedTuple):
    """One visit of an image, for some or all of its pairs.

    Attributes
    ----------
    row, place : int
        The image's row in the data, and its place in the order of the launch.
    begin, end : int
        The range of its labels in the pairs' `indices`.
    first, last : int
        The pairs of this visit are ``indices[first:last]``.
    number : int
        What to add to a pair's position in `indices` to get its number in the whole set. The random numbers of a pair
        depend on this number.
    """

    row: Any
    place: Any
    begin: Any
    end: Any
    first: Any
    last: Any
    number: Any


class Labels(NamedTuple):
    """The label factors, (L, padded k), the optimiser's sums, and the settings of their updates.

    `n_factors` is k without padding.
    """

    table: Any
    sums: Any
    optimiser: Any
    rate: Any
    l2: Any
    n_factors: Any


class Negatives(NamedTuple):
    """The source of negatives, and the number of negatives per pair."""

    sampler: Any
    absences: Any
    n_negatives: Any


class GroupWork(NamedTuple):
    """The work space of all groups in the GPU's main memory.

    Attributes
    ----------
    pulls : (n_groups, BLOCK or 0, padded k) float32
        The gradient of each slot's vector, if an input has a vector for each pair.
    scores : (n_groups, n) float32
        The scores of all labels, or of the drawn labels, if the loss weighs several negatives at once.
    drawn : (n_groups, n or 0) int32
        The drawn labels in that case.
    tally : (n_groups, TALLY_COLUMNS) float64
        The groups' counts; see `vsenumba.training.annotation.layout`.
    """

    pulls: Any
    scores: Any
    drawn: Any
    tally: Any


def group_work(n_groups: int, width: int, n_scores: int, n_drawn: int, *, keeps_pulls: bool) -> GroupWork:
    """Return a new work space on the GPU."""
    return GroupWork(
        xp.zeros((n_groups, BLOCK if keeps_pulls else 0, width), xp.float32),
        xp.zeros((n_groups, n_scores), xp.float32),
        xp.zeros((n_groups, n_drawn), xp.int32),
        xp.zeros((n_groups, TALLY_COLUMNS), xp.float64),
    )


def group_work_bytes(n_groups: int, width: int, n_scores: int, n_drawn: int, *, keeps_pulls: bool) -> int:
    """Return the bytes of `group_work`, without its small arrays."""
    return 4 * n_groups * ((BLOCK * width if keeps_pulls else 0) + n_scores + n_drawn)
