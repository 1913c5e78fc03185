"""What is measured and what is delivered: two models, the first trained without the held-out pairs, the second with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.training.callbacks import RecordCallback


class Delivery(RecordCallback):
    """Stop where the measured model was best, and write down in the model what was measured.

    A model that is measured knows nothing of the pairs that were held out: it would suggest to an image the very
    labels that the image has. So the model that is kept is trained afresh on all pairs, for as many epochs of the same
    schedule, with this callback.

    Parameters
    ----------
    n_epochs : int
        Epochs after which the measured model was kept.
    measured : mapping
        What to write into ``provenance_["measured"]``, as JSON values; see `measurement`.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from vsenumba.experiments import Delivery, measurement
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> train, test = vse.leave_one_out(data, rng=0)
    >>> model = vse.ImageAnnotator(n_factors=8, n_epochs=3, random_state=0).fit(train)
    >>> scores = vse.evaluate(model, test, exclude=train, metrics=["mrr"])
    >>> measured = measurement(data, scores.n_images, test.n_pairs, scores.mean, n_epochs=3)
    >>> model.fit(data, callbacks=Delivery(3, measured)).provenance_["measured"]["n_pairs"]
    49
    """

    def __init__(self, n_epochs: int, measured: Mapping[str, Any]) -> None:
        self._n_epochs = n_epochs
        self._measured = dict(measured)

    def start(self, model: Any, n_epochs: int) -> None:
        """Write down what was measured, so that it is in checkpoints too."""
        model.provenance_["measured"] = self._measured

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Count the epochs."""
        return record["epoch"] >= self._n_epochs


class RecordedCommand(RecordCallback):
    """Write down in the model by which command it is trained, so that it is in checkpoints too.

    Parameters
    ----------
    command : str
        The command line, for ``provenance_["command"]``.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from vsenumba.experiments import RecordedCommand
    >>> model = vse.ImageAnnotator(n_factors=8, n_epochs=1, random_state=0)
    >>> typed = RecordedCommand("vsenumba fit tags.csv -o model.h5")
    >>> model.fit(vse.synthetic(60, 12, 240, rng=0), callbacks=typed).provenance_["command"]
    'vsenumba fit tags.csv -o model.h5'
    """

    def __init__(self, command: str) -> None:
        self._command = command

    def start(self, model: Any, n_epochs: int) -> None:
        """Write it down."""
        model.provenance_["command"] = self._command


def measurement(data: Any, n_images: int, n_pairs: int, metrics: Mapping[str, float], n_epochs: int) -> dict[str, Any]:
    """Return what was measured, for files and for people.

    Parameters
    ----------
    data : AnnotationSet
        All pairs, those that were held out among them.
    n_images, n_pairs : int
        How many pairs were held out to measure on, and of how many images.
    metrics : mapping of str to float
        The mean of each metric over these images; NaN, where it is not defined for any of them, becomes None.
    n_epochs : int
        Epochs after which the measured model was kept.
    """
    return {
        "n_images": n_images,
        "n_pairs": n_pairs,
        "of_pairs": data.n_pairs,
        "metrics": {name: float(value) if np.isfinite(value) else None for name, value in metrics.items()},
        "n_epochs": n_epochs,
    }
