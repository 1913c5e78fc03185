"""Progress: a line on standard error that says how far training is, how fast it goes and what it has reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsenumba.printable import printable
from vsenumba.training.callbacks import RecordCallback


class ProgressBar(RecordCallback):
    """Show epochs done, steps per second, time left and the last validation metric, while stderr is a terminal.

    Parameters
    ----------
    title : str
        What is being trained.
    """

    def __init__(self, title: str = "training") -> None:
        self.title = title

    def start(self, model: Any, n_epochs: int) -> None:
        """Draw the line."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(printable(self.title), total=n_epochs, note="preparing")
        self._epochs, self._note = 0, ""
        self._progress.start()

    def during_epoch(self, model: Any, done: float) -> None:
        """Move the line on."""
        self._progress.update(self._task, completed=self._epochs + done, note=self._note)

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Move the line on, and say how fast it goes and what is reached."""
        rate = record["steps"] / max(record["seconds"], 1e-9)
        note = f"{rate / 1e6:.1f} M steps/s, loss {record['loss']:.3f}"
        # What comes after the learning rate in a record is the validation.
        names = list(record)
        for name in names[names.index("learning_rate") + 1 :][:1]:
            note += f", {name} {record[name]:.3f}"
        self._epochs, self._note = self._epochs + 1, note
        self._progress.update(self._task, completed=self._epochs, note=note)
        return False

    def finish(self, model: Any) -> None:
        """Take the line away."""
        self._progress.stop()
