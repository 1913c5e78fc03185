"""Train on images and labels: a plan for each epoch, carried out by a device."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping

import numpy as np

from vsenumba.kernels.gate import admit
from vsenumba.training.annotation.device import Device
from vsenumba.training.annotation.inputs.kind import Sizes
from vsenumba.training.annotation.layout import DRAWS, LOSS, SKIPPED, STEPS, TRIALS, VIOLATIONS
from vsenumba.training.annotation.plan import Plan
from vsenumba.training.annotation.task import Task
from vsenumba.training.divergence import check_finite
from vsenumba.training.run import Trainer


class AnnotationTrainer(Trainer):
    """Train the tables of a model on a data set.

    Parameters
    ----------
    task : Task
        The settings of the training, with the data.
    device : Device
        The device, made for the same task.
    tables, sums : mapping from str to array
        ``"label_factors"`` and the tables of the inputs, (rows, k) float32, and the optimiser's sums of each. They are
        changed in place. A read-only array is replaced by a copy.
    seeds : numpy.random.SeedSequence
        The random seed. In epoch e, the order comes from the seeds spawned with the key (e, 0), and the draws from
        those with (e, 1).
    """

    def __init__(
        self,
        task: Task,
        device: Device,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
    ) -> None:
        self.steps = 0
        self.seconds = 0.0
        self.plan = Plan(task, seeds, device.least_interval)
        self._device = device
        self._tables = tables
        sizes = Sizes(*task.data.shape, np.shape(tables["label_factors"])[-1], task.data.n_features)
        wanted = task.inputs.tables(sizes)
        shapes = {name: (table.n_rows, table.n_columns) for name, table in wanted.items()}
        admit("tables_", tables, shapes | task.inputs.constants(sizes))
        memories = {name: (table.memory_length(task.optimiser),) for name, table in wanted.items()}
        admit("the optimiser's sums", sums, memories)
        device.put(tables, sums)
        # Compile the kernels, or load them from the cache, before the clock starts.
        device.seed(self.plan.draw_seeds(0))
        device.refresh()
        nothing = self.plan.empty_launch()
        device.launch(nothing, 0.0)

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch at the learning rate of its start; see `vsenumba.training.run.Trainer`."""
        started = time.perf_counter()
        rate, refreshes = rate_at(0.0), 0
        self._device.seed(self.plan.draw_seeds(epoch))
        for launch in self.plan.launches(epoch):
            if launch.refresh:
                self._device.refresh()
                refreshes += 1
            self._device.launch(launch, rate)
            progress(launch.done)
        self._device.fetch()
        self.seconds += time.perf_counter() - started
        check_finite(self._tables, epoch, rate)
        tally = self._device.tally()
        self.steps += int(tally[STEPS])
        steps = max(tally[STEPS], 1)
        return {
            "epoch": epoch,
            "seconds": self.seconds,
            "steps": self.steps,
            "skipped": int(tally[SKIPPED]),
            "loss": float(tally[LOSS] / steps),
            "violations": float(tally[VIOLATIONS] / steps),
            "trials": float(tally[TRIALS] / max(tally[DRAWS], 1)),
            "refreshes": 0 if self.plan.refresh_interval(epoch) is None else refreshes,
            "learning_rate": rate,
        }
