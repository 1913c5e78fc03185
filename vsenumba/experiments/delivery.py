"""Train the model that users keep on all pairs, and store what was measured without the held-out pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.training.callbacks import RecordCallback


class Delivery(RecordCallback):
    """Stop training after a given number of epochs, and store measured metrics in the model.

    A model that is measured has not seen the held-out pairs, so it would suggest labels that the images already have.
    The model that you keep is therefore trained again from scratch on all pairs. With this callback it uses the
    number of epochs that was best for the measured model, and the same schedule of learning rates.

    Parameters
    ----------
    n_epochs : int
        The number of epochs of the measured model, at least 1.
    measured : mapping
        The JSON values for ``provenance_["measured"]``; see `measurement`.

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
        """Store the measured metrics before the first epoch, so that checkpoints contain them too."""
        model.provenance_["measured"] = self._measured

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Return whether the model has trained for `n_epochs` epochs."""
        return record["epoch"] >= self._n_epochs


class RecordedCommand(RecordCallback):
    """Store in the model the command line that trains it, so that checkpoints contain it too.

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
        """Store the command line before the first epoch."""
        model.provenance_["command"] = self._command


def measurement(data: Any, n_images: int, n_pairs: int, metrics: Mapping[str, float], n_epochs: int) -> dict[str, Any]:
    """Return the record of a measurement, as stored in model files.

    Parameters
    ----------
    data : AnnotationSet
        All pairs, including the held-out pairs.
    n_images, n_pairs : int
        The number of images and of held-out pairs in the measurement.
    metrics : mapping of str to float
        The mean of each metric over these images. NaN, for a metric that is not defined for any image, becomes None.
    n_epochs : int
        The number of epochs of the measured model.

    Returns
    -------
    dict
        JSON values: ``n_images``, ``n_pairs``, ``of_pairs`` (the number of all pairs), ``metrics`` and ``n_epochs``.

    Examples
    --------
    >>> import vsenumba as vse
    >>> measurement(vse.synthetic(60, 12, 240, rng=0), 49, 49, {"mrr": 0.5, "auc": float("nan")}, n_epochs=3)
    {'n_images': 49, 'n_pairs': 49, 'of_pairs': 240, 'metrics': {'mrr': 0.5, 'auc': None}, 'n_epochs': 3}
    """
    return {
        "n_images": n_images,
        "n_pairs": n_pairs,
        "of_pairs": data.n_pairs,
        "metrics": {name: float(value) if np.isfinite(value) else None for name, value in metrics.items()},
        "n_epochs": n_epochs,
    }
