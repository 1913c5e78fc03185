"""The interface of an input: where an image's vector comes from, and where the vector's gradient goes.

To add an input, write a file with a subclass of `InputKind`, a state (a named tuple) and implementations of the
functions below for this state, and name the class in ``inputs/__init__.py``. Several inputs can be added up; each adds
its part to the vector. `vsenumba.training.annotation.layout` describes the rows of the work space.
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
    """Return whether all pairs of an image have the same vector, as a constant that removes branches."""
    raise TypeError(f"no input uses the state {type(inputs).__name__}")


@dispatched
def prefetch_visit(inputs, row, indptr, indices):
    """Prefetch the memory for a visit of the image in row `row` of the data."""
    raise TypeError(f"no input uses the state {type(inputs).__name__}")


@dispatched
def gather_visit(inputs, vectors, visit, indices, adds):
    """Write or add the vectors of an image to its slots; return whether this input knows the image.

    Parameters
    ----------
    inputs : NamedTuple
        The state of an input; its class selects the implementation.
    vectors : (VECTOR_ROWS, k) float32
        The slots.
    visit : Visit
        The image, its pairs and its slots.
    indices : (n_pairs,) int32
        The labels of all images.
    adds : bool
        Whether to add to the slots, which then hold the vectors of other inputs. Otherwise they are overwritten.
    """
    raise TypeError(f"no input uses the state {type(inputs).__name__}")


@dispatched
def scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    """Update the input's tables with the gradients of the vectors from `gather_visit`.

    The gradient of slot r is row ``BLOCK + r`` of `vectors`. It must not be changed, because other inputs read it too.
    """
    raise TypeError(f"no input uses the state {type(inputs).__name__}")


_LOGISTIC = LogisticLoss()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Default settings of a training that depend on the input.

    Attributes
    ----------
    learning_rate, l2 : float
        The learning rate of the first epoch, and the weight decay per step.
    n_negatives : int
        The number of negatives per pair.
    sampler : Sampler
        The source of negatives.
    loss : Loss
        The loss to minimise.
    max_neighbours : int
        About how many weights to other labels each label has besides its vector; 0 for none.
    """

    learning_rate: float
    l2: float
    n_negatives: int
    sampler: Sampler
    loss: Loss = _LOGISTIC
    max_neighbours: int = 0


class Counts(NamedTuple):
    """The size of the data that a model learns from."""

    n_images: int
    n_labels: int
    n_pairs: int


class Sizes(NamedTuple):
    """The size of a model; `n_features` is 0 if images have no features."""

    n_images: int
    n_labels: int
    n_factors: int
    n_features: int = 0


class Table(NamedTuple):
    """A table to train.

    Attributes
    ----------
    n_rows, n_columns : int
        Its shape.
    spread : float
        The standard deviation of its initial numbers.
    is_dense : bool
        Whether AdamW updates the whole table at once. Otherwise the model's optimiser updates a row when it is used.
    """

    n_rows: int
    n_columns: int
    spread: float
    is_dense: bool = False

    def memory_length(self, optimiser: Optimiser) -> int:
        """Return the number of values in the optimiser's memory; for AdamW, both moments and the number of steps."""
        if self.is_dense:
            return 2 * self.n_rows * self.n_columns + 1
        return self.n_rows * len(optimiser.fresh_sums(1))

    def fresh_memory(self, optimiser: Optimiser) -> np.ndarray:
        """Return the optimiser's memory before the first step, as a flat float32 array."""
        if self.is_dense:
            return np.zeros(self.memory_length(optimiser), np.float32)
        return optimiser.fresh_sums(self.n_rows)


class Feed:
    """An input during a training: its state for the compiled loop, and its work before and after a launch.

    Parameters
    ----------
    state : NamedTuple
        The arrays that the compiled loop reads and writes; its class selects the implementation.
    """

    def __init__(self, state: Any) -> None:
        self.state = state

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Start an epoch with the given random seed. Most inputs draw nothing."""

    def begin_launch(self, rows: np.ndarray) -> None:
        """Compute what is needed for all images of a launch, which are given by their rows in the data."""

    def end_launch(self, learning_rate: float) -> None:
        """Use the gradients of a launch, if `begin_launch` computed the vectors."""


@dataclass(frozen=True, kw_only=True)
class InputKind(Member):
    """Base class of inputs."""

    #: The default settings if the user chose nothing, the same for all data sets (docs/explanation/recipe.md).
    recipe: ClassVar[Recipe]
    #: The standard deviation of initial factors.
    initial_spread: ClassVar[float]
    #: Whether an image has no vector before it is trained or folded in.
    needs_image_rows: ClassVar[bool]
    #: The least number of labels of an image from which a model can learn.
    least_labels: ClassVar[int] = 1
    #: In a sum of inputs, how often this input represents an image alone, and how often the others do without it.
    alone: ClassVar[float] = 0.0
    left_out: ClassVar[float] = 0.0
    #: The largest number of images in a launch; None for any number.
    images_per_launch: ClassVar[int | None] = None
    #: Up to this number of labels, a model with this input weighs all labels at once, unless the user chose otherwise.
    weighs_all_up_to: ClassVar[int] = 0

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return the default settings for what the user chose. For most inputs they are always the same.

        Parameters
        ----------
        sampler, loss : Sampler, Loss or None
            The user's choice; None for no choice.
        optimiser : Optimiser
            The optimiser.
        counts : Counts
            The size of the training data.

        Returns
        -------
        Recipe
            The settings. What the user chose takes precedence over them.
        """
        return self.recipe

    @abstractmethod
    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return the tables of this input by name, without the label factors."""

    def constants(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays that are computed from the data before training, by name; most have none."""
        return {}

    def measure(self, data: AnnotationSet) -> dict[str, np.ndarray]:
        """Compute the arrays that `constants` announces from the data."""
        return {}

    def rows_together(self, data: AnnotationSet) -> int:
        """Return how many neighbouring images should be visited together; 1 if it does not matter."""
        return 1

    @abstractmethod
    def feed(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> Feed:
        """Return the feed of this input for a training.

        Parameters
        ----------
        tables, sums : mapping from str to array
            The tables and constants, and the optimiser's memory of each table.
        data : AnnotationSet
            The training data.
        l2 : float
            The weight decay per step.

        Returns
        -------
        Feed
        """

    @abstractmethod
    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return which images this input knows, (len(rows),) bool; the parameters are those of `vectors`."""

    @abstractmethod
    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the vectors of images, (len(rows), k) float32.

        Parameters
        ----------
        tables : mapping
            The trained tables.
        table_rows : (len(rows),) int64
            The rows of the images in the model's tables; -1 for images that were not in the training.
        known : AnnotationSet
            The images with their known labels and features. Its label columns are those of the model.
        rows : (len(rows),) int64
            The rows of the images in `known`.

        Returns
        -------
        (len(rows), k) float32 array
        """
