"""The record of a run of `benchmarks.peers`: MRR by training seconds, and the memory of training."""

from __future__ import annotations

import time
from collections.abc import Collection

from benchmarks.memory import forget_peak, peak_bytes, resident_bytes
from benchmarks.splits import Split
from vsenumba.evaluation import Scorer


class Curve:
    """The MRR of both halves by training seconds, without the time of evaluation.

    Parameters
    ----------
    split : Split
        The split with the test pairs.
    marks : collection of int, optional
        The epochs after which to evaluate; all if left out.
    """

    def __init__(self, split: Split, marks: Collection[int] | None = None) -> None:
        self._split = split
        self._marks = marks
        self._elapsed = 0.0
        self.epoch = 0
        self.points: list[dict[str, float]] = []
        self.memory: dict[str, float] = {}

    def start(self) -> None:
        """Start the clock, when the data are in the method's format and nothing is allocated yet."""
        forget_peak()
        self.memory = {"before_mb": resident_bytes() / 2**20}
        self._since = time.perf_counter()

    def after_epoch(self, model: Scorer) -> None:
        """Stop the clock, add a point, and start the clock again."""
        self._elapsed += time.perf_counter() - self._since
        self.epoch += 1
        if self.epoch == 1:
            # Read the memory first, because evaluation needs memory too. Training has reached its peak by now.
            self.memory["peak_mb"] = peak_bytes() / 2**20
        if self._marks is None or self.epoch in self._marks:
            choosing, reporting = self._split.mrr(model)
            point = {"epoch": self.epoch, "seconds": self._elapsed, "choosing": choosing, "mrr": reporting}
            self.points.append(point)
        self._since = time.perf_counter()

    def best(self) -> dict[str, float]:
        """Return the best point on the choosing half."""
        return max(self.points, key=lambda point: point["choosing"])
