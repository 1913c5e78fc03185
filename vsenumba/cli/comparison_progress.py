"""The progress bar of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from vsenumba.experiments import Progress
from vsenumba.printable import printable
from vsenumba.training import Callback
from vsenumba.training.callbacks import RecordCallback


class ComparisonProgress:
    """Shows finished runs, time left and the current run if stderr is a terminal; a context manager.

    Parameters
    ----------
    n_epochs, seconds : int or None, float or None
        The length of a run, in epochs or in seconds.
    """

    def __init__(self, n_epochs: int | None, seconds: float | None) -> None:
        self._n_epochs = n_epochs
        self._seconds = seconds

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("reference models", total=None, note="")
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def callbacks(self, progress: Progress) -> list[Callback]:
        """Return the callbacks of a run; for the argument `callbacks` of `vsenumba.compare`."""
        self._bar.update(
            self._task,
            description=f"{printable(progress.sampler)} (run {progress.run + 1} of {progress.n_runs})",
            total=progress.n_runs,
            completed=progress.run,
            # The first run of a sampler compiles for some seconds before its first epoch.
            note="preparing",
        )
        return [_RunProgress(self, progress)]

    def ended(self, progress: Progress) -> None:
        """Advance the bar after a run on a cluster; for the argument `after_run` of `vsenumba.compare`."""
        self._bar.update(
            self._task,
            description=f"runs on the cluster ({progress.run + 1} of {progress.n_runs})",
            total=progress.n_runs,
            completed=progress.run + 1,
            note=f"{printable(progress.sampler)} finished",
        )

    def advance(self, progress: Progress, record: Mapping[str, float]) -> None:
        """Advance the bar after an epoch."""
        share = record["epoch"] / self._n_epochs if self._n_epochs else record["seconds"] / (self._seconds or 1)
        note = f"{record['steps'] / max(record['seconds'], 1e-9) / 1e6:.1f} M steps/s, epoch {record['epoch']}"
        self._bar.update(self._task, completed=progress.run + min(share, 1.0), note=note)


class _RunProgress(RecordCallback):
    def __init__(self, display: ComparisonProgress, progress: Progress) -> None:
        self._display = display
        self._progress = progress

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        self._display.advance(self._progress, record)
        return False
