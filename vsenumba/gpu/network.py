"""The network over features on a GPU. Its layers and AdamW's moments stay there; batches come from the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.gpu.memory import Uploads, padded, to_card, to_host, xp
from vsenumba.training.adamw import FIRST, SECOND, SMALLEST
from vsenumba.training.annotation.inputs.features import DECAY, LAYERS, RATE, FeatureFeed, FeaturesState


class CardNetwork:
    """Compute the vectors of a launch's images, and update the layers with their gradients.

    Parameters
    ----------
    feed : FeatureFeed
        The network on the host, which draws the features to hide.
    tables, sums : mapping from str to array
        The layers and AdamW's moments on the host, which `fetch` updates.
    """

    def __init__(self, feed: FeatureFeed, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        self._feed = feed
        self._tables, self._sums = tables, sums
        self._uploads = Uploads()
        self._layers = {name: to_card(tables[name]) for name in LAYERS}
        self._moments = {name: to_card(sums[name][:-1].reshape(2, *tables[name].shape)) for name in LAYERS}
        self._n_steps = int(sums[LAYERS[0]][-1])
        n_images, self._n_factors = feed.state.vectors.shape
        room = n_images, padded(self._n_factors)
        self.state = FeaturesState(xp.zeros(room, np.float32), xp.zeros(room, np.float32))
        self._batch: Any = None
        self._hidden: Any = None

    @staticmethod
    def bytes_for(feed: FeatureFeed, tables: Mapping[str, np.ndarray]) -> int:
        """Return the bytes of the layers, moments and gradients, and of the intermediate results of a batch."""
        layers = sum(tables[name].nbytes for name in LAYERS)
        weights = tables["feature_weights"]
        n_images, n_factors = feed.state.vectors.shape
        of_image = 2 * weights.shape[0] + 3 * weights.shape[1] + 4 * padded(n_factors)
        return 5 * layers + 4 * n_images * of_image

    def begin_launch(self, rows: np.ndarray) -> None:
        """Compute the vectors of the launch's images; see `Feed.begin_launch`."""
        n = len(rows)
        self._batch = None
        if n:
            weights, projection = (self._layers[name] for name in LAYERS)
            (self._batch,) = self._uploads.upload(self._feed.drawn_batch(rows))
            self._hidden = xp.maximum(self._batch @ weights[:-1] + weights[-1], np.float32(0))
            self.state.vectors[:n, : self._n_factors] = self._hidden @ projection[:-1] + projection[-1]
            self.state.gradients[:n] = 0

    def end_launch(self, learning_rate: float) -> None:
        """Update the layers with the mean gradient; see `Feed.end_launch`."""
        if self._batch is None:
            return
        n = len(self._batch)
        gradient = self.state.gradients[:n, : self._n_factors] / np.float32(n)
        below = gradient @ self._layers["feature_projection"][:-1].T * (self._hidden > 0)
        self._n_steps += 1
        self._move("feature_weights", self._batch, below, RATE * learning_rate)
        self._move("feature_projection", self._hidden, gradient, RATE * learning_rate)

    def _move(self, name: str, inputs: Any, gradient: Any, rate: float) -> None:
        """Update one layer with AdamW from the gradient of the layer's output; see `vsenumba.training.adamw`."""
        slope = xp.vstack([inputs.T @ gradient, gradient.sum(axis=0, keepdims=True)])
        first, second = self._moments[name]
        first *= np.float32(FIRST)
        first += np.float32(1 - FIRST) * slope
        second *= np.float32(SECOND)
        second += np.float32(1 - SECOND) * slope * slope
        size = np.float32(rate / (1 - FIRST**self._n_steps))
        correction = np.float32(1 / np.sqrt(1 - SECOND**self._n_steps))
        layer = self._layers[name]
        layer *= np.float32(1 - rate * DECAY)
        layer -= size * first / (xp.sqrt(second) * correction + np.float32(SMALLEST))

    def fetch(self) -> None:
        """Copy the layers and the moments back to the host."""
        for name in LAYERS:
            self._tables[name][...] = to_host(self._layers[name])
            self._sums[name][:-1] = to_host(self._moments[name]).ravel()
            self._sums[name][-1] = self._n_steps
