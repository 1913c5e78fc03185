"""Tables and pairs of more than 2^31 numbers; `test_kernels_for_cards` sees that addresses are computed in 64 bits."""

from __future__ import annotations

import numpy as np
import pytest

from vsenumba import Sgd, WarpSampler
from vsenumba.gpu.backend import SIMULATED
from vsenumba.gpu.epoch import launch_for
from vsenumba.gpu.group import LANES
from vsenumba.gpu.layout import Labels, Negatives, Pairs, group_work
from vsenumba.losses import as_loss
from vsenumba.training.annotation.absences import NoAbsences
from vsenumba.training.annotation.inputs.ids import IdsState
from vsenumba.training.annotation.inputs.labels import LabelsState
from vsenumba.training.annotation.inputs.sum import InputsState, Nothing

pytestmark = pytest.mark.skipif(not SIMULATED, reason="needs the simulator, which works on files without reading them")

# The first row that lies beyond 2^31 numbers, and where the pairs of a launch stand in a longer list.
FAR_ROW, FAR_PAIR = 2**31 // LANES + 1, 2**31 + 5


@pytest.fixture
def sparse(tmp_path):
    """Return a function that makes arrays of zeros that take room on the disk only where they are written."""
    made = []

    def array(shape, dtype):
        made.append(np.memmap(tmp_path / f"{len(made)}", dtype, "w+", shape=shape))
        return made[-1]

    return array


def train(array, row, pair, kind):
    """Train an image of that row on two labels, those of that row and of the row before; return how rows have moved."""
    labels, images, indices = (
        array((row + 1, LANES), np.float32),
        array((row + 1, LANES), np.float32),
        array(pair + 2, np.int32),
    )
    indices[pair:] = row - 1, row
    rng = np.random.default_rng(0)
    rows = np.array([0, row - 1, row])
    for table in (labels, images):
        table[rows] = rng.normal(size=(3, LANES))
    before = labels[rows], images[rows]
    state = IdsState(images, np.ones(1, np.float32), 0) if kind == "ids" else LabelsState(images, np.ones(1), 0.75)
    pairs = Pairs(np.array([pair, pair + 2]), indices, np.array([pair]))
    sampler = WarpSampler(search="in order", max_trials=5, margin=1e6).state(np.ones(row + 1, np.int8), LANES, 1)
    work = group_work(1, LANES, 0, 0, keeps_pulls=kind == "labels")
    launch_for(1, 1)[1, (LANES, 1)](
        np.array([row], np.int32), pairs,
        Labels(labels, np.ones(1, np.float32), Sgd().state(), np.float32(0.1), np.float32(0.01), LANES),
        Negatives(sampler, NoAbsences(0.0), 1), InputsState(state, Nothing(0), Nothing(0), np.zeros(0, np.uint8)),
        np.float32(0.1), as_loss("logistic").state(row + 1), np.zeros(2, np.uint64), work,
    )  # fmt: skip
    return labels[rows] - before[0], images[rows] - before[1]


@pytest.mark.parametrize("kind", ["ids", "labels"])
def test_rows_and_pairs_far_away_move_as_near_ones(sparse, kind):
    labels, images = train(np.zeros, 2, 0, kind)
    far_labels, far_images = train(sparse, FAR_ROW, FAR_PAIR, kind)
    assert np.array_equal(far_labels, labels)
    assert np.array_equal(far_images, images)
    assert (labels != 0).all()
    assert (images[2 if kind == "ids" else 1 :] != 0).all()
