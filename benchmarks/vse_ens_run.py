"""One run of `benchmarks.vse_ens`: train a model in the paper's setting, and evaluate it outside the training time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import vsenumba as vse
from benchmarks.splits import Split
from vsenumba.samplers import Sampler
from vsenumba.training import Callback

# A model is evaluated again when its training time has grown by this factor.
PACE = 1.15

# A run ends when its time is this many times the time of its best moment.
PATIENCE = 3.0

# The draws of a WARP sampler between two checks of the clock. An epoch of unlimited search may take hours.
DRAWS_AT_ONCE = 10_000


@dataclass(frozen=True, kw_only=True)
class WarpInPieces(vse.WarpSampler):
    """The WARP sampler in short launches, as if it needed refreshes."""

    def refresh_interval(self, n_labels: int, epoch: int) -> int:
        """Return the number of draws between two checks."""
        return DRAWS_AT_ONCE


WARP, BOUNDED = "WARP", "WARP, 10 trials"
ADAPTIVE = "adaptive"
SAMPLERS: dict[str, Sampler] = {
    WARP: WarpInPieces(max_trials=None),
    BOUNDED: WarpInPieces(max_trials=10),
    "WARP, 30 trials": WarpInPieces(max_trials=30),
    "WARP, 100 trials": WarpInPieces(max_trials=100),
    "uniform": vse.UniformSampler(),
    "popularity": vse.PopularitySampler(),
    "dynamic": vse.DynamicSampler(),
    ADAPTIVE: vse.AdaptiveSampler(),
    "adaptive, best of 4": vse.AdaptiveSampler(n_candidates=4),
}


class OverError(Exception):
    """The run has reached its time limit within an epoch."""


class Curve(Callback):
    """Evaluates a model repeatedly, and ends its training after a number of processor seconds.

    Attributes
    ----------
    points : list of dict
        Epochs (in parts), seconds and processor seconds of training, and the MRR of both halves.
    trials : list of dict
        The same clock at the end of every epoch, and the labels tried for each update in it.
    """

    def __init__(self, split: Split, limit: float) -> None:
        self._split = split
        self._limit = limit
        self._clock = {"seconds": 0.0, "processor": 0.0}
        self._epoch, self._steps = 0, 0
        self._due = 0.0
        self.points: list[dict[str, float]] = []
        self.trials: list[dict[str, float]] = []

    def start(self, model: Any, n_epochs: int) -> None:
        """Start the clocks."""
        self._go_on()

    def during_epoch(self, model: Any, done: float) -> None:
        """Evaluate the model if it is time."""
        self._stop()
        if done < 1:  # `after_epoch` handles the end of an epoch
            self._judge(model, self._epoch + done)
            if self._is_over():
                raise OverError
        self._go_on()

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Record the trials, and evaluate the model if it is time; return whether the run is over."""
        self._stop()
        self._epoch = int(record["epoch"])
        updates = record["steps"] - self._steps
        self._steps = int(record["steps"])
        trials = record["trials"] * (updates + record["skipped"]) / max(updates, 1)
        self.trials.append({"epoch": self._epoch, **self._clock, "trials": trials})
        self._judge(model, self._epoch)
        self._go_on()
        return self._is_over()

    def _go_on(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def _stop(self) -> None:
        self._clock["seconds"] += time.perf_counter() - self._since[0]
        self._clock["processor"] += time.process_time() - self._since[1]

    def _judge(self, model: Any, epoch: float) -> None:
        if self._clock["processor"] < min(self._due, self._limit):
            return
        self._due = PACE * self._clock["processor"]
        choosing, reporting = self._split.mrr(model)
        self.points.append({"epoch": epoch, **self._clock, "choosing": choosing, "mrr": reporting})

    def _is_over(self) -> bool:
        now = self._clock["processor"]
        best = max(self.points, key=lambda point: point["choosing"])["processor"] if self.points else now
        return now >= self._limit or now >= max(PATIENCE * best, self._limit / 4)


def train(split: Split, sampler: str, loss: str, seed: int, limit: float, **parameters: Any) -> dict[str, Any]:
    """Train once on one thread; return the curve."""
    curve = Curve(split, limit)
    model = vse.ImageAnnotator(
        inputs="ids",
        sampler=SAMPLERS[sampler],
        loss=loss,
        optimiser="sgd",
        schedule="constant",
        n_negatives=1,
        n_epochs=1_000_000,
        n_threads=1,
        random_state=seed,
        **parameters,
    )
    with suppress(OverError):
        model.fit(split.train, callbacks=[curve])
    return {"sampler": sampler, "loss": loss, "seed": seed, "points": curve.points, "trials": curve.trials}
