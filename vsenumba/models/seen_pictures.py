"""What a model keeps of the pictures it was trained on: which backbone described them, and the vectors made of them."""

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

#: The element of a model's file that holds what features gave the images' vectors: the features are not kept.
FEATURE_VECTORS = "feature_vectors"

#: What must be known of a file before the shapes of its tables are.
FEATURE_SIZES = schema.Elements(
    {"arrays": schema.Elements({"feature_mean": schema.Array(schema.FLOAT, ("n_features",), finite=True)})}
)


def picture_schema(n_factors: int) -> dict[str, schema.Spec]:
    """Return what stands in the file of a model that looks at features."""
    vectors = schema.Array(schema.FLOAT, ("n_images", n_factors), finite=True)
    return {"backbone": schema.Optional(BACKBONE), FEATURE_VECTORS: schema.Optional(vectors)}


def check_has_features(data: AnnotationSet, inputs: str | Sequence[str]) -> None:
    """Refuse a set without features where they are among a model's inputs.

    Raises
    ------
    InputError
        If they are, and it has none.
    """
    if data.features is None and any(part.name == "features" for part in as_inputs(inputs).parts):
        raise InputError(
            f"inputs={inputs!r} needs features of the images, and {data!r} has none: give it some with "
            "with_features(...), or make a set of pictures with 'vsenumba data pictures'"
        )


class SeenPictures:
    """What is kept of pictures.

    Parameters
    ----------
    backbone : BackboneId or None
        What their features were computed with, where that is known.
    vectors : (n_images, k) float32 array, optional
        What features gave the images' vectors; rows of 0 for images of which this is not known.
    """

    def __init__(self, backbone: BackboneId | None, vectors: np.ndarray | None = None) -> None:
        self.backbone = backbone
        self.vectors = vectors

    def check(self, data: AnnotationSet, n_features: int) -> None:
        """Refuse features that are not such as the model was trained on.

        Raises
        ------
        InputError
            If they are of another width or of another backbone.
        """
        if data.features is None:
            return
        check_same_backbone(data.backbone, self.backbone)
        if data.n_features != n_features:
            of = f" of {self.backbone.name!r}" if self.backbone else ""
            raise InputError(
                f"the images have {data.n_features:,} features each, and the model was trained on {n_features:,}{of}; "
                "compute them in the same way"
            )

    def to_elements(self, vectors: np.ndarray | None) -> dict[str, Any]:
        """Return what stands in a file, with vectors of all images."""
        elements: dict[str, Any] = {} if vectors is None else {FEATURE_VECTORS: vectors}
        return elements if self.backbone is None else {**elements, "backbone": storage.Json(self.backbone._asdict())}

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> SeenPictures:
        """Take back what `to_elements` returned."""
        backbone = BackboneId(**elements["backbone"]) if "backbone" in elements else None
        return cls(backbone, elements.get(FEATURE_VECTORS))


def with_features_where_known(data: AnnotationSet, source: AnnotationSet) -> AnnotationSet:
    """Return a set with the features that its images have in another one, and 0 for those that are not there.

    Parameters
    ----------
    data : AnnotationSet
        The set; images that are not in `source` have no label in it, so that nothing is learnt of them.
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
        f"training on with {len(there):,} images of {len(rows):,}",
        "train on all of them afresh, from a file",
    )
    filled = np.zeros((len(rows), features.shape[1]), features.dtype)
    filled[there] = features
    return data.with_features(filled, source.backbone)
