"""Training rows for new images, for models that have a row for every image."""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.training.annotation.inputs.kind import Sizes

# Enough epochs for a new row to converge.
_EPOCHS = 30


def folded_in(model: Any, data: AnnotationSet) -> np.ndarray:
    """Train a row for each image of a set, with the label factors frozen; 0 for images without a label.

    The result is the same each time.

    Parameters
    ----------
    model : ImageAnnotator
        A model with rows for images; it does not change.
    data : AnnotationSet
        The images, with the model's labels as columns.
    """
    fresh = np.random.default_rng(model._spawned(2)).standard_normal((data.n_images, model.n_factors), np.float32)
    spread = model._inputs.tables(Sizes(*data.shape, int(model.n_factors)))["image_factors"].spread
    tables = {"label_factors": model.label_factors_, "image_factors": np.float32(spread) * fresh}
    # The optimiser's sums of the labels are temporary, so that folding in does not change the model.
    sums = {name: model.member("optimiser").fresh_sums(len(table)) for name, table in tables.items()}
    trainer = model._trainer(model._task(data, frozen_labels=True), tables, sums, model._spawned(2))
    for epoch in range(_EPOCHS):
        trainer.run_epoch(epoch + 1, lambda done: model.chosen("learning_rate"), lambda done: None)
    tables["image_factors"][data.labels_per_image == 0] = 0
    return tables["image_factors"]
