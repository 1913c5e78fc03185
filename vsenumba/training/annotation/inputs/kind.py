"""What stands for an image: where its vector comes from, and where the vector's gradient goes.

To add a kind of input, write one file with a class of `InputKind`, a state (a named tuple) and the functions below for
it, and name it in ``inputs/__init__.py``. Kinds can be added up: each adds its part to the vector.
What the rows of the work space hold is said in `vsenumba.training.annotation.layout`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.kernels.compiler import dispatched
from vsenumba.losses import LogisticLoss, Loss
from vsenumba.registry import Member
from vsenumba.samplers import Sampler
from vsenumba.training.optimisers import Optimiser


@dispatched
def shares_vector(inputs):
    """Return whether all pairs of an image have the same vector; a constant, so that the compiler can drop a branch."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def prefetch_visit(inputs, row, indptr, indices):
    """Ask for the memory that a visit of the image in row `row` of the data will need."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def gather_visit(inputs, vectors, visit, indices, adds):
    """Write the vectors of an image to its slots, or add them; return whether this input knows anything of the image.

    Parameters
    ----------
    inputs : NamedTuple
        A state; its class picks the implementation.
    vectors : (VECTOR_ROWS, k) float32
        The slots.
    visit : Visit
        Which image, which of its pairs, and which slots.
    indices : (n_pairs,) int32
        The labels of all images.
    adds : bool
        Whether the slots hold what other inputs gave, which is added to; otherwise what they hold is old.
    """
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    """Move the inputs' tables against the gradients in what `gather_visit` wrote.

    The gradient in slot r is row ``BLOCK + r`` of `vectors`, and must stay as it is: other inputs read it too.
    """
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


_LOGISTIC = LogisticLoss()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train where the user chose nothing, so far as it depends on what stands for an image.

    Attributes
    ----------
    learning_rate, l2 : float
        The rate of the first epoch, and the weight decay per step.
    n_negatives : int
        Negatives per pair.
    sampler : Sampler
        Where negatives come from.
    loss : Loss
        Loss to minimise.
    max_neighbours : int
        About how many weights to others a label has beside its vector; 0 for vectors alone.
    """

    learning_rate: float
    l2: float
    n_negatives: int
    sampler: Sampler
    loss: Loss = _LOGISTIC
    max_neighbours: int = 0


class Counts(NamedTuple):
    """How much there is to learn from."""

    n_images: int
    n_labels: int
    n_pairs: int


class Sizes(NamedTuple):
    """How much a model knows, and how long its vectors are; `n_features` is 0 where images have none."""

    n_images: int
    n_labels: int
    n_factors: int
    n_features: int = 0


class Table(NamedTuple):
    """A table to learn.

    Attributes
    ----------
    n_rows, n_columns : int
        Its shape.
    spread : float
        Standard deviation of fresh numbers.
    is_dense : bool
        Whether AdamW moves all of it at once. Otherwise the model's optimiser moves a row when it is used.
    """

    n_rows: int
    n_columns: int
    spread: float
    is_dense: bool = False

    def memory_length(self, optimiser: Optimiser) -> int:
        """Return how many numbers are remembered: AdamW's both moments and its steps, or those of the optimiser."""
        if self.is_dense:
            return 2 * self.n_rows * self.n_columns + 1
        return self.n_rows * len(optimiser.fresh_sums(1))

    def fresh_memory(self, optimiser: Optimiser) -> np.ndarray:
        """Return what is remembered before the first step, flat float32."""
        if self.is_dense:
            return np.zeros(self.memory_length(optimiser), np.float32)
        return optimiser.fresh_sums(self.n_rows)


class Feed:
    """An input at work in one training: its state for the compiled loop, and what it does around a launch.

    Parameters
    ----------
    state : NamedTuple
        What the compiled loop reads and writes; its class picks the implementation.
    """

    def __init__(self, state: Any) -> None:
        self.state = state

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Begin an epoch, whose draws are seeded so; most draw nothing."""

    def begin_launch(self, rows: np.ndarray) -> None:
        """Prepare what is computed for all images of a launch at once, given by their rows in the data."""

    def end_launch(self, learning_rate: float) -> None:
        """Take back what a launch left of gradients, if `begin_launch` prepared their vectors."""


@dataclass(frozen=True, kw_only=True)
class InputKind(Member):
    """Base of the kinds of input."""

    #: What a model takes where its user chose nothing: one recipe for all sets (docs/explanation/recipe.md).
    recipe: ClassVar[Recipe]
    #: Standard deviation of fresh factors.
    initial_spread: ClassVar[float]
    #: Whether an image has no vector before it is trained on or folded in.
    needs_image_rows: ClassVar[bool]
    #: How many labels an image must have to be learnt from.
    least_labels: ClassVar[int] = 1
    #: How often, where it is one of several inputs, it stands for an image alone, and how often the others do.
    alone: ClassVar[float] = 0.0
    left_out: ClassVar[float] = 0.0
    #: The most images of a launch; None for any number.
    images_per_launch: ClassVar[int | None] = None
    #: Up to how many labels a model with this input weighs all of them at once, where its user chose nothing else.
    weighs_all_up_to: ClassVar[int] = 0

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return what a model takes for the rest where its user chose these; for most kinds it is always the same.

        Parameters
        ----------
        sampler, loss : Sampler, Loss or None
            What its user chose to train with; None for nothing.
        optimiser : Optimiser
            What it trains with.
        counts : Counts
            The sizes of what it learns from.
        """
        return self.recipe

    @abstractmethod
    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return the tables it learns beside the label factors, by name."""

    def constants(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what it takes from the data before training, by name; most take nothing."""
        return {}

    def measure(self, data: AnnotationSet) -> dict[str, np.ndarray]:
        """Return what `constants` announces, taken from the data."""
        return {}

    def rows_together(self, data: AnnotationSet) -> int:
        """Return how many images that stand in a row are best visited in one launch; 1 where it does not matter."""
        return 1

    @abstractmethod
    def feed(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> Feed:
        """Return the input at work.

        Parameters
        ----------
        tables, sums : mapping from str to array
            The tables and constants, and the memories of what moves the tables.
        data : AnnotationSet
            What is trained on.
        l2 : float
            Weight decay per step.
        """

    @abstractmethod
    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return of which images it knows anything, (len(rows),) bool; the arguments are those of `vectors`."""

    @abstractmethod
    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the vectors of images, (len(rows), k) float32.

        Parameters
        ----------
        tables : mapping
            The learnt tables.
        table_rows : (len(rows),) int64
            Where the images stand in the model's tables, -1 for images it was not trained on.
        known : AnnotationSet
            What is known of the images; its label columns are the model's.
        rows : (len(rows),) int64
            Where the images stand in `known`.
        """
