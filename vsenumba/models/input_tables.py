"""The tables of an annotation model, which are those of its inputs: how large they are, and how they grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import as_loss
from vsenumba.memory import check_memory
from vsenumba.models.label_pairs import LabelPairs
from vsenumba.models.vector_annotator import VectorAnnotator
from vsenumba.storage import schema
from vsenumba.training.annotation.inputs import Inputs, as_inputs
from vsenumba.training.annotation.inputs.kind import Sizes, Table
from vsenumba.training.annotation.label_weights import local_weight_bytes
from vsenumba.training.annotation.layout import work_bytes
from vsenumba.training.annotation.task import N_SHARDS


class InputTables(VectorAnnotator):
    """Base of the annotation model whose images are known by inputs: its tables."""

    inputs: str | Sequence[str]
    pairs_: LabelPairs | None

    @property
    def _inputs(self) -> Inputs:
        return as_inputs(self.inputs)

    @property
    def uses_features(self) -> bool:
        """Whether features of images are among the inputs."""
        return any(part.name == "features" for part in self._inputs.parts)

    def _check_memory(self, n_images: int, n_labels: int, n_features: int) -> None:
        """Refuse to make tables, and what a launch works in, that do not fit into memory."""
        tables = self._inputs.tables(Sizes(n_images, n_labels, int(self.n_factors), n_features)).values()
        loss = None if self.loss is None else as_loss(self.loss)
        kept = (0, 0) if loss is None else (loss.n_scores(n_labels), loss.draws or 0)
        check_memory(
            4 * sum(one.n_rows * one.n_columns for one in tables) + work_bytes(N_SHARDS, int(self.n_factors), *kept),
            f"training with n_factors={self.n_factors} on {n_images:,} images and {n_labels:,} labels",
            "lower n_factors, or leave out rare labels",
        )

    def _check_pair_memory(self, data: AnnotationSet, max_neighbours: int) -> None:
        """Refuse to count what occurs together where that does not fit into memory."""
        check_memory(
            local_weight_bytes(data, max_neighbours),
            f"how often {data.n_labels:,} labels occur together",
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
                f"{', '.join(self.tables_)}; fit it afresh"
            )
        super()._check_tables()

    def _grow(self) -> None:
        """Give every image and label that has none a fresh row in each table."""
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
