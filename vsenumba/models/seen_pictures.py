"""Facts that a model stores about its training pictures: the backbone, and the vectors computed from the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba import storage
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.features import feature_rows, is_sparse
from vsenumba.data.backbone_id import BACKBONE, BackboneId, check_same_backbone
from vsenumba.errors import InputError
from vsenumba.memory import check_memory
from vsenumba.storage import schema
from vsenumba.training.annotation.inputs import as_inputs

#: File element with the part of the image vectors that comes from features. Files do not contain the features.
FEATURE_VECTORS = "feature_vectors"

#: Elements that determine the shapes of the tables.
FEATURE_SIZES = schema.Elements(
    {"arrays": schema.Elements({"feature_mean": schema.Array(schema.FLOAT, ("n_features",), finite=True)})}
)


def picture_schema(n_factors: int) -> dict[str, schema.Spec]:
    """Return the schema of the elements that a model with features adds to its file."""
    vectors = schema.Array(schema.FLOAT, ("n_images", n_factors), finite=True)
    return {"backbone": schema.Optional(BACKBONE), FEATURE_VECTORS: schema.Optional(vectors)}


def check_has_features(data: AnnotationSet, inputs: str | Sequence[str]) -> None:
    """Raise an error if features are among a model's inputs and a set has none.

    Raises
    ------
    InputError
        If features are missing.
    """
    if data.features is None and any(part.name == "features" for part in as_inputs(inputs).parts):
        raise InputError(
            f"inputs={inputs!r} needs features of the images, and {data!r} has none; add them with "
            "with_features(...), or make a set from picture files with 'vsenumba data pictures'"
        )


class SeenPictures:
    """The stored facts about training pictures.

    Parameters
    ----------
    backbone : BackboneId or None
        Backbone of the features, if known.
    vectors : (n_images, k) float32 array, optional
        The part of the image vectors that comes from features; 0 for images whose features were not available.
    """

    def __init__(self, backbone: BackboneId | None, vectors: np.ndarray | None = None) -> None:
        self.backbone = backbone
        self.vectors = vectors

    def check(self, data: AnnotationSet, n_features: int) -> None:
        """Raise an error if features do not match those of the training set.

        Raises
        ------
        InputError
            If they have another width, or come from another backbone.
        """
        if data.features is None:
            return
        check_same_backbone(data.backbone, self.backbone)
        if data.n_features != n_features:
            of = f" of {self.backbone.name!r}" if self.backbone else ""
            raise InputError(
                f"the images have {data.n_features:,} features each, but the model was trained on {n_features:,}{of}; "
                "compute them in the same way as for training"
            )

    def to_elements(self, vectors: np.ndarray | None) -> dict[str, Any]:
        """Return the elements of a file, with the vectors of all images."""
        elements: dict[str, Any] = {} if vectors is None else {FEATURE_VECTORS: vectors}
        return elements if self.backbone is None else {**elements, "backbone": storage.Json(self.backbone._asdict())}

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> SeenPictures:
        """Restore from what `to_elements` returned."""
        backbone = BackboneId(**elements["backbone"]) if "backbone" in elements else None
        return cls(backbone, elements.get(FEATURE_VECTORS))


def with_features_where_known(data: AnnotationSet, source: AnnotationSet) -> AnnotationSet:
    """Return a set with the features that its images have in another set; 0 for images that are not in it.

    Parameters
    ----------
    data : AnnotationSet
        The set. Images that are not in `source` have no label in it, so the model learns nothing from their zeros.
    source : AnnotationSet
        A set with features.
    """
    rows = source.image_ids.find(data.image_ids)
    there = np.flatnonzero(rows >= 0)
    features = feature_rows(source.features, rows[there])
    if is_sparse(features):
        ones = np.ones(len(there), features.dtype)
        places = sp.csr_array((ones, (there, np.arange(len(there)))), (len(rows), len(there)))
        return data.with_features(sp.csr_array(places @ features), source.backbone)
    check_memory(
        len(rows) * features.shape[1] * features.dtype.itemsize,
        f"continued training on {len(there):,} of {len(rows):,} images",
        "train a new model on all of them, from a file",
    )
    filled = np.zeros((len(rows), features.shape[1]), features.dtype)
    filled[there] = features
    return data.with_features(filled, source.backbone)
