"""Tables and trainers for tests of annotation's training."""

from __future__ import annotations

import numpy as np

from vsenumba.losses import LOSSES
from vsenumba.samplers import as_sampler
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.inputs.kind import Sizes
from vsenumba.training.annotation.task import Task
from vsenumba.training.annotation.trainer import AnnotationTrainer

# Every kind that needs no features by itself, and a sum.
ALL_INPUTS = ["ids", "labels", ("labels", "ids")]


def tables_for(inputs, data, n_factors, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    wanted = as_inputs(inputs).tables(Sizes(*data.shape, n_factors))
    return {
        name: (scale * rng.standard_normal((one.n_rows, n_factors))).astype(np.float32) for name, one in wanted.items()
    }


def trainer_for(data, tables, inputs, optimiser, *, sampler="uniform", loss="logistic", n_threads=1, **arguments):
    sums = {name: optimiser.fresh_sums(len(table)) for name, table in tables.items()}
    task = Task(
        data=data, inputs=as_inputs(inputs), sampler=as_sampler(sampler), loss=LOSSES[loss](), optimiser=optimiser,
        **{"l2": 0.01, "n_negatives": 1} | arguments,
    )  # fmt: skip
    return AnnotationTrainer(task, HostDevice(task, n_threads), tables, sums, np.random.SeedSequence(3)), sums
