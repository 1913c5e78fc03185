"""The tables of a retriever: their shapes, their initial values, and how a file stores them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba import storage
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.memory import check_memory
from vsenumba.models.caption_checks import check_words
from vsenumba.models.trained import Trained
from vsenumba.storage import schema
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import Captions, TokenCaptions, WordCaptions
from vsenumba.training.captions.projections import as_projection

# Float32 numbers that training holds for each parameter (its value, its gradient and two moments), and for each pair of
# an image and a caption in a batch.
_PER_PARAMETER, _PER_COSINE = 4, 6


class BranchTables(Trained):
    """Base of `CrossModalRetriever`: the tables of the image branch and the caption branch."""

    def _sizes(self) -> schema.Sizes:
        widths = {"image_width": self._image_width, "caption_width": self._caption_width}
        return widths if self.words_ is None else {**widths, "other_words": len(self.words_) - 1}

    def _check_tables(self) -> None:
        expected = self._table_shapes(self._sizes())
        found = {name: np.shape(table) for name, table in self.tables_.items()}
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                raise InputError(
                    f"tables_[{name!r}] has the shape {found.get(name)}, not {expected.get(name)}: projections, "
                    "poolings or n_factors have changed since the model was fitted; fit the model again"
                )
        super()._check_tables()

    @property
    def _caption_width(self) -> int:
        if self.words_ is not None:
            return int(np.shape(self.tables_.get("words", ((),)))[-1])
        return len(self.tables_.get("caption.projection.weights", ()))

    def _sides(self, image_width: int, caption_width: int) -> tuple[tuple[str, Branch, int], ...]:
        """Return the name, the branch and the row width of each of the two sides."""
        return (("image", self._image_branch, image_width), ("caption", self._caption_branch, caption_width))

    def _branch_shapes(self, image_width: int, caption_width: int) -> dict[str, tuple[int, ...]]:
        return {
            f"{side}.{name}": shape
            for side, branch, columns in self._sides(image_width, caption_width)
            for name, shape in branch.parameter_shapes(columns, int(self.n_factors)).items()
        }

    def _branch_tables(self, caption_width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {
            f"{side}.{name}": table
            for side, branch, columns in self._sides(self._image_width, caption_width)
            for name, table in branch.fresh_parameters(columns, self.n_factors, rng).items()
        }

    def _fresh_tables(
        self, data: CaptionSet, words: WordVectors | None, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        width = self.word_factors if data.tokens is None else data.tokens.width
        tables = self._branch_tables(width, rng)
        if self.words_ is None:
            return tables
        table = rng.uniform(-0.1, 0.1, (len(self.words_), width)).astype(np.float32)
        if words is not None:
            check_words(words, int(width))
            found = words.words.find(self.words_)
            table[found >= 0] = words.factors[found[found >= 0]]
        return {"words": table, **tables}

    @property
    def _image_branch(self) -> Branch:
        return Branch(projection=self.member("image_projection"), pooling=self.member("image_pooling"))

    @property
    def _caption_branch(self) -> Branch:
        return Branch(projection=as_projection("linear"), pooling=self.member("caption_pooling"))

    def _to_elements(self) -> dict[str, Any]:
        elements = super()._to_elements()
        elements["about"] = storage.Json({**elements["about"].value, "image_width": self._image_width})
        if self.words_ is not None:
            elements["words"] = self.words_.to_element()
        return elements

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        # The width of caption rows is the height of the matrix that projects them.
        weights = {"caption.projection.weights": schema.Array(schema.FLOAT, ("caption_width", self.n_factors))}
        return schema.check(
            schema.Elements(
                {
                    "about": schema.Object({"image_width": schema.Whole(least=1, size="image_width")}),
                    "words": schema.Optional(schema.Names("other_words+1")),
                    "arrays": schema.Elements(weights),
                }
            ),
            elements,
        )

    def _table_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        shapes = self._branch_shapes(sizes["image_width"], sizes["caption_width"])
        if "other_words" in sizes:
            shapes["words"] = (sizes["other_words"] + 1, sizes["caption_width"])
        return shapes

    def _memory_schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        moments: dict[str, schema.Spec] = {"steps": schema.Array(schema.COUNT, (1,), least=0)}
        for name, shape in self._table_shapes(sizes).items():
            moments[f"1.{name}"] = schema.Array(schema.FLOAT, shape, finite=True)
            moments[f"2.{name}"] = schema.Array(schema.FLOAT, shape, finite=True, least=0)
        return moments

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        super()._from_elements(elements)
        self._image_width = int(self.provenance_.pop("image_width"))
        self.words_ = Vocabulary.from_element(elements["words"], "word") if "words" in elements else None

    def _check_memory(self, data: CaptionSet) -> None:
        """Raise an error if the parameters and the cosines of a batch do not fit into memory."""
        caption_width = int(self.word_factors) if data.tokens is None else data.tokens.width
        n, shapes = int(self.n_factors), self._branch_shapes(data.images.width, caption_width)
        n_parameters = sum(math.prod(shape) for shape in shapes.values()) + caption_width
        batch = min(int(self.batch_size), max(data.n_images, data.n_captions))
        check_memory(
            4 * (_PER_PARAMETER * n_parameters + _PER_COSINE * batch**2),
            f"training with n_factors={n}, word_factors={self.word_factors} and batch_size={self.batch_size}",
            "lower these parameters",
        )

    def _captions(self, data: CaptionSet) -> Captions:
        if self.words_ is None:
            if data.tokens is None:
                raise InputError("the model was trained on captions as feature rows, and the data has none")
            return self._token_captions(data.tokens)
        if data.captions is None:
            raise InputError("the model was trained on captions as texts, and the data has none")
        return WordCaptions(data.captions, self.words_)

    def _token_captions(self, tokens: Ragged) -> TokenCaptions:
        if tokens.width != self._caption_width:
            raise InputError(f"caption rows must have {self._caption_width} numbers, not {tokens.width}")
        return TokenCaptions(tokens)
