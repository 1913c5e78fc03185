"""Tables and trainers for tests of annotation's training."""

from __future__ import annotations

import numba
import numpy as np
from hypothesis import strategies as st

from vsenumba import AnnotationSet
from vsenumba.losses import as_loss
from vsenumba.samplers import as_sampler
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.inputs.kind import Sizes
from vsenumba.training.annotation.layout import BLOCK
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer
from vsenumba.training.optimisers import RowAdagrad, Sgd

# Every kind that needs no features by itself, and a sum.
ALL_INPUTS = ["ids", "labels", ("labels", "ids")]

# Each of them is compiled for itself, and with the other optimiser their sum, which does what each does.
INPUTS_AND_OPTIMISERS = [*((inputs, RowAdagrad(initial=0.1)) for inputs in ALL_INPUTS), (ALL_INPUTS[-1], Sgd())]
# For losses that share the inputs and the optimisers with others: compiled, the sum stands for its parts.
SOME_INPUTS_AND_OPTIMISERS = INPUTS_AND_OPTIMISERS[0 if numba.config.DISABLE_JIT else -2 :]


@st.composite
def small_sets(draw):
    """Many images of few labels, which share blocks, or few of more than fit into one; with none and with all."""
    n_labels, most = draw(st.sampled_from([(4, 24), (BLOCK + 9, 3)]))
    seed, n_images = draw(st.integers(0, 999)), draw(st.integers(1, most))
    rng = np.random.default_rng(seed)
    return AnnotationSet.from_csr(rng.random((n_images, n_labels)) < rng.choice([0.2, 0.6, 1.0], (n_images, 1)))


def tables_for(inputs, data, n_factors, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    wanted = as_inputs(inputs).tables(Sizes(*data.shape, n_factors))
    return {
        name: (scale * rng.standard_normal((one.n_rows, n_factors))).astype(np.float32) for name, one in wanted.items()
    }


def trainer_for(data, tables, inputs, optimiser, *, sampler="uniform", loss="logistic", n_threads=1, **arguments):
    sums = {name: optimiser.fresh_sums(len(table)) for name, table in tables.items()}
    task = Task(
        data=data, inputs=as_inputs(inputs), sampler=as_sampler(sampler), loss=as_loss(loss), optimiser=optimiser,
        **{"l2": 0.01, "n_negatives": 1} | arguments,
    )  # fmt: skip
    return AnnotationTrainer(task, HostDevice(task, n_threads), tables, sums, np.random.SeedSequence(3)), sums
