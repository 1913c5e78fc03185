"""A progress bar for training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsenumba.progress import progress_line
from vsenumba.training.callbacks import RecordCallback
from vsenumba.training.history import validation_names


class ProgressBar(RecordCallback):
    """Show epochs done, steps per second, time left and the last validation metric.

    On a terminal this is a bar, which disappears at the end. In a notebook it is one line that changes and then stays.
    Elsewhere, as in a log file, standard error gets a line now and then: none in the first 10 seconds, and then one
    after 30 seconds or after a tenth of the time so far, whichever is longer.

    Parameters
    ----------
    title : str
        The name of the training, such as "training".

    Examples
    --------
    >>> import vsenumba as vse
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> model = vse.ImageAnnotator(n_epochs=2, random_state=0).fit(data, callbacks=vse.ProgressBar())
    """

    def __init__(self, title: str = "training") -> None:
        self.title = title

    def start(self, model: Any, n_epochs: int) -> None:
        """Draw the line."""
        self._line = progress_line(self.title, n_epochs, "epochs")
        self._epochs, self._note = 0, ""
        self._line.__enter__()
        self._line.update(0, "preparing")

    def during_epoch(self, model: Any, done: float) -> None:
        """Advance the line."""
        self._line.update(self._epochs + done, self._note)

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Advance the line, and show the speed, the loss and the last validation metric."""
        rate = record["steps"] / max(record["seconds"], 1e-9)
        note = f"{rate / 1e6:.1f} M steps/s, loss {record['loss']:.3f}"
        for name in validation_names(record)[:1]:
            note += f", {name} {record[name]:.3f}"
        self._epochs, self._note = self._epochs + 1, note
        self._line.update(self._epochs, note)
        return False

    def finish(self, model: Any) -> None:
        """Remove the line, or leave it as it is; see above."""
        self._line.__exit__(None, None, None)
