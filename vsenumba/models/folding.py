"""Rows for images that a model has never seen, where it keeps a row for every image."""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.training.annotation.inputs.kind import Sizes

# Enough for a row of its own to settle.
_EPOCHS = 30


def folded_in(model: Any, data: AnnotationSet) -> np.ndarray:
    """Train a row for each image of a set, the label factors frozen, the same each time; 0 where there is no label.

    Parameters
    ----------
    model : ImageAnnotator
        A model with rows for images; it is not changed.
    data : AnnotationSet
        The images, with the model's labels.
    """
    fresh = np.random.default_rng(model._spawned(2)).standard_normal((data.n_images, model.n_factors), np.float32)
    spread = model._inputs.tables(Sizes(*data.shape, int(model.n_factors)))["image_factors"].spread
    tables = {"label_factors": model.label_factors_, "image_factors": np.float32(spread) * fresh}
    # The labels' sums are scratch too: folding in must not change the model.
    sums = {name: model.member("optimiser").fresh_sums(len(table)) for name, table in tables.items()}
    trainer = model._trainer(model._task(data, frozen_labels=True), tables, sums, model._spawned(2))
    for epoch in range(_EPOCHS):
        trainer.run_epoch(epoch + 1, lambda done: model.chosen("learning_rate"), lambda done: None)
    tables["image_factors"][data.labels_per_image == 0] = 0
    return tables["image_factors"]
