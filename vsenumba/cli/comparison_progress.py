"""The progress line of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from vsenumba.experiments import Progress
from vsenumba.progress import progress_line
from vsenumba.training import Callback
from vsenumba.training.callbacks import RecordCallback


class ComparisonProgress:
    """Shows finished runs, time left and the current run; a context manager.

    Parameters
    ----------
    n_epochs, seconds : int or None, float or None
        The length of a run, in epochs or in seconds.
    """

    def __init__(self, n_epochs: int | None, seconds: float | None) -> None:
        self._n_epochs = n_epochs
        self._seconds = seconds

    def __enter__(self) -> Self:
        self._line = progress_line("reference models")
        self._line.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._line.__exit__(*error)

    def callbacks(self, progress: Progress) -> list[Callback]:
        """Return the callbacks of a run; for the argument `callbacks` of `vsenumba.compare`."""
        title = f"{progress.sampler} (run {progress.run + 1} of {progress.n_runs})"
        # The first run of a sampler compiles for some seconds before its first epoch.
        self._line.update(progress.run, "preparing", title=title, total=progress.n_runs)
        return [_RunProgress(self, progress)]

    def ended(self, progress: Progress) -> None:
        """Advance the line after a run on a cluster; for the argument `after_run` of `vsenumba.compare`."""
        title = f"runs on the cluster ({progress.run + 1} of {progress.n_runs})"
        self._line.update(progress.run + 1, f"{progress.sampler} finished", title=title, total=progress.n_runs)

    def advance(self, progress: Progress, record: Mapping[str, float]) -> None:
        """Advance the bar after an epoch."""
        share = record["epoch"] / self._n_epochs if self._n_epochs else record["seconds"] / (self._seconds or 1)
        note = f"{record['steps'] / max(record['seconds'], 1e-9) / 1e6:.1f} M steps/s, epoch {record['epoch']}"
        self._line.update(progress.run + min(share, 1.0), note)


class _RunProgress(RecordCallback):
    def __init__(self, display: ComparisonProgress, progress: Progress) -> None:
        self._display = display
        self._progress = progress

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        self._display.advance(self._progress, record)
        return False
