"""The tables of an annotation model: their shapes, how they grow, the vectors they give, and how a file stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import as_loss
from vsenumba.memory import check_memory
from vsenumba.models.annotator import Annotator
from vsenumba.models.folding import folded_in
from vsenumba.models.label_pairs import LABEL_PAIRS, LabelPairs
from vsenumba.models.new_images import FoldedImages, NewImages, UnseenImages
from vsenumba.models.seen_pictures import FEATURE_SIZES, FEATURE_VECTORS, SeenPictures, picture_schema
from vsenumba.models.trained import Trained
from vsenumba.models.vector_annotator import VectorAnnotator
from vsenumba.samplers import as_sampler
from vsenumba.storage import schema
from vsenumba.training.annotation.inputs import Inputs, as_inputs
from vsenumba.training.annotation.inputs.kind import Counts, Recipe, Sizes, Table
from vsenumba.training.annotation.label_weights import local_weight_bytes
from vsenumba.training.annotation.layout import work_bytes
from vsenumba.training.annotation.task import N_SHARDS
from vsenumba.training.optimisers import as_optimiser


class InputTables(VectorAnnotator):
    """Base of `ImageAnnotator`: the tables of its inputs."""

    inputs: str | Sequence[str]
    pairs_: LabelPairs | None
    _pictures: SeenPictures

    @property
    def _inputs(self) -> Inputs:
        return as_inputs(self.inputs)

    @property
    def uses_features(self) -> bool:
        """Whether features are among the inputs."""
        return any(part.name == "features" for part in self._inputs.parts)

    def _check_memory(self, n_images: int, n_labels: int, n_features: int) -> None:
        """Raise an error if the tables and the work space of training do not fit into memory."""
        tables = self._inputs.tables(Sizes(n_images, n_labels, int(self.n_factors), n_features)).values()
        loss = None if self.loss is None else as_loss(self.loss)
        kept = (0, 0) if loss is None else (loss.n_scores(n_labels), loss.draws or 0)
        check_memory(
            4 * sum(one.n_rows * one.n_columns for one in tables) + work_bytes(N_SHARDS, int(self.n_factors), *kept),
            f"training with n_factors={self.n_factors} on {n_images:,} images and {n_labels:,} labels",
            "lower n_factors, or leave out rare labels",
        )

    def _check_pair_memory(self, data: AnnotationSet, max_neighbours: int) -> None:
        """Raise an error if the counts of labels that occur together do not fit into memory."""
        check_memory(
            local_weight_bytes(data, max_neighbours),
            f"counting how often {data.n_labels:,} labels occur together",
            "leave out frequent labels, or set max_neighbours=0",
        )

    def _sizes(self) -> schema.Sizes:
        return {
            "n_images": len(self.image_ids_),
            "n_labels": len(self.label_names_),
            "n_features": len(self.tables_.get("feature_mean", ())),
        }

    def _of_sizes(self, sizes: schema.Sizes) -> Sizes:
        return Sizes(sizes["n_images"], sizes["n_labels"], int(self.n_factors), sizes.get("n_features", 0))

    def _check_tables(self) -> None:
        if self.tables_.keys() != self._table_shapes(self._sizes()).keys():
            raise InputError(
                f"inputs is {self.inputs!r}, but the model was fitted with other inputs: it has the tables "
                f"{', '.join(self.tables_)}; fit it again"
            )
        super()._check_tables()

    def _grow(self) -> None:
        """Add a row with random initial values to each table for every image and label that has none."""
        optimiser = self.member("optimiser")
        for number, (name, table) in enumerate(self._inputs.tables(self._of_sizes(self._sizes())).items()):

            def fill(fresh: np.ndarray, number: int = number, table: Table = table) -> None:
                rng = np.random.default_rng(self._spawned(0, number, table.n_rows - len(fresh)))
                rng.standard_normal(out=fresh, dtype=np.float32)
                fresh *= np.float32(table.spread)

            self._grow_table(name, (table.n_rows, table.n_columns), fill, table.fresh_memory(optimiser))

    def _table_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        tables = self._inputs.tables(self._of_sizes(sizes))
        shapes = {name: (table.n_rows, table.n_columns) for name, table in tables.items()}
        return shapes | self._inputs.constants(self._of_sizes(sizes))

    def _memory_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        tables, optimiser = self._inputs.tables(self._of_sizes(sizes)), self.member("optimiser")
        return {name: (table.memory_length(optimiser),) for name, table in tables.items()}

    @property
    def _recipe(self) -> Recipe:
        sampler = None if self.sampler is None else as_sampler(self.sampler)
        chosen = "logistic" if self.loss is None and self.n_negatives is not None else self.loss  # negatives are drawn
        loss = None if chosen is None else as_loss(chosen)
        seen = getattr(self, "seen_", None)
        counts = Counts(1, 1, 1) if seen is None else Counts(seen.n_images, seen.n_labels, seen.n_pairs)
        return self._inputs.recipe_for(sampler, loss, as_optimiser(self.optimiser), counts)

    @property
    def _arrays(self) -> Mapping[str, np.ndarray]:
        """The tables, plus the stored feature vectors of images whose features are not available."""
        kept = self._pictures.vectors
        return self.tables_ if kept is None else self.tables_ | {FEATURE_VECTORS: kept}

    def _picture_vectors(self, data: AnnotationSet) -> np.ndarray:
        """Return the part of the image vectors that comes from features; the images of `data` must be the model's."""
        rows = np.arange(data.n_images)
        return as_inputs("features").vectors(self.tables_, rows, data, rows)

    def _table_rows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        self._check_tables()
        if self.uses_features:
            self._pictures.check(known, self._sizes()["n_features"])
        if "image_factors" not in self.tables_ and self._pictures.vectors is None:
            return np.full(len(rows), -1)  # no input needs ids, and looking up millions of them is slow
        same = known.image_ids is self.image_ids_
        rows = rows if same else self.image_ids_.find(known.image_ids.take(rows))
        if "image_factors" not in self.tables_:
            return rows
        # The row of an image without labels still has its random initial values, which mean nothing.
        indptr = self.seen_.indptr
        return np.where((rows >= 0) & (indptr[rows] < indptr[rows + 1]), rows, -1)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._inputs.vectors(self._arrays, self._table_rows(known, rows), known, rows)

    def _to_elements(self) -> dict[str, Any]:
        elements = {**Annotator._to_elements(self), **Trained._to_elements(self)}
        if self.uses_features:
            at_hand = self.seen_.features is not None
            vectors = self._picture_vectors(self.seen_) if at_hand else self._pictures.vectors
            elements |= self._pictures.to_elements(vectors)
        return elements if self.pairs_ is None else elements | {"pairs": self.pairs_.to_elements()}

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        Annotator._from_elements(self, elements)
        Trained._from_elements(self, elements)
        self._pictures = SeenPictures.from_elements(elements)
        pairs = elements.get("pairs")
        self.pairs_ = None if pairs is None else LabelPairs.from_elements(pairs, len(self.label_names_))

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        sizes = Annotator._found_sizes(self, elements)
        if self.uses_features:
            schema.check(FEATURE_SIZES, elements, **sizes)
            sizes["n_features"] = len(elements["arrays"]["feature_mean"])
        return sizes

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        pictures = picture_schema(int(self.n_factors)) if self.uses_features else {}
        return Trained._schema(self, sizes) | pictures | {"pairs": schema.Optional(LABEL_PAIRS)}

    def _check_images(self, data: AnnotationSet) -> None:
        if self._inputs.needs_image_rows:
            self.image_ids_.index(data.image_ids)

    def _fold(self, data: AnnotationSet) -> np.ndarray:
        """Return the vectors of images as if they were new to the model; 0 for images without a label."""
        inputs = self._inputs
        if not inputs.needs_image_rows:
            return self._for_new_images(data)._vectors(data, np.arange(data.n_images))
        self._check_tables()
        return folded_in(self, data)

    def _for_new_images(self, known: AnnotationSet) -> NewImages:
        if self._inputs.needs_image_rows:
            return FoldedImages(self, self._fold(known), self.label_factors_)
        self._check_tables()
        if self.uses_features:
            self._pictures.check(known, self._sizes()["n_features"])
        return UnseenImages(self, self._inputs, self.tables_, self.pairs_)
